using System.Diagnostics.CodeAnalysis;
using Millrace.Media.Bits;

namespace Millrace.Media.Codecs;

/// <summary>AAC: AudioSpecificConfig (ISO/IEC 14496-3 1.6.2.1). ADTS is in <see cref="AdtsHeader"/>.</summary>
public static class Aac
{
    /// <summary>Audio object type of AAC-LC (table 1.17).</summary>
    public const int LowComplexity = 2;

    /// <summary>sampling_frequency_index (table 1.18): Hz.</summary>
    internal static ReadOnlySpan<int> SampleRates =>
        [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

    /// <summary>
    /// Reads an AudioSpecificConfig. Rate, channels and samples per frame are those of the decoder's output where SBR and PS are
    /// signalled explicitly (either way of 1.6.5); implicit SBR shows in no header, so it counts as plain AAC. In the codec string
    /// the object type is the outermost: 2 LC, 5 with SBR, 29 with PS.
    /// </summary>
    public static bool TryParseConfig(
        ReadOnlySpan<byte> audioSpecificConfig, [NotNullWhen(true)] out Config? config, [NotNullWhen(false)] out string? error)
    {
        config = null;
        if (!AudioSpecificConfig.TryParse(audioSpecificConfig, out AudioSpecificConfig asc, out error))
            return false;
        config = new Config
        {
            Codec = Codec.Aac,
            InitData = audioSpecificConfig.ToArray(),
            CodecString = $"mp4a.40.{asc.OutermostType}",
            SampleRate = asc.OutputRate,
            Channels = asc.OutputChannels,
            SamplesPerFrame = asc.OutputSamples,
        };
        return true;
    }

    /// <summary>Makes a two- or five-byte AudioSpecificConfig of 1,024-sample frames, and its Config.</summary>
    /// <param name="objectType">1 (Main), 2 (LC), 3 (SSR) or 4 (LTP).</param>
    /// <param name="sampleRate">Hz; one of the table's or any below 2^24.</param>
    /// <param name="channels">1 to 6, or 8 (channel configuration 7).</param>
    /// <param name="config">The result.</param>
    /// <param name="error">Which argument has no coding.</param>
    public static bool TryBuildConfig(
        int objectType, int sampleRate, int channels,
        [NotNullWhen(true)] out Config? config, [NotNullWhen(false)] out string? error)
    {
        config = null;
        if (objectType is < 1 or > 4 || sampleRate is < 1 or >= 1 << 24 || channels is not (>= 1 and <= 6 or 8))
        {
            error = $"no AudioSpecificConfig for object type {objectType}, {sampleRate} Hz, {channels} channels";
            return false;
        }

        int configuration = channels == 8 ? 7 : channels;
        int index = SampleRates.IndexOf(sampleRate);
        // 5 bits type, 4 bits rate index (or 15 and 24 bits), 4 bits channels, then GASpecificConfig: three flags of 0.
        ulong bits = index >= 0
            ? ((ulong)objectType << 11) | ((ulong)index << 7) | ((ulong)configuration << 3)
            : ((ulong)objectType << 35) | (15UL << 31) | ((ulong)sampleRate << 7) | ((ulong)configuration << 3);
        byte[] record = new byte[index >= 0 ? 2 : 5];
        for (int i = 0; i < record.Length; i++)
            record[i] = (byte)(bits >> (8 * (record.Length - 1 - i)));
        return TryParseConfig(record, out config, out error);
    }
}
