using System.Buffers;
using Millrace.Media.Codecs;
using Millrace.Media.Flv;

namespace Millrace.Media.Tests;

/// <summary>Network input never throws: every parser, every truncation, seeded damage.</summary>
public sealed class RobustnessTests
{
    [Fact]
    public void Configuration_records()
    {
        SurviveAs(Codec.H264, Vectors.AvcHigh, Vectors.Avc422, Vectors.Avc444, Vectors.AvcInterlaced);
        SurviveAs(Codec.Hevc, Vectors.HevcMain, Vectors.Hevc422);
        SurviveAs(Codec.Av1, Vectors.Av1Main, Vectors.Av1TenBit, Vectors.Av1High);
        SurviveAs(Codec.Vp9, Vectors.VpcC, Vectors.VpcCProfile3);
        SurviveAs(Codec.Aac, Vectors.AacLc48Stereo, Hex.Bytes("eb8a0800"), Hex.Bytes("138856e5a54880"), Vectors.AacWithProgramConfig);
        SurviveAs(Codec.Opus, Vectors.OpusHead, Vectors.OpusHeadSurround);
        SurviveAs(Codec.Flac, Vectors.FlacStart);
    }

    [Fact]
    public void Frames_that_describe_themselves()
    {
        foreach (byte[] frame in (byte[][])[Vectors.Vp9Key, Vectors.Vp9KeyProfile3, Vectors.Vp9Inter])
            Robustness.Survive(frame, static input => _ = ConfigParser.TryParseFromFrame(Codec.Vp9, input, null, out _, out _));
        foreach (byte[] frame in (byte[][])[Vectors.Ac3Surround, Vectors.Eac3Surround, [.. Vectors.Eac3Stereo, .. Vectors.Eac3Stereo]])
            Robustness.Survive(frame, static input => _ = ConfigParser.TryParseFromFrame(Codec.Ac3, input, null, out _, out _));
        Robustness.Survive(Hex.Bytes("fffb5400"), static input => _ = ConfigParser.TryParseFromFrame(Codec.Mp3, input, null, out _, out _));
        Robustness.Survive(Vectors.Adts, static input => _ = AdtsHeader.TryParse(input, out _));
        Robustness.Survive(Vectors.FlacLastFrame, static input => _ = Flac.TryParseFrame(input, out _, out _));
        Robustness.Survive(Hex.Bytes("ff03"), static input => _ = Opus.TryReadDuration(input, out _));
    }

    [Fact]
    public void Access_units()
    {
        SurviveNals(Codec.H264, Vectors.Unit(Vectors.AvcDelimiter, Vectors.AvcSps, Vectors.AvcPps, Vectors.AvcIdr));
        SurviveNals(Codec.Hevc, Vectors.Unit(Vectors.HevcDelimiter, Vectors.HevcVps, Vectors.HevcSps, Vectors.HevcPps, Vectors.HevcIdr));
        Robustness.Survive(Vectors.AvcByteStream, static input => _ = AnnexB.WriteLengthPrefixed(input, new ArrayBufferWriter<byte>()));
        Robustness.Survive(Vectors.Av1KeyUnit, static input =>
        {
            Av1.IsKey(input);
            Av1.TryUpdate(null, input, out _, out _);
        });
    }

    [Fact]
    public void Flv_bodies_and_tags()
    {
        foreach (string body in Flv.FlvBodyReaderTests.Bodies)
        {
            Robustness.Survive(Hex.Bytes(body), static input =>
            {
                ReadAll(TrackKind.Video, input);
                ReadAll(TrackKind.Audio, input);
            });
        }

        Robustness.Survive(Flv.FlvTagReaderTests.File, static input =>
        {
            var reader = new FlvTagReader();
            while (reader.TryRead(input, out int consumed, out _))
                input = input[consumed..];
        });
    }

    private static void SurviveAs(Codec codec, params byte[][] vectors)
    {
        foreach (byte[] vector in vectors)
        {
            Robustness.Survive(vector, input =>
            {
                bool parsed = ConfigParser.TryParse(codec, input, out Config? config, out string? error);
                (config is not null).ShouldBe(parsed);
                (error is null).ShouldBe(parsed);
            });
        }
    }

    private static void SurviveNals(Codec codec, byte[] unit) => Robustness.Survive(unit, input =>
    {
        var output = new ArrayBufferWriter<byte>();
        NalUnits.Inspect(codec, input, 4);
        ParameterSets.TryUpdate(codec, null, input, 4, out _, out _);
        NalUnits.TryStrip(codec, input, 4, output);
        for (int size = 0; size <= 5; size++)
            NalUnits.Inspect(codec, input, size);
    });

    private static void ReadAll(TrackKind kind, ReadOnlySpan<byte> body)
    {
        var reader = new FlvBodyReader(kind, body);
        while (reader.TryRead(out _))
        {
        }
    }
}
