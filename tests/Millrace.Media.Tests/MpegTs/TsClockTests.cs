namespace Millrace.Media.Tests.MpegTs;

/// <summary>PCR (ISO/IEC 13818-1 2.4.2.2, 2.7.2), and how often the tables come.</summary>
public sealed class TsClockTests
{
    private const int VideoPid = 0x100, AudioPid = 0x101, PmtPid = 0x1000;
    private const long Offset = 126_000, ClockOffset = 63_000;

    [Fact]
    public void The_clip_arrives_whole_with_its_times_and_a_clock_that_runs_before_them()
    {
        (List<Config> configs, List<ClipUnit> units) = TsBench.LoadClip();
        var bench = new TsBench((configs[0], 1000), (configs[1], 1000));
        var joined = new List<byte>();
        bench.Begin();
        foreach (ClipUnit unit in units)
        {
            if (unit is { Track: 0, IsKey: true, Dts: > 1000 })
            {
                joined.AddRange(bench.End());
                bench.Begin();
            }

            bench.Write(unit.Track, unit.Payload, unit.Dts, unit.Dts + unit.CompositionTime, unit.IsKey);
        }

        joined.AddRange(bench.End());
        var reader = new TsReader(joined.ToArray());
        reader.ShouldBeContinuous();
        List<ClipUnit> pictures = units.FindAll(static unit => unit.Track == 0), frames = units.FindAll(static unit => unit.Track == 1);
        reader.Pes(VideoPid).ConvertAll(static pes => (pes.Dts ?? pes.Pts, pes.Pts, pes.IsRandomAccess)).ShouldBe(pictures.ConvertAll(
            static unit => ((unit.Dts * 90) + Offset, ((unit.Dts + unit.CompositionTime) * 90) + Offset, unit.IsKey)));
        for (int i = 0; i < pictures.Count; i++)
            Elementary.Nals(reader.Pes(VideoPid)[i].Data)[^1].ShouldBe(LastNal(pictures[i].Payload));
        Elementary.FromAdts(reader.Pes(AudioPid)).ShouldBe(frames.ConvertAll(static unit => unit.Payload));
        ShouldHaveClock(reader, VideoPid);
        reader.Sections(PmtPid).Count.ShouldBe(4 * 16);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(25)]
    [InlineData(60)]
    public void The_clock_comes_every_100_ms_at_any_frame_rate(int rate)
    {
        var reader = new TsReader(new TsBench((TsBench.H264, 90_000), (TsBench.Aac, 48_000)).Segment(bench => WriteSeconds(bench, 6, rate)));
        reader.ShouldBeSegment();
        ShouldHaveClock(reader, VideoPid);
    }

    [Fact]
    public void Without_pictures_the_clock_is_in_the_audio()
    {
        var reader = new TsReader(new TsBench((TsBench.Aac, 48_000)).Segment(static bench =>
        {
            for (int i = 0; i < 280; i++)
                bench.Write(0, TsBench.Unit(Codec.Aac, 100), i * 1024);
        }));
        ShouldHaveClock(reader, AudioPid);
    }

    [Fact]
    public void A_clock_whose_track_pauses_for_a_segment_runs_with_the_other()
    {
        var reader = new TsReader(new TsBench((TsBench.H264, 90_000), (TsBench.Aac, 48_000)).Segment(static bench =>
        {
            for (int i = 0; i < 280; i++)
                bench.Write(1, TsBench.Unit(Codec.Aac, 100), i * 1024);
        }));
        reader.ShouldBeSegment();
        reader.PayloadPackets(VideoPid).ShouldBeEmpty();
        ShouldHaveClock(reader, VideoPid);
    }

    [Fact]
    public void The_tables_come_every_half_second_and_before_each_key_frame()
    {
        var reader = new TsReader(new TsBench((TsBench.H264, 90_000), (TsBench.Aac, 48_000)).Segment(static bench => WriteSeconds(bench, 5, 25, 30)));
        long last = 0;
        int keys = 0;
        foreach (TsPacketSeen packet in reader.Packets)
        {
            if (packet.Pcr is { } pcr)
                (pcr - last).ShouldBeLessThanOrEqualTo(27_000_000 / 2);
            else if (packet.Pid == PmtPid)
                last = PcrBehind(reader, packet) ?? last;
        }

        for (int i = 1; i < reader.Packets.Count; i++)
        {
            if (!reader.Packets[i].IsRandomAccess)
                continue;
            (reader.Packets[i - 2].Pid, reader.Packets[i - 1].Pid).ShouldBe((0, PmtPid));
            keys++;
        }

        keys.ShouldBe(5);
    }

    private static void WriteSeconds(TsBench bench, int seconds, int rate, int keyInterval = int.MaxValue)
    {
        int audio = 0;
        for (int i = 0; i < seconds * rate; i++)
        {
            for (; audio * 1024 * rate < i * 48_000; audio++)
                bench.Write(1, TsBench.Unit(Codec.Aac, 100), audio * 1024);
            bench.Write(0, TsBench.Unit(Codec.H264, 400), i * 90_000 / rate, isKey: i % keyInterval == 0);
        }
    }

    /// <summary>It is on this PID only, goes up by 100 ms at most, and no unit comes after its time.</summary>
    private static void ShouldHaveClock(TsReader reader, int pid)
    {
        long? last = null;
        var decoded = new Dictionary<int, int>();
        foreach (TsPacketSeen packet in reader.Packets)
        {
            if (packet.Pcr is { } pcr)
            {
                packet.Pid.ShouldBe(pid);
                if (last is { } before)
                    (pcr - before).ShouldBeInRange(1, 27_000_000 / 10);
                last = pcr;
            }

            if (!packet.HasPayload || !packet.IsStart || packet.Pid is 0 or PmtPid)
                continue;
            int index = decoded.GetValueOrDefault(packet.Pid);
            decoded[packet.Pid] = index + 1;
            TsPesSeen pes = reader.Pes(packet.Pid)[index];
            (((pes.Dts ?? pes.Pts) * 300) - last!.Value).ShouldBeGreaterThan(0);
        }

        last.ShouldNotBeNull();
    }

    private static long? PcrBehind(TsReader reader, TsPacketSeen packet) =>
        reader.Packets.SkipWhile(other => !ReferenceEquals(other, packet)).FirstOrDefault(static other => other.Pcr is not null)?.Pcr;

    private static byte[] LastNal(byte[] unit)
    {
        int at = 0, length = 0;
        for (; at < unit.Length; at += length)
        {
            length = (unit[at] << 24) | (unit[at + 1] << 16) | (unit[at + 2] << 8) | unit[at + 3];
            at += 4;
        }

        return unit[(at - length)..];
    }
}
