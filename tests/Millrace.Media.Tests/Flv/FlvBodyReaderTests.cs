using Millrace.Media.Flv;

namespace Millrace.Media.Tests.Flv;

public sealed class FlvBodyReaderTests
{
    private const string Avc1 = "61766331", Hvc1 = "68766331", Av01 = "61763031", Vp09 = "76703039", Mp4a = "6d703461", Opus = "4f707573";

    /// <summary>One body of each form, audio and video mixed.</summary>
    internal static string[] Bodies =>
    [
        "17000000000164000b", "27010000280000000165", "17020000", "af001210", "af012110", "2ffffb5400",
        "90" + Hvc1 + "0101", "a1" + Hvc1 + "ffffd8aa", "93" + Avc1 + "aabb", "94" + Av01 + "02", "d100",
        "97 02 0f4240 01" + Av01 + "aabb", "97 ff 00ff" + new string('0', 512) + "13" + Avc1 + "aa",
        "96 01" + Avc1 + "01 00002800", "96 11" + Avc1 + "00 000004 000028aa 01 000005 000000bbcc",
        "96 23" + Avc1 + "00 000002 aabb" + Vp09 + "01 000001 cc",
        "95 21" + Mp4a + "00 000001 aa" + Opus + "01 000002 bbcc", "94" + Opus + "0102 00000003",
    ];

    [Theory]
    // legacy
    [InlineData("17000000000164000b", "H264 SequenceStart key 0 0 0164000b")]
    [InlineData("27010000280000000165", "H264 Frames - 40 0 0000000165")]
    [InlineData("2701ffffd8 aa", "H264 Frames - -40 0 aa")]
    [InlineData("3701000000aa", "H264 Frames disposable 0 0 aa")]
    [InlineData("4701000000aa", "H264 Frames key 0 0 aa")]
    [InlineData("1702000000", "H264 SequenceEnd key 0 0 ")]
    [InlineData("1702", "H264 SequenceEnd key 0 0 ")]
    [InlineData("1c0000000001", "Hevc SequenceStart key 0 0 01")]
    [InlineData("2c01000010aa", "Hevc Frames - 16 0 aa")]
    [InlineData("5200", "None Command - 0 0 00")]
    [InlineData("570000000001", "H264 Command - 0 0 01")]
    // enhanced
    [InlineData("90" + Hvc1 + "0101", "Hevc SequenceStart key 0 0 0101")]
    [InlineData("a1" + Hvc1 + "ffffd8aa", "Hevc Frames - -40 0 aa")]
    [InlineData("a1" + Avc1 + "7fffffaa", "H264 Frames - 8388607 0 aa")]
    [InlineData("a1" + Avc1 + "800000aa", "H264 Frames - -8388608 0 aa")]
    [InlineData("93" + Avc1 + "aabb", "H264 Frames key 0 0 aabb")]
    [InlineData("91" + Av01 + "0a0b", "Av1 Frames key 0 0 0a0b")]
    [InlineData("b1" + Vp09 + "8600", "Vp9 Frames disposable 0 0 8600")]
    [InlineData("92" + Av01, "Av1 SequenceEnd key 0 0 ")]
    [InlineData("94" + Av01 + "0200", "Av1 Metadata key 0 0 0200")]
    [InlineData("d4" + Av01 + "0200", "Av1 Metadata - 0 0 0200")]
    [InlineData("95" + Av01 + "80", "Av1 Mpeg2TsSequenceStart key 0 0 80")]
    [InlineData("d101", "None Command - 0 0 01")]
    // ModEx: nanoseconds, an unknown one before them, 16-bit size
    [InlineData("97 02 07a120 01" + Av01 + "aa", "Av1 Frames key 0 0 aa", 500_000)]
    [InlineData("97 00 ff f7 02 00000a 03" + Avc1 + "aa", "H264 Frames key 0 0 aa", 10)]
    [InlineData("97 ff 0002 000007 01" + Av01 + "aa", "Av1 Frames key 0 0 aa", 7)]
    // multitrack
    [InlineData("96 01" + Avc1 + "05 000028 aa", "H264 Frames key 40 5 aa")]
    [InlineData("96 11" + Avc1 + "00 000004 000028aa 01 000005 000000bbcc", "H264 Frames key 40 0 aa|H264 Frames key 0 1 bbcc")]
    [InlineData("96 23" + Avc1 + "00 000002 aabb" + Vp09 + "01 000001 cc", "H264 Frames key 0 0 aabb|Vp9 Frames key 0 1 cc")]
    [InlineData("", "")]
    public void Video(string body, string payloads, int nanoOffset = 0) => Check(TrackKind.Video, body, payloads, nanoOffset);

    [Theory]
    [InlineData("af001210", "Aac SequenceStart key 0 0 1210")]
    [InlineData("af012110", "Aac Frames key 0 0 2110")]
    [InlineData("2ffffb5400", "Mp3 Frames key 0 0 fffb5400")]
    [InlineData("e2ffe338c0", "Mp3 Frames key 0 0 ffe338c0")]
    [InlineData("90" + Opus + "4f", "Opus SequenceStart key 0 0 4f")]
    [InlineData("91" + Opus + "fc", "Opus Frames key 0 0 fc")]
    [InlineData("91 2e6d7033 ff", "Mp3 Frames key 0 0 ff")]
    [InlineData("91 61632d33 0b", "Ac3 Frames key 0 0 0b")]
    [InlineData("91 65632d33 0b", "Eac3 Frames key 0 0 0b")]
    [InlineData("91 664c6143 ff", "Flac Frames key 0 0 ff")]
    [InlineData("92" + Opus, "Opus SequenceEnd key 0 0 ")]
    [InlineData("94" + Opus + "0102 00000003", "Opus MultichannelConfig key 0 0 010200000003")]
    [InlineData("97 02 0f423f 01" + Opus + "fc", "Opus Frames key 0 0 fc", 999_999)]
    [InlineData("95 01" + Mp4a + "03 2110", "Aac Frames key 0 3 2110")]
    [InlineData("95 21" + Mp4a + "00 000001 aa" + Opus + "01 000002 bbcc", "Aac Frames key 0 0 aa|Opus Frames key 0 1 bbcc")]
    public void Audio(string body, string payloads, int nanoOffset = 0) => Check(TrackKind.Audio, body, payloads, nanoOffset);

    [Theory]
    [InlineData(TrackKind.Video, "1200", "video codec id 2 ")]
    [InlineData(TrackKind.Video, "1701", "cut short")]
    [InlineData(TrackKind.Video, "1703000000", "packet type 3 ")]
    [InlineData(TrackKind.Video, "90 76703038 00", "'vp08'")]
    [InlineData(TrackKind.Video, "90 0a703038 00", "0x0A703038")]
    [InlineData(TrackKind.Video, "90" + Mp4a + "00", "Video FourCC 'mp4a'")]
    [InlineData(TrackKind.Video, "9161", "FourCC")]
    [InlineData(TrackKind.Video, "91" + Hvc1 + "0000", "composition time")]
    [InlineData(TrackKind.Video, "98" + Hvc1 + "00", "packet type 8 ")]
    [InlineData(TrackKind.Video, "9705", "ModEx")]
    [InlineData(TrackKind.Video, "96 31" + Avc1 + "00", "multitrack type 3 ")]
    [InlineData(TrackKind.Video, "96 06" + Avc1 + "00", "packet type 6 ")]
    [InlineData(TrackKind.Video, "96 13" + Avc1 + "00 ffffff aa", "cut short")]
    [InlineData(TrackKind.Audio, "b2aa", "audio codec id 11 ")]
    [InlineData(TrackKind.Audio, "af", "cut short")]
    [InlineData(TrackKind.Audio, "af02", "packet type 2 ")]
    [InlineData(TrackKind.Audio, "93" + Opus + "00", "packet type 3 ")]
    public void What_cannot_be_read_is_named(TrackKind kind, string body, string reason)
    {
        var reader = new FlvBodyReader(kind, Hex.Bytes(body));
        reader.TryRead(out _).ShouldBeFalse();
        reader.Error.ShouldNotBeNull().ShouldContain(reason);
        reader.TryRead(out _).ShouldBeFalse();
    }

    [Fact]
    public void Tracks_before_a_malformed_one_are_delivered()
    {
        var reader = new FlvBodyReader(TrackKind.Video, Hex.Bytes("96 13" + Avc1 + "00 000001 aa 01 000009 bb"));
        reader.TryRead(out FlvPayload first).ShouldBeTrue();
        Hex.Of(first.Data).ShouldBe("aa");
        reader.TryRead(out _).ShouldBeFalse();
        reader.Error.ShouldNotBeNull();
    }

    private static void Check(TrackKind kind, string body, string expected, int nanoOffset)
    {
        var seen = new List<string>();
        var reader = new FlvBodyReader(kind, Hex.Bytes(body));
        while (reader.TryRead(out FlvPayload payload))
        {
            payload.Kind.ShouldBe(kind);
            payload.TimestampNanoOffset.ShouldBe(nanoOffset);
            string flag = payload.IsKey ? "key" : payload.IsDisposable ? "disposable" : "-";
            seen.Add($"{payload.Codec} {payload.Type} {flag} {payload.CompositionTimeMs} {payload.TrackId} {Hex.Of(payload.Data)}");
        }

        reader.Error.ShouldBeNull();
        string.Join('|', seen).ShouldBe(expected);
    }
}
