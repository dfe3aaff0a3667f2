using Millrace.Media.Bits;
using Millrace.Media.Codecs;

namespace Millrace.Media.Tests.Codecs;

public sealed class HevcTests
{
    [Theory]
    [InlineData(false, "hvc1.1.6.L30.90")]
    [InlineData(true, "hvc1.4.10.L60.9D.8")]
    public void Reads_size_rate_and_codec_string(bool isRangeExtension, string codec)
    {
        byte[] hvcC = isRangeExtension ? Vectors.Hevc422 : Vectors.HevcMain;
        Hevc.TryParseConfig(hvcC, out Config? config, out string? error).ShouldBeTrue(error);
        config.CodecString.ShouldBe(codec);
        (config.Width, config.Height, config.FrameRate, config.NalLengthSize).ShouldBe((160, 90, 30, 4));
    }

    [Fact]
    public void A_profile_space_and_the_high_tier_show_in_the_codec_string()
    {
        byte[] hvcC = [.. Vectors.HevcMain];
        hvcC[1] = 0x62;
        Hevc.TryParseConfig(hvcC, out Config? config, out _).ShouldBeTrue();
        config.CodecString.ShouldBe("hvc1.A2.6.H30.90");
    }

    [Fact]
    public void A_built_record_says_what_the_sps_says_and_is_complete()
    {
        Hevc.TryBuildConfig(Vectors.HevcVps, Vectors.HevcSps, Vectors.HevcPps, out Config? config, out string? error).ShouldBeTrue(error);
        config.CodecString.ShouldBe("hvc1.1.6.L30.90");
        // As x265 and ffmpeg wrote it, but for the unknown parallelism and the PPS, which differs.
        Hex.Of(config.InitData.Span[..77]).ShouldBe(Hex.Of(Vectors.HevcMain.AsSpan(0, 77)));
        Hex.Of(config.InitData.Span).ShouldEndWith("a20001" + "0006" + "4401c171a312");
    }

    [Theory]
    [InlineData("", "version")]
    [InlineData("0101600000009000000000001ef000fcfdf8f800000f01", "cut short")]
    [InlineData("0101600000009000000000001ef000fcfdf8f800000f00", "without VPS")]
    [InlineData("0101600000009000000000001ef000fcfdf8f800000f01 a10001 0003 420101", "malformed SPS")]
    public void Says_why_a_record_is_refused(string hvcC, string reason)
    {
        Hevc.TryParseConfig(Hex.Bytes(hvcC), out _, out string? error).ShouldBeFalse();
        error.ShouldContain(reason);
    }

    [Theory]
    [InlineData("2a01", true)] // CRA
    [InlineData("2601", true)] // IDR_W_RADL
    [InlineData("2801", true)] // IDR_N_LP
    [InlineData("2001", true)] // BLA_W_LP
    [InlineData("0201", false)] // TRAIL_R
    [InlineData("1201", false)] // RASL_R
    public void Every_irap_picture_is_a_key(string nal, bool isKey) =>
        NalUnits.Inspect(Codec.Hevc, Vectors.Unit(Hex.Bytes(nal)), 4).IsKey.ShouldBe(isKey);

    [Fact]
    public void Predicted_reference_sets_drop_the_current_picture()
    {
        // Three sets: {-1, +1}; predicted by +1: {+1, +2} (the 0 is dropped); predicted by -1 from three flags: {-1, +1}; then a marker.
        var bits = new BitReader(Hex.Bits("00100  010 010 1 1 1 1  1 0 1 111  1 1 1 111  1011"));
        HevcReferenceSets.TrySkip(ref bits).ShouldBeTrue();
        bits.ReadBits(4).ShouldBe(0b1011u);
    }
}
