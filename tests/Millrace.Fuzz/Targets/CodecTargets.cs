using System.Buffers;
using Millrace.Media;
using Millrace.Media.Codecs;
using Millrace.Media.Mp4;
using Millrace.Media.Tests;

namespace Millrace.Fuzz.Targets;

/// <summary>Decoder configuration of every codec, from records and from frames. The first byte chooses.</summary>
internal sealed class ConfigTarget() : FuzzTarget("configs")
{
    private static readonly Codec[] Codecs =
        [Codec.H264, Codec.Hevc, Codec.Av1, Codec.Vp9, Codec.Aac, Codec.Opus, Codec.Flac, Codec.Mp3, Codec.Ac3, Codec.Eac3];

    public override IReadOnlyList<Seed> Seeds { get; } =
    [
        .. Of(Codec.H264, Vectors.AvcHigh, Vectors.Avc422, Vectors.Avc444, Vectors.AvcInterlaced),
        .. Of(Codec.Hevc, Vectors.HevcMain, Vectors.Hevc422),
        .. Of(Codec.Av1, Vectors.Av1Main, Vectors.Av1TenBit, Vectors.Av1High, Vectors.Av1KeyUnit, Vectors.Av1InterUnit, Vectors.Av1ShownAgain),
        .. Of(Codec.Vp9, Vectors.VpcC, Vectors.VpcCProfile3, Vectors.Vp9Key, Vectors.Vp9KeyProfile3, Vectors.Vp9Inter),
        .. Of(Codec.Aac, Vectors.AacLc48Stereo, Vectors.AacLc48Surround, Vectors.AacWithProgramConfig, Hex.Bytes("eb8a0800"), Hex.Bytes("138856e5a54880"), Vectors.Adts),
        .. Of(Codec.Opus, Vectors.OpusHead, Vectors.OpusHeadSurround, Hex.Bytes("ff03")),
        .. Of(Codec.Flac, Vectors.FlacStart, Vectors.FlacFrame, Vectors.FlacLastFrame),
        .. Of(Codec.Mp3, Hex.Bytes("fffb5400")),
        .. Of(Codec.Ac3, Vectors.Ac3Stereo, Vectors.Ac3Surround, Vectors.Ac3At44),
        .. Of(Codec.Eac3, Vectors.Eac3Stereo, Vectors.Eac3Surround),
    ];

    public override int MaxLength => 4_096;

    public override void Run(byte[] input, Random random)
    {
        if (input.Length == 0)
            return;
        var codec = Codecs[input[0] % Codecs.Length];
        var bytes = input.AsSpan(1).ToArray();
        if (ConfigParser.TryParse(codec, bytes, out var config, out var error))
            Check(config, codec);
        BrokenInvariantException.ThrowIf(config is null != error is not null, "neither a Config nor an error, or both");
        if (ConfigParser.TryParseFromFrame(codec, bytes, config, out var described, out _))
            Check(described, described.Codec);
        _ = AdtsHeader.TryParse(bytes, out var adts) && adts.TryToConfig(out _, out _);
        _ = Flac.TryParseFrame(bytes, out _, out _);
        _ = Vp9.IsKey(bytes);
        if (Opus.TryReadDuration(bytes, out var samples))
            BrokenInvariantException.ThrowIf(samples is <= 0 or > Opus.MaxPacketSamples, $"an Opus packet of {samples} samples");
        _ = Av1.IsKey(bytes);
        if (Av1.TryUpdate(null, bytes, out var changed, out _))
            Check(changed, Codec.Av1);
    }

    private static void Check(Config config, Codec codec)
    {
        BrokenInvariantException.ThrowIf(config.Codec != codec, $"{config.Codec} for {codec}");
        BrokenInvariantException.ThrowIf(config.CodecString.Length is 0 or > 64, $"codec string '{config.CodecString}'");
        BrokenInvariantException.ThrowIf(config.Width < 0 || config.Height < 0 || config.FrameRate < 0 || !double.IsFinite(config.FrameRate), $"{config.Width}x{config.Height} at {config.FrameRate}");
        // Audio's rate is its timescale: everything divides by it.
        var isAudio = config.Kind == TrackKind.Audio;
        BrokenInvariantException.ThrowIf(isAudio && (config.SampleRate <= 0 || config.Channels <= 0 || config.SamplesPerFrame < 0), $"{config.SampleRate} Hz, {config.Channels} channels");
        // Whatever parsed has an init section.
        _ = InitSection.Write(config, isAudio ? config.SampleRate : Timescale.Video, null);
        BrokenInvariantException.ThrowIf(InitSection.CodecString(config).Length is 0 or > 64, $"codec string '{InitSection.CodecString(config)}'");
        if (config.InitData.IsEmpty)
            return;
        var isStable = ConfigParser.TryParse(codec, config.InitData.Span, out var again, out var error) && again.InitData.Span.SequenceEqual(config.InitData.Span);
        BrokenInvariantException.ThrowIf(!isStable, $"a Config's own record does not parse: {error}");
    }

    private static IEnumerable<Seed> Of(Codec codec, params byte[][] vectors) =>
        vectors.Select(vector => new Seed([(byte)Array.IndexOf(Codecs, codec), .. vector]));
}

/// <summary>Access units of H.264 and HEVC with parameter sets in them. The first byte chooses codec and length prefix, the next two the record's length.</summary>
internal sealed class NalTarget() : FuzzTarget("nal-units")
{
    public override IReadOnlyList<Seed> Seeds { get; } =
    [
        Of(0, Vectors.AvcHigh, Vectors.Unit(Vectors.AvcDelimiter, Vectors.AvcSps, Vectors.AvcPps, Vectors.AvcIdr)),
        Of(0, [], Vectors.Unit(Vectors.AvcSps, Vectors.AvcPps, Vectors.AvcSlice)),
        Of(1, Vectors.HevcMain, Vectors.Unit(Vectors.HevcDelimiter, Vectors.HevcVps, Vectors.HevcSps, Vectors.HevcPps, Vectors.HevcIdr)),
        Of(1, Vectors.Hevc422, Vectors.Unit(Vectors.HevcSps, Vectors.HevcIdr)),
        Of(0, [], Vectors.AvcByteStream),
    ];

    public override long AllocatedPerByte => 256;

    public override void Run(byte[] input, Random random)
    {
        if (input.Length < 3)
            return;
        var codec = (input[0] & 1) == 0 ? Codec.H264 : Codec.Hevc;
        var lengthSize = (input[0] & 6) switch { 0 => 4, 2 => 2, 4 => 1, _ => 4 };
        var split = 3 + Math.Min(input.Length - 3, (input[1] << 8) | input[2]);
        _ = ConfigParser.TryParse(codec, input.AsSpan(3, split - 3), out var config, out _);
        var unit = input.AsSpan(split).ToArray();
        var summary = NalUnits.Inspect(codec, unit, lengthSize);
        if (ParameterSets.TryUpdate(codec, config, unit, lengthSize, out var changed, out _))
        {
            var parses = ConfigParser.TryParse(codec, changed.InitData.Span, out _, out var error);
            BrokenInvariantException.ThrowIf(!parses, $"what was built of parameter sets does not parse: {error}");
            var isNews = ParameterSets.TryUpdate(codec, changed, unit, lengthSize, out _, out _);
            BrokenInvariantException.ThrowIf(isNews && summary.IsValid && config is null, "the same sets are news again");
        }

        var output = new ArrayBufferWriter<byte>();
        var stripped = NalUnits.TryStrip(codec, unit, lengthSize, output);
        BrokenInvariantException.ThrowIf(stripped != summary.IsValid, "Inspect and TryStrip do not agree");
        BrokenInvariantException.ThrowIf(stripped && NalUnits.Inspect(codec, output.WrittenSpan, lengthSize).NeedsStrip, "stripped, and not clean");
        _ = AnnexB.WriteLengthPrefixed(unit, new ArrayBufferWriter<byte>());
    }

    private static Seed Of(byte choice, byte[] record, byte[] unit) =>
        new([choice, (byte)(record.Length >> 8), (byte)record.Length, .. record, .. unit]);
}
