using System.Diagnostics.CodeAnalysis;

namespace Millrace.Media.Codecs;

/// <summary>AC-3 and E-AC-3 (ETSI TS 102 366): both describe themselves in each syncframe.</summary>
public static class Ac3
{
    /// <summary>
    /// Reads the first syncframe of an access unit. For E-AC-3 the samples of all its syncframes of the main programme count, since an access
    /// unit may hold several short ones, and the channels are those of the main programme's independent substream (a
    /// 5.1 bed; dependent substreams add to it only for decoders that know them).
    /// </summary>
    public static bool TryParseConfigFromFrame(
        ReadOnlySpan<byte> accessUnit, [NotNullWhen(true)] out Config? config, [NotNullWhen(false)] out string? error)
    {
        config = null;
        if (!Ac3SyncFrame.TryParse(accessUnit, out Ac3SyncFrame first))
        {
            error = "AC-3: not a syncframe";
            return false;
        }

        int samples = first.IsMain ? first.Samples : 0;
        ReadOnlySpan<byte> rest = accessUnit;
        for (Ac3SyncFrame frame = first; frame.IsEnhanced && frame.Length < rest.Length;)
        {
            rest = rest[frame.Length..];
            if (!Ac3SyncFrame.TryParse(rest, out frame))
                break;
            samples += frame.IsMain ? frame.Samples : 0;
        }

        if (!first.IsMain)
        {
            error = "E-AC-3: the access unit does not begin with the main programme";
            return false;
        }

        error = null;
        config = new Config
        {
            Codec = first.IsEnhanced ? Codec.Eac3 : Codec.Ac3,
            InitData = ReadOnlyMemory<byte>.Empty,
            SampleEntryData = first.IsEnhanced ? Ac3SampleEntry.BuildDec3(accessUnit, samples) : Ac3SampleEntry.BuildDac3(first),
            CodecString = first.IsEnhanced ? "ec-3" : "ac-3",
            SampleRate = first.SampleRate,
            Channels = first.Channels,
            SamplesPerFrame = samples,
        };
        return true;
    }
}
