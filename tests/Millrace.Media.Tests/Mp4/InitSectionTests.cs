using Millrace.Media.Codecs;
using Millrace.Media.Mp4;

namespace Millrace.Media.Tests.Mp4;

public sealed class InitSectionTests
{
    private const string Matrix = "00010000 000000000000000000000000 00010000 000000000000000000000000 40000000";
    private const string EmptyTables =
        "00000010 73747473 0000000000000000 00000010 73747363 0000000000000000"
        + "00000014 7374737a 000000000000000000000000 00000010 7374636f 0000000000000000";

    private const string DataReference = "00000024 64696e66 0000001c 64726566 00000000 00000001 0000000c 75726c20 00000001";
    private const string Extends = "00000028 6d766578 00000020 74726578 00000000 00000001 00000001 000000000000000000000000";

    [Fact]
    public void Video_is_written_byte_for_byte()
    {
        string entry = VideoEntry("0000008a 61766331", "00a0005a", "00000034 61766343" + Hex.Of(Vectors.AvcHigh));
        Hex.Of(InitSection.Write(Parse(Codec.H264, Vectors.AvcHigh), 90_000, null)).ShouldBe(Joined(
            "00000018 66747970 69736f36 00000000 69736f36 636d6663",
            "0000026f 6d6f6f76",
            "0000006c 6d766864 00000000 0000000000000000 00015f90 00000000 00010000 0100 00000000000000000000", Matrix,
            "000000000000000000000000000000000000000000000000 00000002",
            "000001d3 7472616b",
            "0000005c 746b6864 00000003 0000000000000000 00000001 00000000 00000000 0000000000000000 0000 0000 0000 0000", Matrix,
            "00a00000 005a0000",
            "0000016f 6d646961",
            "00000020 6d646864 00000000 0000000000000000 00015f90 00000000 55c4 0000",
            "00000021 68646c72 00000000 00000000 76696465 000000000000000000000000 00",
            "00000126 6d696e66",
            "00000014 766d6864 00000001 0000000000000000", DataReference,
            "000000e6 7374626c 0000009a 73747364 00000000 00000001", entry, EmptyTables, Extends));
    }

    [Fact]
    public void Audio_is_written_byte_for_byte()
    {
        string entry = AudioEntry("0000005a 6d703461", "0002 0010 00000000 bb80 0000",
            "00000036 65736473 00000000 03 80808025 0000 00 04 80808017 40 15 000000 00000000 00000000 05 80808005 119056e500 06 80808001 02");
        Hex.Of(InitSection.Write(Parse(Codec.Aac, Vectors.AacLc48Stereo), 48_000, "en-GB")).ShouldBe(Joined(
            "00000018 66747970 69736f36 00000000 69736f36 636d6663",
            "0000023b 6d6f6f76",
            "0000006c 6d766864 00000000 0000000000000000 0000bb80 00000000 00010000 0100 00000000000000000000", Matrix,
            "000000000000000000000000000000000000000000000000 00000002",
            "0000019f 7472616b",
            "0000005c 746b6864 00000003 0000000000000000 00000001 00000000 00000000 0000000000000000 0000 0000 0100 0000", Matrix,
            "00000000 00000000",
            "0000013b 6d646961",
            "00000020 6d646864 00000000 0000000000000000 0000bb80 00000000 15c7 0000",
            "00000021 68646c72 00000000 00000000 736f756e 000000000000000000000000 00",
            "000000f2 6d696e66",
            "00000010 736d6864 00000000 00000000", DataReference,
            "000000b6 7374626c 0000006a 73747364 00000000 00000001", entry, EmptyTables, Extends));
    }

    public static TheoryData<Codec, byte[], string> VideoEntries => new()
    {
        { Codec.Hevc, Vectors.HevcMain, VideoEntry("000000cd 68766331", "00a0005a", "00000077 68766343" + Hex.Of(Vectors.HevcMain)) },
        { Codec.Av1, Vectors.Av1Main, VideoEntry("0000006e 61763031", "00a0005a", "00000018 61763143 81000c00 0a0a00000003b4fd900be001") },
        { Codec.Vp9, Vectors.VpcC, VideoEntry("0000006a 76703039", "00a0005a", "00000014 76706343 01000000 000a820202020000") },
    };

    [Theory]
    [MemberData(nameof(VideoEntries))]
    public void Video_sample_entry(Codec codec, byte[] record, string entry)
    {
        Config config = Parse(codec, record);
        if (codec == Codec.Vp9)
            Vp9.TryParseConfigFromFrame(Vectors.Vp9Key, config, out config!, out _).ShouldBeTrue();
        EntryOf(InitSection.Write(config, 90_000, null)).ShouldBe(Joined(entry));
    }

    public static TheoryData<Codec, byte[], string> AudioEntries => new()
    {
        {
            Codec.Mp3, Hex.Bytes("fffb5400"), AudioEntry("00000050 6d703461", "0002 0010 00000000 bb80 0000",
                "0000002c 65736473 00000000 03 8080801b 0000 00 04 8080800d 6b 15 000000 00000000 00000000 06 80808001 02")
        },
        {
            Codec.Mp3, Hex.Bytes("fff370c0"), AudioEntry("00000050 6d703461", "0001 0010 00000000 5622 0000",
                "0000002c 65736473 00000000 03 8080801b 0000 00 04 8080800d 69 15 000000 00000000 00000000 06 80808001 02")
        },
        {
            Codec.Opus, Vectors.OpusHead,
            AudioEntry("00000037 4f707573", "0002 0010 00000000 bb80 0000", "00000013 644f7073 00 02 0138 0000bb80 0000 00")
        },
        {
            Codec.Opus, Vectors.OpusHeadSurround,
            AudioEntry("0000003f 4f707573", "0006 0010 00000000 bb80 0000", "0000001b 644f7073 00 06 0138 0000bb80 0000 01 04 02 000401020305")
        },
        { Codec.Ac3, Vectors.Ac3Surround, AudioEntry("0000002f 61632d33", "0006 0010 00000000 bb80 0000", "0000000b 64616333 103de0") },
        { Codec.Eac3, Vectors.Eac3Surround, AudioEntry("00000031 65632d33", "0006 0010 00000000 bb80 0000", "0000000d 64656333 0e00 200f00") },
        {
            Codec.Flac, Vectors.FlacStart, AudioEntry("00000056 664c6143", "0002 0010 00000000 bb80 0000",
                "00000032 64664c61 00000000 80000022 120012000000c70005110bb802f000002580d9b81de011fef694f3e1d33694c8ae61")
        },
    };

    [Fact]
    public void Flac_says_how_many_bits_its_samples_have()
    {
        byte[] stream = [.. Vectors.FlacStart];
        stream[20] = 0x03;
        stream[21] = 0x70;
        EntryOf(InitSection.Write(Parse(Codec.Flac, stream), 48_000, null)).Substring(2 * 26, 4).ShouldBe("0018");
    }

    [Theory]
    [MemberData(nameof(AudioEntries))]
    public void Audio_sample_entry(Codec codec, byte[] source, string entry) =>
        EntryOf(InitSection.Write(Parse(codec, source), 48_000, null)).ShouldBe(Joined(entry));

    [Theory]
    [InlineData(96_000, "bb80")]
    [InlineData(192_000, "bb80")]
    [InlineData(88_200, "ac44")]
    [InlineData(8_000, "1f40")]
    public void A_rate_beyond_16_bits_is_halved_until_it_fits(int rate, string field)
    {
        Aac.TryBuildConfig(Aac.LowComplexity, rate, 2, out Config? config, out _).ShouldBeTrue();
        EntryOf(InitSection.Write(config, rate, null)).Substring(2 * 32, 4).ShouldBe(field);
    }

    [Fact]
    public void Every_codec_has_the_same_tree_and_av1_its_brand()
    {
        foreach (Config config in AllCodecs())
        {
            List<Box> boxes = Box.Read(InitSection.Write(config, 90_000, "fr"));
            string header = config.Kind == TrackKind.Video ? "vmhd" : "smhd";
            Box.Outline(boxes).ShouldBe(
                $"ftyp moov(mvhd trak(tkhd mdia(mdhd hdlr minf({header} dinf(dref) stbl(stsd stts stsc stsz stco)))) mvex(trex))");
            Box.Find(boxes, "moov/trak/mdia/mdhd").UInt32(12).ShouldBe(90_000u);
            Hex.Of(Box.Find(boxes, "ftyp").Body)[32..].ShouldBe(config.Codec == Codec.Av1 ? "61763031" : "");
        }
    }

    [Fact]
    public void Codec_strings_are_those_that_players_know() =>
        AllCodecs().Select(InitSection.CodecString).ShouldBe([
            "avc1.64000b", "hvc1.1.6.L30.90", "av01.0.00M.08", "vp09.00.10.08.01.02.02.02.00",
            "mp4a.40.2", "mp4a.6B", "mp4a.69", "opus", "ac-3", "ec-3", "fLaC"]);

    [Theory]
    [InlineData(null, "und")]
    [InlineData("", "und")]
    [InlineData("deu", "deu")]
    [InlineData("de", "deu")]
    [InlineData("pt-BR", "por")]
    [InlineData("zh_Hant", "zho")]
    [InlineData("EN", "eng")]
    [InlineData("aa", "aar")]
    [InlineData("zu", "zul")]
    [InlineData("xx", "und")]
    [InlineData("e", "und")]
    [InlineData("english", "und")]
    [InlineData("d1", "und")]
    [InlineData("éné", "und")]
    public void Language_is_three_letters_of_five_bits(string? tag, string letters)
    {
        List<Box> boxes = Box.Read(InitSection.Write(Parse(Codec.Aac, Vectors.AacLc48Stereo), 48_000, tag));
        uint packed = Box.Find(boxes, "moov/trak/mdia/mdhd").UInt32(20) >> 16;
        string.Concat(new[] { 10, 5, 0 }.Select(shift => (char)(((packed >> shift) & 0x1F) + 0x60))).ShouldBe(letters);
    }

    [Fact]
    public void Data_has_no_place_in_it()
    {
        InitSection.CanCarry(Codec.Amf).ShouldBeFalse();
        InitSection.CanCarry(Codec.Flac).ShouldBeTrue();
        var data = new Config { Codec = Codec.Amf, InitData = default, CodecString = "" };
        Should.Throw<ArgumentException>(() => InitSection.Write(data, 1_000, null));
    }

    private static IEnumerable<Config> AllCodecs() =>
    [
        Parse(Codec.H264, Vectors.AvcHigh), Parse(Codec.Hevc, Vectors.HevcMain), Parse(Codec.Av1, Vectors.Av1Main),
        Parse(Codec.Vp9, Vectors.VpcC), Parse(Codec.Aac, Vectors.AacLc48Stereo), Parse(Codec.Mp3, Hex.Bytes("fffb5400")),
        Parse(Codec.Mp3, Hex.Bytes("fff370c0")), Parse(Codec.Opus, Vectors.OpusHead), Parse(Codec.Ac3, Vectors.Ac3Stereo),
        Parse(Codec.Eac3, Vectors.Eac3Stereo), Parse(Codec.Flac, Vectors.FlacStart),
    ];

    private static Config Parse(Codec codec, byte[] source)
    {
        bool isRead = codec is Codec.Mp3 or Codec.Ac3 or Codec.Eac3
            ? ConfigParser.TryParseFromFrame(codec, source, null, out Config? config, out string? error)
            : ConfigParser.TryParse(codec, source, out config, out error);
        isRead.ShouldBeTrue(error);
        return config!;
    }

    private static string EntryOf(byte[] init) => Hex.Of(Box.Find(Box.Read(init), "moov/trak/mdia/minf/stbl/stsd").Body.AsSpan(8));

    private static string VideoEntry(string sizeAndType, string widthAndHeight, string record) => Joined(
        sizeAndType, "000000000000 0001 00000000000000000000000000000000", widthAndHeight, "00480000 00480000 00000000 0001",
        new string('0', 64), "0018 ffff", record);

    private static string AudioEntry(string sizeAndType, string fields, string record) =>
        Joined(sizeAndType, "000000000000 0001 0000000000000000", fields, record);

    private static string Joined(params string[] lines) => string.Concat(lines).Replace(" ", "", StringComparison.Ordinal);
}
