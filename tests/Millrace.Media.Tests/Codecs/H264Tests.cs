using Millrace.Media.Codecs;

namespace Millrace.Media.Tests.Codecs;

public sealed class H264Tests
{
    public static TheoryData<byte[], string, int, int, double> Records => new()
    {
        { Vectors.AvcHigh, "avc1.64000b", 160, 90, 30 },
        { Vectors.Avc422, "avc1.7a000b", 160, 90, 30 },
        { Vectors.Avc444, "avc1.f4001f", 1280, 720, 25 },
        { Vectors.AvcInterlaced, "avc1.64003e", 1920, 1080, 60000.0 / 1001 },
    };

    [Theory]
    [MemberData(nameof(Records))]
    public void Reads_size_after_cropping_rate_and_codec_string(byte[] avcC, string codec, int width, int height, double rate)
    {
        H264.TryParseConfig(avcC, out Config? config, out string? error).ShouldBeTrue(error);
        config.CodecString.ShouldBe(codec);
        (config.Width, config.Height).ShouldBe((width, height));
        config.FrameRate.ShouldBe(rate, 1e-9);
        config.NalLengthSize.ShouldBe(4);
        config.InitData.ToArray().ShouldBe(avcC);
    }

    [Fact]
    public void Builds_the_record_that_the_encoder_s_muxer_built()
    {
        byte[] sps = Vectors.AvcHigh[8..33], pps = Vectors.AvcHigh[36..40];
        H264.TryBuildConfig(sps, pps, out Config? config, out string? error).ShouldBeTrue(error);
        Hex.Of(config.InitData.Span).ShouldBe(Hex.Of(Vectors.AvcHigh));
    }

    [Fact]
    public void Baseline_record_has_no_chroma_fields()
    {
        H264.TryBuildConfig(Vectors.AvcSps, Vectors.AvcPps, out Config? config, out _).ShouldBeTrue();
        config.CodecString.ShouldBe("avc1.42c00b");
        config.InitData.Length.ShouldBe(5 + 1 + 2 + Vectors.AvcSps.Length + 1 + 2 + Vectors.AvcPps.Length);
    }

    [Theory]
    [InlineData("", "version")]
    [InlineData("0064000bffe0 00", "version")]
    [InlineData("0164000bffe0 00", "without SPS")]
    [InlineData("0164000bffe1 0019 6764", "cut short")]
    [InlineData("0164000bffe1 0002 6764 00", "malformed SPS")]
    public void Says_why_a_record_is_refused(string avcC, string reason)
    {
        H264.TryParseConfig(Hex.Bytes(avcC), out _, out string? error).ShouldBeFalse();
        error.ShouldContain(reason);
    }

    [Fact]
    public void Length_prefixes_of_three_bytes_do_not_exist()
    {
        byte[] avcC = [.. Vectors.AvcHigh];
        avcC[4] = 0xFE;
        H264.TryParseConfig(avcC, out _, out string? error).ShouldBeFalse();
        error.ShouldContain("3 bytes");
    }

    [Fact]
    public void An_sps_cut_inside_its_vui_still_gives_the_size()
    {
        H264Sps.TryParse(Vectors.AvcSps.AsSpan()[..^6], out H264Sps sps).ShouldBeTrue();
        (sps.Width, sps.Height, sps.FrameRate).ShouldBe((160, 90, 0));
    }
}
