using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Millrace.Media.Bits;

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
            CodecString = first.IsEnhanced ? "ec-3" : "ac-3",
            SampleRate = first.SampleRate,
            Channels = first.Channels,
            SamplesPerFrame = samples,
        };
        return true;
    }
}

/// <param name="IsEnhanced">E-AC-3.</param>
/// <param name="IsMain">AC-3, or the independent substream 0 of E-AC-3.</param>
/// <param name="SampleRate">Hz.</param>
/// <param name="Channels">With the LFE.</param>
/// <param name="Samples">256 for each block.</param>
/// <param name="Length">Bytes of the syncframe; at least 2.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Ac3SyncFrame(bool IsEnhanced, bool IsMain, int SampleRate, int Channels, int Samples, int Length)
{
    private const int BlockSamples = 256;

    /// <summary>Bytes up to bsid, which tells the two apart: it is at the same place in both (E.1.3.1.6).</summary>
    private const int MinLength = 6;

    private static ReadOnlySpan<int> SampleRates => [48_000, 44_100, 32_000];

    /// <summary>acmod (table 4.3): full-bandwidth channels.</summary>
    private static ReadOnlySpan<byte> ChannelsOfMode => [2, 1, 2, 3, 3, 4, 4, 5];

    /// <summary>frmsizecod / 2 (table 4.13): kbit/s.</summary>
    private static ReadOnlySpan<short> Kilobits =>
        [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640];

    public static bool TryParse(ReadOnlySpan<byte> data, out Ac3SyncFrame frame)
    {
        frame = default;
        if (data.Length < MinLength || data[0] != 0x0B || data[1] != 0x77)
            return false;
        int bitstreamId = data[5] >> 3;
        var bits = new BitReader(data[2..]);
        return bitstreamId switch
        {
            <= 10 => TryParseBasic(ref bits, bitstreamId, out frame),
            <= 16 => TryParseEnhanced(ref bits, out frame),
            _ => false,
        };
    }

    /// <summary>syncinfo and bsi of 4.3; bsid 9 and 10 stand for half and a quarter of the rate.</summary>
    private static bool TryParseBasic(ref BitReader bits, int bitstreamId, out Ac3SyncFrame frame)
    {
        frame = default;
        bits.SkipBits(16); // CRC
        int rateCode = (int)bits.ReadBits(2), sizeCode = (int)bits.ReadBits(6);
        bits.SkipBits(5 + 3); // bsid, bsmod
        int mode = (int)bits.ReadBits(3);
        if ((mode & 1) != 0 && mode != 1)
            bits.SkipBits(2); // centre mix level
        if ((mode & 4) != 0)
            bits.SkipBits(2); // surround mix level
        if (mode == 2)
            bits.SkipBits(2); // Dolby Surround mode
        int channels = ChannelsOfMode[mode] + (int)bits.ReadBits(1);
        if (bits.Failed || rateCode == 3 || sizeCode / 2 >= Kilobits.Length)
            return false;

        const int FrameSamples = 6 * BlockSamples;
        int rate = SampleRates[rateCode], kilobits = Kilobits[sizeCode / 2];
        int words = kilobits * 1000 / 16 * FrameSamples / rate;
        if (rate == 44_100)
            words += sizeCode & 1;
        frame = new Ac3SyncFrame(false, true, rate >> Math.Max(0, bitstreamId - 8), channels, FrameSamples, words * 2);
        return true;
    }

    /// <summary>bsi of E.1.2.2.</summary>
    private static bool TryParseEnhanced(ref BitReader bits, out Ac3SyncFrame frame)
    {
        frame = default;
        const uint Dependent = 1, Reserved = 3;
        uint type = bits.ReadBits(2), substream = bits.ReadBits(3);
        int length = ((int)bits.ReadBits(11) + 1) * 2;
        int rateCode = (int)bits.ReadBits(2), blocksCode = (int)bits.ReadBits(2);
        int mode = (int)bits.ReadBits(3);
        int channels = ChannelsOfMode[mode] + (int)bits.ReadBits(1);
        bool isHalfRate = rateCode == 3;
        if (bits.Failed || type == Reserved || (isHalfRate && blocksCode == 3))
            return false;

        // With fscod 3 the next two bits are fscod2, the half rates, and there are six blocks.
        int rate = isHalfRate ? SampleRates[blocksCode] / 2 : SampleRates[rateCode];
        int blocks = isHalfRate || blocksCode == 3 ? 6 : blocksCode + 1;
        frame = new Ac3SyncFrame(true, type != Dependent && substream == 0, rate, channels, blocks * BlockSamples, length);
        return true;
    }
}
