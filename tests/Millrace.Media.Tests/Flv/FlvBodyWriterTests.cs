using Millrace.Media.Flv;

namespace Millrace.Media.Tests.Flv;

public sealed class FlvBodyWriterTests
{
    [Theory]
    [InlineData(Codec.H264, FlvForm.Legacy, 0, "1700000000", "170100000a", "2701000000", "1702000000")]
    [InlineData(Codec.Hevc, FlvForm.Legacy, 0, "1c00000000", "1c0100000a", "2c01000000", "1c02000000")]
    [InlineData(Codec.Aac, FlvForm.Legacy, 0, "af00", "af01", "af01", "")]
    [InlineData(Codec.H264, FlvForm.Enhanced, 0, "1700000000", "170100000a", "2701000000", "1702000000")]
    [InlineData(Codec.Aac, FlvForm.Enhanced, 0, "af00", "af01", "af01", "")]
    [InlineData(Codec.Hevc, FlvForm.Enhanced, 0, "9068766331", "916876633100000a", "a368766331", "9268766331")]
    [InlineData(Codec.Av1, FlvForm.Enhanced, 0, "9061763031", "9161763031", "a161763031", "9261763031")]
    [InlineData(Codec.Vp9, FlvForm.Enhanced, 0, "9076703039", "9176703039", "a176703039", "9276703039")]
    [InlineData(Codec.Opus, FlvForm.Enhanced, 0, "904f707573", "914f707573", "914f707573", "924f707573")]
    [InlineData(Codec.H264, FlvForm.Enhanced, 2, "96006176633102", "9601617663310200000a", "a6036176633102", "96026176633102")]
    [InlineData(Codec.Aac, FlvForm.Enhanced, 1, "95006d70346101", "95016d70346101", "95016d70346101", "95026d70346101")]
    [InlineData(Codec.Opus, FlvForm.Legacy, 0, "", "", "", "")]
    [InlineData(Codec.H264, FlvForm.Legacy, 1, "", "", "", "")]
    [InlineData(Codec.Amf, FlvForm.Enhanced, 0, "", "", "", "")]
    public void Headers(Codec codec, FlvForm form, byte track, string start, string keyAt10, string inter, string end)
    {
        Config config = Make(codec);
        byte[] target = new byte[FlvBodyWriter.MaxHeaderLength];
        Hex.Of(target.AsSpan(0, FlvBodyWriter.WriteSequenceStart(target, config, form, track))).ShouldBe(start);
        Hex.Of(target.AsSpan(0, FlvBodyWriter.WriteFrames(target, config, form, true, 10, track))).ShouldBe(keyAt10);
        Hex.Of(target.AsSpan(0, FlvBodyWriter.WriteFrames(target, config, form, false, 0, track))).ShouldBe(inter);
        Hex.Of(target.AsSpan(0, FlvBodyWriter.WriteSequenceEnd(target, config, form, track))).ShouldBe(end);
    }

    [Theory]
    [InlineData(44_100, 2, "2f")]
    [InlineData(48_000, 2, "2f")]
    [InlineData(22_050, 1, "2a")]
    [InlineData(11_025, 1, "26")]
    [InlineData(8_000, 1, "e6")]
    public void Mp3_header_repeats_rate_and_channels_and_has_no_sequence_start(int rate, int channels, string expected)
    {
        var config = new Config
        {
            Codec = Codec.Mp3,
            InitData = default,
            CodecString = "mp4a.40.34",
            SampleRate = rate,
            Channels = channels,
        };
        byte[] target = new byte[FlvBodyWriter.MaxHeaderLength];
        FlvBodyWriter.WriteSequenceStart(target, config, FlvForm.Legacy).ShouldBe(0);
        Hex.Of(target.AsSpan(0, FlvBodyWriter.WriteFrames(target, config, FlvForm.Enhanced, true))).ShouldBe(expected);
    }

    [Fact]
    public void Whatever_is_written_is_read_back()
    {
        byte[] body = new byte[FlvBodyWriter.MaxHeaderLength + 3];
        foreach (Codec codec in Enum.GetValues<Codec>())
        {
            foreach (FlvForm form in Enum.GetValues<FlvForm>())
            {
                if (!FlvBodyWriter.CanCarry(codec, form))
                    continue;
                foreach (byte track in form == FlvForm.Legacy ? (byte[])[0] : [0, 1, 255])
                    RoundTrip(body, Make(codec), form, track);
            }
        }
    }

    private static void RoundTrip(byte[] body, Config config, FlvForm form, byte track)
    {
        foreach (int time in (int[])[0, 1, -1, 8_388_607, -8_388_608, int.MaxValue])
        {
            int length = FlvBodyWriter.WriteFrames(body, config, form, isKey: time == 0, time, track);
            "abc"u8.CopyTo(body.AsSpan(length));
            var reader = new FlvBodyReader(config.Kind, body.AsSpan(0, length + 3));
            reader.TryRead(out FlvPayload payload).ShouldBeTrue(reader.Error);
            (payload.Codec, payload.Type, payload.TrackId).ShouldBe((config.Codec, FlvPacketType.Frames, track));
            payload.IsKey.ShouldBe(config.Kind == TrackKind.Audio || time == 0);
            bool hasTime = config.Codec is Codec.H264 or Codec.Hevc;
            payload.CompositionTimeMs.ShouldBe(hasTime ? Math.Min(time, 8_388_607) : 0);
            payload.Data.SequenceEqual("abc"u8).ShouldBeTrue();
            reader.TryRead(out _).ShouldBeFalse();
        }
    }

    private static Config Make(Codec codec) => new()
    {
        Codec = codec,
        InitData = new byte[] { 1 },
        CodecString = "test",
        SampleRate = 44_100,
        Channels = 2,
    };
}
