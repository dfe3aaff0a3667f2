using Millrace.Media.MpegTs;

namespace Millrace.Media.Tests.MpegTs;

/// <summary>PAT and PMT (ISO/IEC 13818-1 2.4.4).</summary>
public sealed class TsTablesTests
{
    [Fact]
    public void A_segment_begins_with_PAT_and_PMT_of_H264_and_AAC_byte_for_byte()
    {
        byte[] segment = new TsBench((TsBench.H264, 90_000), (TsBench.Aac, 48_000)).Segment(static _ => { });
        Hex.Of(segment.AsSpan(0, 21)).ShouldBe("47400010 00 00b00d0001c100000001f000 2ab104b2".Replace(" ", ""));
        segment.AsSpan(21, 167).IndexOfAnyExcept((byte)0xFF).ShouldBe(-1);
        Hex.Of(segment.AsSpan(188, 31)).ShouldBe("47500010 00 02b0170001c10000e100f000 1be100f000 0fe101f000 2f44b99b".Replace(" ", ""));
        segment.AsSpan(188 + 31, 157).IndexOfAnyExcept((byte)0xFF).ShouldBe(-1);
    }

    public static TheoryData<string, byte, string> Announcements => new()
    {
        { "h264", 0x1B, "" },
        { "hevc", 0x24, "0504 48455643" },
        { "aac", 0x0F, "" },
        { "mp3", 0x03, "" },
        { "mp3 at 24 kHz", 0x04, "" },
        { "ac3", 0x81, "0504 41432d33" },
        { "eac3", 0x87, "0504 45414333" },
        { "opus", 0x06, "0504 4f707573 7f02 8002" },
        { "opus 5.1", 0x06, "0504 4f707573 7f02 8006" },
    };

    [Theory]
    [MemberData(nameof(Announcements))]
    public void Each_codec_has_its_stream_type_and_descriptors(string what, byte type, string descriptors)
    {
        TsEntrySeen entry = EntryOf(ConfigOf(what), null);
        entry.StreamType.ShouldBe(type);
        entry.Descriptors.ShouldBe(descriptors.Replace(" ", ""));
    }

    [Theory]
    [InlineData("deu", "0a04 64657500")]
    [InlineData("ENG", "0a04 656e6700")]
    [InlineData("de", "")]
    [InlineData("d-e", "")]
    [InlineData(null, "")]
    public void A_language_of_three_letters_is_announced(string? language, string descriptors) =>
        EntryOf(TsBench.Aac, language).Descriptors.ShouldBe(descriptors.Replace(" ", ""));

    [Theory]
    [InlineData("h264 aac", 0x100, "100 101")]
    [InlineData("aac h264 ac3", 0x100, "101 100 102")]
    [InlineData("h264 hevc aac", 0x100, "100 101 102")]
    [InlineData("aac opus", 0x101, "101 102")]
    public void The_clock_is_on_the_first_picture_stream_or_else_on_the_first_stream(string tracks, int pcrPid, string pids)
    {
        (Config, int)[] list = [.. tracks.Split(' ').Select(static name => (ConfigOf(name), 90_000))];
        var (clock, streams) = new TsReader(new TsBench(list).Segment(static _ => { })).Pmt();
        clock.ShouldBe(pcrPid);
        string.Join(' ', streams.Select(static stream => $"{stream.Pid:x}")).ShouldBe(pids);
    }

    [Fact]
    public void A_map_of_many_tracks_takes_several_packets_and_still_a_multiple_of_16()
    {
        (Config, int)[] tracks = [.. Enumerable.Repeat((TsBench.Opus, 48_000), 40)];
        var reader = new TsReader(new TsBench(tracks).Segment(static _ => { }));
        reader.ShouldBeSegment();
        reader.Pmt().Streams.Count.ShouldBe(40);
        reader.PayloadPackets(0x1000).Count.ShouldBe(16);
        reader.Sections(0x1000).Count.ShouldBe(16 / 4);
    }

    [Fact]
    public void More_tracks_than_a_map_holds_are_refused()
    {
        (Config, int)[] tracks = [.. Enumerable.Repeat((TsBench.Opus, 48_000), 80)];
        Should.Throw<ArgumentException>(() => new TsBench(tracks));
    }

    [Theory]
    [InlineData(Codec.H264, true)]
    [InlineData(Codec.Hevc, true)]
    [InlineData(Codec.Aac, true)]
    [InlineData(Codec.Mp3, true)]
    [InlineData(Codec.Ac3, true)]
    [InlineData(Codec.Eac3, true)]
    [InlineData(Codec.Opus, true)]
    [InlineData(Codec.Av1, false)]
    [InlineData(Codec.Vp9, false)]
    [InlineData(Codec.Flac, false)]
    [InlineData(Codec.Amf, false)]
    public void Carries_what_receivers_of_transport_streams_know(Codec codec, bool can) => TsMuxer.CanCarry(codec).ShouldBe(can);

    [Theory]
    [InlineData("11905600", true)] // LC 48 kHz
    [InlineData("2b920800", true)] // SBR over LC
    [InlineData("b99000", false)] // ER AAC LD
    [InlineData("17800a8c10", false)] // LC at a rate that is not in the table
    public void Carries_AAC_that_ADTS_has_a_header_for(string record, bool can) =>
        TsMuxer.CanCarry(new Config { Codec = Codec.Aac, InitData = Hex.Bytes(record), CodecString = "" }).ShouldBe(can);

    [Fact]
    public void Does_not_carry_Opus_whose_channels_have_an_order_of_their_own()
    {
        byte[] head = [.. Vectors.OpusHeadSurround];
        head[^1] ^= 1;
        TsMuxer.CanCarry(TsBench.Parse(Codec.Opus, Vectors.OpusHeadSurround)).ShouldBeTrue();
        TsMuxer.CanCarry(TsBench.Parse(Codec.Opus, head)).ShouldBeFalse();
    }

    private static TsEntrySeen EntryOf(Config config, string? language)
    {
        var output = new System.Buffers.ArrayBufferWriter<byte>();
        new TsMuxer([new TsTrack(config.Codec, 90_000, language)], [config]).BeginSegment(output);
        return new TsReader(output.WrittenSpan).Pmt().Streams.ShouldHaveSingleItem();
    }

    private static Config ConfigOf(string what) => what switch
    {
        "h264" => TsBench.H264,
        "hevc" => TsBench.Hevc,
        "aac" => TsBench.Aac,
        "mp3" => TsBench.Mp3,
        "mp3 at 24 kHz" => TsBench.Audio(Codec.Mp3, 24_000, 576),
        "ac3" => TsBench.Ac3,
        "eac3" => TsBench.Eac3,
        "opus" => TsBench.Opus,
        _ => TsBench.Parse(Codec.Opus, Vectors.OpusHeadSurround),
    };
}
