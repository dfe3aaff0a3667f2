namespace Millrace.Media.Tests.MpegTs;

/// <summary>
/// Every counter of a segment starts at 0 and ends at 15, whatever the units are, and the data arrive as they were
/// (ISO/IEC 13818-1 2.4.3.3; a playlist may join any two segments).
/// </summary>
public sealed class TsCounterTests
{
    private const int VideoPid = 0x100, AudioPid = 0x101;

    public static TheoryData<int> Lengths
    {
        get
        {
            var lengths = new TheoryData<int>();
            for (int length = 1; length <= 400; length++)
                lengths.Add(length);
            foreach (int packets in (int[])[3, 15, 16, 17, 32, 100])
            {
                for (int more = -25; more <= 5; more++)
                    lengths.Add((packets * 184) + more);
            }

            lengths.Add(100_000);
            lengths.Add(65_535);
            return lengths;
        }
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void One_unit_of_any_length_fills_a_multiple_of_16_packets(int length)
    {
        foreach (Config audio in (Config[])[TsBench.Aac, TsBench.Opus, TsBench.Ac3])
        {
            if (audio.Codec == Codec.Aac && length > 8000)
                continue;
            byte[] picture = TsBench.Unit(Codec.H264, length), frame = TsBench.Unit(audio.Codec, length);
            var reader = new TsReader(new TsBench((TsBench.H264, 90_000), (audio, 48_000)).Segment(bench =>
            {
                bench.Write(0, picture, 0, isKey: true);
                bench.Write(1, frame, 0);
            }));
            reader.ShouldBeSegment();
            reader.Pes(VideoPid).ShouldHaveSingleItem().Data.AsSpan().EndsWith(picture.AsSpan(4)).ShouldBeTrue();
            reader.Pes(AudioPid).ShouldHaveSingleItem().Data.AsSpan().EndsWith(frame).ShouldBeTrue();
        }
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Units_of_one_length_fill_a_multiple_of_16_packets(int length)
    {
        // Mostly apart by more than a frame, so that each has a PES packet of its own.
        var bench = new TsBench((TsBench.H264, 90_000), (TsBench.Ac3, 48_000));
        int count = length > 10_000 ? 3 : 19;
        var reader = new TsReader(bench.Segment(bench =>
        {
            for (int i = 0; i < count; i++)
            {
                bench.Write(0, TsBench.Unit(Codec.H264, length, i), i * 9000);
                bench.Write(1, TsBench.Unit(Codec.Ac3, length, i), i * 4800);
            }
        }));
        reader.ShouldBeSegment();
        reader.Pes(VideoPid).Count.ShouldBe(count);
        reader.Pes(AudioPid).Count.ShouldBe(count);
        for (int i = 0; i < count; i++)
        {
            reader.Pes(VideoPid)[i].Data.AsSpan().EndsWith(TsBench.Unit(Codec.H264, length, i).AsSpan(4)).ShouldBeTrue();
            reader.Pes(AudioPid)[i].Data.ShouldBe(TsBench.Unit(Codec.Ac3, length, i));
        }
    }

    [Fact]
    public void Random_units_arrive_whole_and_any_two_segments_join()
    {
        var random = new Random(20261120);
        var bench = new TsBench((TsBench.Hevc, 90_000), (TsBench.Aac, 48_000), (TsBench.Opus, 48_000));
        var joined = new List<byte>();
        for (int segment = 0; segment < 60; segment++)
        {
            // Some have tiny units only.
            int limit = random.Next(3) switch { 0 => 4, 1 => 300, _ => 5000 };
            var sent = new List<byte>[3];
            bench.Begin();
            for (int track = 0; track < 3; track++)
                sent[track] = [];
            for (int i = random.Next(60); i > 0; i--)
            {
                int track = random.Next(3);
                byte[] unit = TsBench.Unit(track == 0 ? Codec.Hevc : Codec.Aac, random.Next(1, limit), random.Next());
                bench.Write(track, unit, (segment * 100_000) + ((60 - i) * random.Next(900, 1100)), isKey: random.Next(9) == 0);
                sent[track].AddRange(track == 0 ? unit.AsSpan(4) : unit);
            }

            byte[] bytes = bench.End();
            var reader = new TsReader(bytes);
            reader.ShouldBeSegment();
            Elementary.FromHevc(reader.Pes(0x100)).ShouldBe(sent[0]);
            Elementary.FromAdts(reader.Pes(0x101)).SelectMany(static frame => frame).ShouldBe(sent[1]);
            Elementary.FromOpus(reader.Pes(0x102)).SelectMany(static frame => frame).ShouldBe(sent[2]);
            joined.AddRange(bytes);
        }

        new TsReader(joined.ToArray()).ShouldBeContinuous();
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(15, false)]
    [InlineData(16, true)]
    [InlineData(400, true)]
    public void A_PES_header_is_divided_only_where_nothing_else_is_left_to_stretch(int length, bool isWhole)
    {
        var reader = new TsReader(new TsBench((TsBench.Ac3, 48_000)).Segment(bench => bench.Write(0, TsBench.Unit(Codec.Ac3, length), 0)));
        reader.Pes(AudioPid).ShouldHaveSingleItem().HeaderInFirst.ShouldBe(isWhole);
    }

    [Fact]
    public void A_short_last_unit_is_stretched_together_with_those_before_it()
    {
        var reader = new TsReader(new TsBench((TsBench.Ac3, 48_000)).Segment(static bench =>
        {
            bench.Write(0, TsBench.Unit(Codec.Ac3, 1000), 0);
            for (int i = 1; i < 4; i++)
                bench.Write(0, TsBench.Unit(Codec.Ac3, 3), i * 4800);
        }));
        reader.ShouldBeSegment();
        reader.Pes(AudioPid).Select(static pes => pes.Data.Length).ShouldBe([1000, 3, 3, 3]);
        reader.Pes(AudioPid).ShouldAllBe(static pes => pes.HeaderInFirst);
    }

    [Fact]
    public void A_track_without_a_unit_has_no_packet()
    {
        var reader = new TsReader(new TsBench((TsBench.H264, 90_000), (TsBench.Aac, 48_000)).Segment(
            static bench => bench.Write(0, TsBench.Unit(Codec.H264, 50), 0, isKey: true)));
        reader.ShouldBeSegment();
        reader.Pids.ShouldBe([0, 0x1000, VideoPid]);
    }

    [Fact]
    public void A_muxer_that_wrote_other_segments_makes_the_same_bytes_as_a_new_one()
    {
        (List<Config> configs, List<ClipUnit> units) = TsBench.LoadClip();
        TsBench Fresh() => new((configs[0], 1000), (configs[1], 1000));
        void Half(TsBench bench, bool first)
        {
            foreach (ClipUnit unit in units.Where(unit => unit.Dts < 5000 == first))
                bench.Write(unit.Track, unit.Payload, unit.Dts, unit.Dts + unit.CompositionTime, unit.IsKey);
        }

        byte[] expected = Fresh().Segment(bench => Half(bench, first: false));
        TsBench used = Fresh();
        used.Segment(bench => Half(bench, first: true));
        used.Segment(bench => Half(bench, first: false)).ShouldBe(expected);

        TsBench interrupted = Fresh();
        interrupted.Begin();
        Half(interrupted, first: true);
        interrupted.Segment(bench => Half(bench, first: false)).ShouldBe(expected);
    }

    [Fact]
    public void A_unit_is_written_when_the_next_of_its_track_comes()
    {
        var bench = new TsBench((TsBench.H264, 90_000), (TsBench.Aac, 48_000));
        bench.Begin();
        int tables = bench.Written;
        bench.Write(0, TsBench.Unit(Codec.H264, 1000), 0, isKey: true);
        bench.Written.ShouldBe(tables);
        bench.Write(1, TsBench.Unit(Codec.Aac, 100), 0);
        bench.Written.ShouldBe(tables);
        bench.Write(0, TsBench.Unit(Codec.H264, 1000), 3600);
        bench.Written.ShouldBe(tables + (6 * 188));
    }

    [Fact]
    public void Units_that_cannot_be_carried_are_left_out()
    {
        byte[] nothing = new TsBench((TsBench.Aac, 48_000)).Segment(static _ => { });
        new TsBench((TsBench.Aac, 48_000)).Segment(static bench =>
        {
            bench.Write(0, [], 0);
            bench.Write(0, new byte[8185], 0);
        }).ShouldBe(nothing);
    }

    [Fact]
    public void Writing_allocates_nothing_once_its_buffers_have_grown()
    {
        // Opus rather than AAC, whose table of rates costs an allocation in code that is not optimised.
        var bench = new TsBench((TsBench.H264, 90_000), (TsBench.Opus, 48_000));
        byte[] picture = TsBench.Unit(Codec.H264, 20_000), frame = TsBench.Unit(Codec.Opus, 300);
        void Write(TsBench bench)
        {
            for (int i = 0; i < 50; i++)
            {
                bench.Write(0, picture, i * 3600, isKey: i == 0);
                bench.Write(1, frame, i * 1920);
                bench.Write(1, frame, (i * 1920) + 960);
            }
        }

        // Twice: for the buffers, and for what the runtime makes once.
        bench.Segment(Write);
        bench.Segment(Write);
        bench.Begin();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Write(bench);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }
}
