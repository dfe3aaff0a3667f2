namespace Millrace.Media.Tests.MpegTs;

/// <summary>What access units look like in a transport stream, and their times.</summary>
public sealed class TsUnitTests
{
    private const int VideoPid = 0x100, AudioPid = 0x101;
    private const long Offset = 126_000, ClockOffset = 63_000, Wrap = 1L << 33;

    [Fact]
    public void An_H264_key_frame_follows_its_delimiter_and_parameter_sets()
    {
        TsPesSeen pes = OneOf(TsBench.H264, Vectors.Unit(Vectors.AvcIdr), isKey: true);
        pes.StreamId.ShouldBe((byte)0xE0);
        pes.IsAligned.ShouldBeTrue();
        pes.IsRandomAccess.ShouldBeTrue();
        Hex.Of(pes.Data).ShouldBe(
            "00000001 09f0  00000001 6764000bacd9428df930110000030001000003003c0f142996  00000001 68ef8fcb  00000001 6588843a0c61"
                .Replace(" ", ""));
    }

    [Fact]
    public void An_HEVC_key_frame_follows_its_delimiter_and_parameter_sets()
    {
        TsPesSeen pes = OneOf(TsBench.Hevc, Vectors.Unit(Vectors.HevcIdr), isKey: true);
        pes.StreamId.ShouldBe((byte)0xE0);
        List<byte[]> nals = Elementary.Nals(pes.Data);
        Hex.Of(nals[0]).ShouldBe("460150");
        nals.ConvertAll(static nal => nal[0] >> 1).ShouldBe([35, 32, 33, 34, 19 + 1]);
        nals[^1].ShouldBe(Vectors.HevcIdr);
    }

    [Fact]
    public void SEI_of_an_hvcC_goes_with_the_parameter_sets_unless_it_belongs_behind_a_picture()
    {
        // One array more, of a suffix SEI; the 23rd byte counts the arrays.
        byte[] record = [.. Vectors.Hevc422, 0x28, 0, 1, 0, 3, 0x50, 1, 0x80];
        record[22]++;
        TsPesSeen pes = OneOf(TsBench.Parse(Codec.Hevc, record), Vectors.Unit(Vectors.HevcIdr), isKey: true);
        Elementary.Nals(pes.Data).ConvertAll(static nal => nal[0] >> 1).ShouldBe([35, 32, 33, 34, 39, 19 + 1]);
    }

    [Fact]
    public void Parameter_sets_come_with_key_frames_and_with_the_first_picture_of_a_segment()
    {
        var reader = new TsReader(new TsBench((TsBench.H264, 90_000)).Segment(static bench =>
        {
            for (int i = 0; i < 5; i++)
                bench.Write(0, Vectors.Unit(i == 3 ? Vectors.AvcIdr : Vectors.AvcSlice), i * 3600, isKey: i == 3);
        }));
        List<TsPesSeen> pes = reader.Pes(VideoPid);
        pes.ConvertAll(static picture => Elementary.Nals(picture.Data).Count).ShouldBe([4, 2, 2, 4, 2]);
        pes.ConvertAll(static picture => picture.IsRandomAccess).ShouldBe([false, false, false, true, false]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void Length_prefixes_of_any_size_become_start_codes(int size)
    {
        byte[] record = [.. Vectors.AvcHigh];
        record[4] = (byte)(0xFC | (size - 1));
        byte[] prefix = new byte[size - 1];
        TsPesSeen pes = OneOf(TsBench.Parse(Codec.H264, record), [.. prefix, 2, 0x41, 7, .. prefix, 3, 0x41, 8, 9], isKey: false);
        Hex.Of(pes.Data).ShouldEndWith("00000001" + "4107" + "00000001" + "410809");
    }

    [Fact]
    public void A_picture_with_a_damaged_length_ends_before_the_damage()
    {
        TsPesSeen pes = OneOf(TsBench.H264, [0, 0, 0, 2, 0x41, 7, 0, 0, 0, 9, 0x41, 8], isKey: false);
        Hex.Of(pes.Data).ShouldEndWith("00000001" + "4107");
    }

    [Theory]
    [InlineData("1190", "fff14c8001bffc")] // LC 48 kHz stereo
    [InlineData("2b118800", "fff1588001bffc")] // SBR over LC 24 kHz: the core
    [InlineData("eb098800", "fff1584001bffc")] // PS over LC 24 kHz mono: the core
    public void An_AAC_frame_has_an_ADTS_header_of_its_core(string record, string header)
    {
        TsPesSeen pes = OneOf(TsBench.Parse(Codec.Aac, Hex.Bytes(record)), [1, 2, 3, 4, 5, 6], isKey: false);
        pes.StreamId.ShouldBe((byte)0xC0);
        Hex.Of(pes.Data).ShouldBe(header + "010203040506");
    }

    [Theory]
    [InlineData(1, "7fe001")]
    [InlineData(254, "7fe0fe")]
    [InlineData(255, "7fe0ff00")]
    [InlineData(600, "7fe0ffff5a")]
    public void An_Opus_packet_has_a_control_header_with_its_size(int length, string header)
    {
        byte[] packet = TsBench.Unit(Codec.Opus, length);
        TsPesSeen pes = OneOf(TsBench.Opus, packet, isKey: false);
        pes.StreamId.ShouldBe((byte)0xBD);
        Hex.Of(pes.Data).ShouldBe(header + Hex.Of(packet));
    }

    [Theory]
    [InlineData(Codec.Mp3, 0xC0)]
    [InlineData(Codec.Ac3, 0xBD)]
    [InlineData(Codec.Eac3, 0xBD)]
    public void Frames_of_other_codecs_stay_as_they_are(Codec codec, byte streamId)
    {
        byte[] frame = TsBench.Unit(codec, 700);
        TsPesSeen pes = OneOf(TsBench.Audio(codec, 48_000, 1152), frame, isKey: false);
        pes.StreamId.ShouldBe(streamId);
        pes.Data.ShouldBe(frame);
    }

    [Theory]
    [InlineData(65_535, 65_535)]
    [InlineData(65_536, 0)]
    public void A_picture_too_long_for_the_PES_length_has_none(int length, int declared)
    {
        // Flags and times, delimiter, parameter sets, start code and NAL header take the rest.
        int overhead = 8 + 6 + 37 + 5;
        TsPesSeen pes = OneOf(TsBench.H264, TsBench.Unit(Codec.H264, length - overhead), isKey: false);
        pes.DeclaredLength.ShouldBe(declared);
    }

    [Fact]
    public void A_unit_of_16_MB_arrives_whole()
    {
        byte[] unit = TsBench.Unit(Codec.H264, (16 << 20) - 5);
        TsPesSeen pes = OneOf(TsBench.H264, unit, isKey: true);
        pes.Data.AsSpan().EndsWith(unit.AsSpan(4)).ShouldBeTrue();
    }

    [Fact]
    public void Audio_frames_share_a_PES_packet_for_up_to_100_ms()
    {
        byte[][] frames = [.. Enumerable.Range(0, 10).Select(static i => TsBench.Unit(Codec.Aac, 50 + i, i))];
        var reader = new TsReader(new TsBench((TsBench.Aac, 48_000)).Segment(bench =>
        {
            for (int i = 0; i < frames.Length; i++)
                bench.Write(0, frames[i], i * 1024);
        }));
        List<TsPesSeen> pes = reader.Pes(AudioPid);
        pes.ConvertAll(static packet => packet.Pts - Offset).ShouldBe([0, 4 * 1920, 8 * 1920]);
        Elementary.FromAdts(pes).ShouldBe(frames);
        pes.ConvertAll(static packet => packet.IsRandomAccess).ShouldBe([true, false, false]);
    }

    [Theory]
    [InlineData(48, 1)] // 1 ms
    [InlineData(49, 2)]
    [InlineData(-48, 1)]
    [InlineData(-49, 2)]
    public void An_audio_frame_off_its_place_has_a_time_of_its_own(int slip, int count)
    {
        var reader = new TsReader(new TsBench((TsBench.Aac, 48_000)).Segment(bench =>
        {
            bench.Write(0, TsBench.Unit(Codec.Aac, 50), 0);
            bench.Write(0, TsBench.Unit(Codec.Aac, 50), 1024 + slip);
        }));
        reader.Pes(AudioPid).Count.ShouldBe(count);
    }

    [Fact]
    public void Large_audio_frames_do_not_share_beyond_8_KB()
    {
        var reader = new TsReader(new TsBench((TsBench.Ac3, 48_000)).Segment(static bench =>
        {
            for (int i = 0; i < 3; i++)
                bench.Write(0, TsBench.Unit(Codec.Ac3, 3840), i * 1536);
        }));
        reader.Pes(AudioPid).ConvertAll(static pes => pes.Data.Length).ShouldBe([7680, 3840]);
    }

    [Fact]
    public void Beside_pictures_audio_is_no_point_of_random_access()
    {
        var reader = new TsReader(new TsBench((TsBench.H264, 90_000), (TsBench.Aac, 48_000)).Segment(
            static bench => bench.Write(1, TsBench.Unit(Codec.Aac, 50), 0)));
        reader.Pes(AudioPid).ShouldHaveSingleItem().IsRandomAccess.ShouldBeFalse();
    }

    [Fact]
    public void Pictures_in_decoding_order_keep_both_times_and_need_no_DTS_where_they_are_equal()
    {
        (long Dts, long Pts)[] times = [(0, 7200), (3600, 18_000), (7200, 10_800), (10_800, 10_800), (14_400, 14_400)];
        var reader = new TsReader(new TsBench((TsBench.H264, 90_000)).Segment(bench =>
        {
            foreach ((long dts, long pts) in times)
                bench.Write(0, TsBench.Unit(Codec.H264, 300), dts, pts);
        }));
        reader.Pes(VideoPid).ConvertAll(static pes => ((pes.Dts ?? pes.Pts) - Offset, pes.Pts - Offset)).ShouldBe(times);
        reader.Pes(VideoPid).ConvertAll(static pes => pes.Dts is null).ShouldBe([false, false, false, true, true]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(Wrap - ClockOffset)]
    [InlineData(Wrap - Offset)]
    [InlineData(Wrap - Offset - 3600)]
    [InlineData((7 * Wrap) - Offset)]
    [InlineData(-3600)]
    public void Times_are_cut_to_33_bits(long start)
    {
        var reader = new TsReader(new TsBench((TsBench.H264, 90_000)).Segment(bench =>
        {
            for (int i = 0; i < 3; i++)
                bench.Write(0, TsBench.Unit(Codec.H264, 300), start + (i * 3600), start + (i * 3600) + 7200);
        }));
        List<long> clocks = [.. reader.Packets.Where(static packet => packet.Pcr is not null).Select(static packet => packet.Pcr!.Value / 300)];
        for (int i = 0; i < 3; i++)
        {
            TsPesSeen pes = reader.Pes(VideoPid)[i];
            long dts = start + (i * 3600) + (8 * Wrap);
            (pes.Dts, pes.Pts, clocks[i]).ShouldBe(((dts + Offset) % Wrap, (dts + 7200 + Offset) % Wrap, (dts + ClockOffset) % Wrap));
        }
    }

    private static TsPesSeen OneOf(Config config, byte[] unit, bool isKey)
    {
        var reader = new TsReader(new TsBench((config, 90_000)).Segment(bench => bench.Write(0, unit, 0, isKey: isKey)));
        reader.ShouldBeSegment();
        return reader.Pes(config.Kind == TrackKind.Video ? VideoPid : AudioPid).ShouldHaveSingleItem();
    }
}
