using System.Diagnostics.CodeAnalysis;

namespace Millrace.Media.Codecs;

/// <summary>Chooses the parser of a codec, for callers that carry any of them.</summary>
public static class ConfigParser
{
    /// <summary>Reads decoder configuration in the form that <see cref="Config.InitData"/> describes.</summary>
    public static bool TryParse(
        Codec codec, ReadOnlySpan<byte> initData, [NotNullWhen(true)] out Config? config, [NotNullWhen(false)] out string? error)
    {
        switch (codec)
        {
            case Codec.H264: return H264.TryParseConfig(initData, out config, out error);
            case Codec.Hevc: return Hevc.TryParseConfig(initData, out config, out error);
            case Codec.Av1: return Av1.TryParseConfig(initData, out config, out error);
            case Codec.Vp9: return Vp9.TryParseConfig(initData, out config, out error);
            case Codec.Aac: return Aac.TryParseConfig(initData, out config, out error);
            case Codec.Opus: return Opus.TryParseConfig(initData, out config, out error);
            case Codec.Flac: return Flac.TryParseConfig(initData, out config, out error);
            default:
                config = null;
                error = $"{CodecInfo.NameOf(codec)} has no configuration record";
                return false;
        }
    }

    /// <summary>Reads the Config from a frame of a codec that describes itself: MP3, AC-3, E-AC-3; of VP9 from a key frame.</summary>
    /// <param name="codec">The codec that the container names.</param>
    /// <param name="frame">A whole access unit.</param>
    /// <param name="declared">VP9: the Config of its vpcC, which lacks only the size.</param>
    /// <param name="config">The result.</param>
    /// <param name="error">Why there is none.</param>
    public static bool TryParseFromFrame(
        Codec codec, ReadOnlySpan<byte> frame, Config? declared,
        [NotNullWhen(true)] out Config? config, [NotNullWhen(false)] out string? error)
    {
        switch (codec)
        {
            case Codec.Mp3: return Mp3.TryParseConfigFromFrame(frame, out config, out error);
            case Codec.Vp9: return Vp9.TryParseConfigFromFrame(frame, declared, out config, out error);
            case Codec.Ac3 or Codec.Eac3: return Ac3.TryParseConfigFromFrame(frame, out config, out error);
            default:
                config = null;
                error = $"{CodecInfo.NameOf(codec)} does not describe itself in its frames";
                return false;
        }
    }
}
