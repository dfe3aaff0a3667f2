using System.Buffers;
using Millrace.Media;
using Millrace.Protocols.Relay;
using Millrace.Streams.Relay;

namespace Millrace.Streams.Tests.Relay;

/// <summary>Parameters of another node's tracks go into playlists and initialization sections: what has not their form is refused.</summary>
public sealed class HostileConfigTests
{
    [Theory]
    [InlineData("avc1.64001f", true)]
    [InlineData("hvc1.1.6.L93.B0", true)]
    [InlineData("ac-3", true)]
    [InlineData("", true)]
    [InlineData("avc1.64001f\"", false)]
    [InlineData("avc1.64001f\r\n#EXT-X-ENDLIST", false)]
    [InlineData("avc1,mp4a", false)]
    [InlineData("avc1 ", false)]
    [InlineData("\u00e4", false)]
    [InlineData("avc1.0000000000000000000000000000000000000000000000000000000000000", false)]
    public void A_codec_string_is_one_name_of_letters_digits_dots_and_hyphens(string text, bool isTaken)
    {
        var config = TestStream.H264Config;
        TryRead(Make(config.Codec, config.InitData.ToArray(), text)).ShouldBe(isTaken);
    }

    [Theory]
    [InlineData(Codec.H264, new byte[] { 1, 100, 0 })]
    [InlineData(Codec.Hevc, new byte[] { 1 })]
    [InlineData(Codec.Av1, new byte[] { 0x81 })]
    [InlineData(Codec.Vp9, new byte[] { 0, 41 })]
    [InlineData(Codec.Aac, new byte[] { 0x12 })]
    [InlineData(Codec.Opus, new byte[] { 0x4F, 0x70, 0x75, 0x73 })]
    [InlineData(Codec.Flac, new byte[] { 0x80, 0, 0, 34, 16, 0 })]
    public void A_record_that_is_cut_short_is_refused(Codec codec, byte[] record)
    {
        TryRead(Make(codec, record, "x")).ShouldBeFalse();
        TryRead(Make(codec, [], "x")).ShouldBeFalse();
    }

    [Fact]
    public void Records_of_publishers_are_taken_and_codecs_that_describe_themselves_need_none()
    {
        TryRead(TestStream.H264Config).ShouldBeTrue();
        TryRead(TestStream.AacConfig).ShouldBeTrue();
        TryRead(Make(Codec.Mp3, [], "mp4a.40.34")).ShouldBeTrue();
        TryRead(Make(Codec.Vp9, [0, 41, 0x82, 2, 2, 2, 0, 0], "vp09.00.41.08")).ShouldBeTrue();
    }

    private static Config Make(Codec codec, byte[] record, string text) => new() { Codec = codec, InitData = record, CodecString = text };

    private static bool TryRead(Config config)
    {
        var buffer = new ArrayBufferWriter<byte>();
        RelayFields.Write(new RelayWriter(buffer), config);
        var input = new RelayReader(buffer.WrittenSpan);
        return RelayFields.TryRead(ref input, out Config? _);
    }
}
