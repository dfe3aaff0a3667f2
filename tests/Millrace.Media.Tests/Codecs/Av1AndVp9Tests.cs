using Millrace.Media.Codecs;

namespace Millrace.Media.Tests.Codecs;

public sealed class Av1AndVp9Tests
{
    public static TheoryData<byte[], string, int, int> Av1Records => new()
    {
        { Vectors.Av1Main, "av01.0.00M.08", 160, 90 },
        { Vectors.Av1TenBit, "av01.0.00M.10", 160, 90 },
        { Vectors.Av1High, "av01.1.09M.08", 1920, 1080 },
    };

    [Theory]
    [MemberData(nameof(Av1Records))]
    public void Av1_reads_size_and_codec_string(byte[] av1C, string codec, int width, int height)
    {
        Av1.TryParseConfig(av1C, out Config? config, out string? error).ShouldBeTrue(error);
        (config.CodecString, config.Width, config.Height).ShouldBe((codec, width, height));
    }

    [Theory]
    [MemberData(nameof(Av1Records))]
    public void Av1_builds_the_record_that_the_encoder_s_muxer_built(byte[] av1C, string codec, int width, int height)
    {
        Av1.TryBuildConfig(av1C.AsSpan(4), out Config? config, out string? error).ShouldBeTrue(error);
        Hex.Of(config.InitData.Span).ShouldBe(Hex.Of(av1C));
        (config.CodecString, config.Width, config.Height).ShouldBe((codec, width, height));
    }

    [Fact]
    public void Av1_record_without_sequence_header_gets_its_size_from_a_key_frame()
    {
        Av1.TryParseConfig(Vectors.Av1Main.AsSpan(0, 4), out Config? bare, out _).ShouldBeTrue();
        bare.Width.ShouldBe(0);
        Av1.TryUpdate(bare, Vectors.Av1KeyUnit, out Config? full, out _).ShouldBeTrue();
        (full.Width, full.Height).ShouldBe((160, 90));
        Av1.TryUpdate(full, Vectors.Av1KeyUnit, out _, out string? error).ShouldBeFalse();
        error.ShouldBeNull();
    }

    [Fact]
    public void Av1_timing_info_with_equal_intervals_gives_the_frame_rate()
    {
        // Profile 0, timing 1001/30000 equal, one tick a picture; no decoder model or delay; one point, level 0; 1x1; tools 0; colour 0.
        string bits = "000 0 0 1" + Convert.ToString(1001, 2).PadLeft(32, '0') + Convert.ToString(30000, 2).PadLeft(32, '0')
            + "1 1 0 0 00000 000000000000 00000 0000 0000 0 0 0 000 0000 0 1 1 000 0 0 0 0 00 0";
        Av1SequenceHeader.TryParse(Hex.Bits(bits), out Av1SequenceHeader header).ShouldBeTrue();
        header.FrameRate.ShouldBe(30000.0 / 1001, 1e-9);
        (header.Width, header.Height).ShouldBe((1, 1));
    }

    [Fact]
    public void Av1_key_is_a_shown_key_frame_coded_here()
    {
        Av1.IsKey(Vectors.Av1KeyUnit).ShouldBeTrue();
        Av1.IsKey(Vectors.Av1InterUnit).ShouldBeFalse();
        Av1.IsKey(Vectors.Av1ShownAgain).ShouldBeFalse();
        Av1.IsKey([]).ShouldBeFalse();
    }

    [Theory]
    [InlineData("1200 0a00", 2, false)]
    [InlineData("10", 1, false)]
    [InlineData("1604 00", 1, false)]
    [InlineData("1604", 0, true)]
    [InlineData("80", 0, true)]
    [InlineData("0affffffffffffffffff", 0, true)]
    [InlineData("0affffffffffffffff7f", 0, true)]
    [InlineData("0a8200aabb", 1, false)]
    public void Obus_are_walked_by_their_leb128_sizes(string unit, int count, bool isMalformed)
    {
        int seen = 0;
        var reader = new ObuReader(Hex.Bytes(unit));
        while (reader.TryRead(out _, out _, out _))
            seen++;
        (seen, reader.IsMalformed).ShouldBe((count, isMalformed));
    }

    [Fact]
    public void Vp9_record_is_read_with_and_without_the_box_s_version()
    {
        Vp9.TryParseConfig(Vectors.VpcC, out Config? boxed, out string? error).ShouldBeTrue(error);
        Vp9.TryParseConfig(Vectors.VpcC.AsSpan(4), out Config? bare, out _).ShouldBeTrue();
        boxed.ShouldBe(bare);
        boxed.CodecString.ShouldBe("vp09.00.10.08");
        Vp9.TryParseConfig(Vectors.VpcCProfile3, out Config? high, out _).ShouldBeTrue();
        high.CodecString.ShouldBe("vp09.03.10.10");
    }

    [Fact]
    public void Vp9_key_frame_gives_the_size_and_keeps_what_the_record_says()
    {
        Vp9.TryParseConfig(Vectors.VpcC, out Config? declared, out _).ShouldBeTrue();
        Vp9.TryParseConfigFromFrame(Vectors.Vp9Key, declared, out Config? config, out string? error).ShouldBeTrue(error);
        (config.Width, config.Height, config.CodecString).ShouldBe((160, 90, "vp09.00.10.08"));
        config.ShouldNotBe(declared);
        Vp9.TryParseConfigFromFrame(Vectors.Vp9Key, null, out Config? alone, out _).ShouldBeTrue();
        alone.ShouldBe(config);
    }

    [Fact]
    public void Vp9_high_profile_key_frame_gives_depth_and_subsampling()
    {
        Vp9.TryParseConfigFromFrame(Vectors.Vp9KeyProfile3, null, out Config? config, out string? error).ShouldBeTrue(error);
        (config.Width, config.Height, config.CodecString).ShouldBe((160, 90, "vp09.03.10.10"));
        Hex.Of(config.InitData.Span).ShouldBe("030aa40202020000");
    }

    [Fact]
    public void Vp9_inter_frame_is_no_key()
    {
        Vp9.IsKey(Vectors.Vp9Key).ShouldBeTrue();
        Vp9.IsKey(Vectors.Vp9Inter).ShouldBeFalse();
        Vp9.TryParseConfigFromFrame(Vectors.Vp9Inter, null, out _, out string? error).ShouldBeFalse();
        error.ShouldNotBeNull();
    }
}
