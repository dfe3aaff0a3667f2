using System.Runtime.InteropServices;
using Millrace.Media.Bits;

namespace Millrace.Media.Codecs;

/// <summary>The part of a sequence parameter set (H.265 7.3.2.2) that a server needs.</summary>
/// <param name="ProfileTierLevel">The 12 bytes that hvcC repeats: profile, compatibility, constraints, level.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct HevcSps(
    byte[] ProfileTierLevel, int SubLayers, bool IsNested, byte ChromaFormat, int BitDepthLuma, int BitDepthChroma,
    int Width, int Height, double FrameRate)
{
    /// <summary>Twice the longest side of level 6.2 (A.4.1), and small enough that no product overflows.</summary>
    private const uint MaxSide = 32_768;

    private const int ProfileTierLevelLength = 12;

    /// <param name="nal">The NAL unit with its two-byte header.</param>
    /// <param name="sps">The values; <see cref="FrameRate"/> is 0 without VUI timing, also when what precedes it is cut.</param>
    public static bool TryParse(ReadOnlySpan<byte> nal, out HevcSps sps)
    {
        sps = default;
        var bits = new BitReader(nal, isNal: true);
        bits.SkipBits(16);
        if (nal.IsEmpty || Hevc.TypeOf(nal[0]) != HevcNal.Sps)
            return false;
        byte[] profile = new byte[ProfileTierLevelLength];
        ReadHeader(ref bits, profile, out int subLayers, out bool isNested);
        bits.ReadUe(); // id
        uint chroma = bits.ReadUe();
        bool separatePlanes = chroma == 3 && bits.ReadFlag();
        uint codedWidth = bits.ReadUe(), codedHeight = bits.ReadUe();
        long width = codedWidth, height = codedHeight;
        if (bits.ReadFlag())
        {
            // SubWidthC and SubHeightC, table 6-1; planes coded separately count as monochrome.
            int unitX = chroma is 1 or 2 && !separatePlanes ? 2 : 1;
            int unitY = chroma == 1 && !separatePlanes ? 2 : 1;
            width -= ((long)bits.ReadUe() + bits.ReadUe()) * unitX;
            height -= ((long)bits.ReadUe() + bits.ReadUe()) * unitY;
        }

        uint luma = bits.ReadUe(), chromaDepth = bits.ReadUe();
        if (bits.Failed || chroma > 3 || luma > 8 || chromaDepth > 8 || subLayers > 7
            || codedWidth > MaxSide || codedHeight > MaxSide || width <= 0 || height <= 0)
        {
            return false;
        }

        double rate = TrySkipToVui(ref bits, subLayers) ? ReadFrameRate(ref bits) : 0;
        sps = new HevcSps(
            profile, subLayers, isNested, (byte)chroma, 8 + (int)luma, 8 + (int)chromaDepth, (int)width, (int)height, rate);
        return true;
    }

    /// <summary>sps_seq_parameter_set_id, behind the two-byte NAL header.</summary>
    public static uint ReadId(ref BitReader bits)
    {
        Span<byte> profile = stackalloc byte[ProfileTierLevelLength];
        ReadHeader(ref bits, profile, out _, out _);
        return bits.ReadUe();
    }

    private static void ReadHeader(ref BitReader bits, scoped Span<byte> profile, out int subLayers, out bool isNested)
    {
        bits.SkipBits(4); // VPS id
        subLayers = (int)bits.ReadBits(3) + 1;
        isNested = bits.ReadFlag();
        for (int i = 0; i < profile.Length; i++)
            profile[i] = (byte)bits.ReadBits(8);

        // profile_tier_level (7.3.3): two presence flags for each of the lower sub-layers, padded to eight pairs.
        if (subLayers == 1)
            return;
        uint presence = bits.ReadBits(16);
        for (int i = 0; i < subLayers - 1; i++)
        {
            uint flags = presence >> (14 - (2 * i));
            bits.SkipBits(((flags & 2) != 0 ? 88 : 0) + ((flags & 1) != 0 ? 8 : 0));
        }
    }

    private static bool TrySkipToVui(ref BitReader bits, int subLayers)
    {
        int pocBits = (int)Math.Min(bits.ReadUe(), 12) + 4;
        for (int i = bits.ReadFlag() ? 0 : subLayers - 1; i < subLayers; i++)
            SkipUe(ref bits, 3);
        SkipUe(ref bits, 6); // block sizes, transform depths
        if (bits.ReadFlag() && bits.ReadFlag())
            SkipScalingLists(ref bits);
        bits.SkipBits(2); // amp, sao
        if (bits.ReadFlag()) // pcm
        {
            bits.SkipBits(8);
            SkipUe(ref bits, 2);
            bits.ReadFlag();
        }

        if (!HevcReferenceSets.TrySkip(ref bits))
            return false;
        if (bits.ReadFlag()) // long-term references
        {
            uint count = bits.ReadUe();
            if (count > 32)
                return false;
            bits.SkipBits((int)count * (pocBits + 1));
        }

        bits.SkipBits(2); // temporal MVP, strong intra smoothing
        return bits.ReadFlag() && !bits.Failed;
    }

    /// <summary>scaling_list_data, 7.3.4.</summary>
    private static void SkipScalingLists(ref BitReader bits)
    {
        for (int size = 0; size < 4; size++)
        {
            for (int matrix = 0; matrix < 6; matrix += size == 3 ? 3 : 1)
            {
                if (!bits.ReadFlag())
                    bits.ReadUe();
                else
                    SkipUe(ref bits, Math.Min(64, 16 << (2 * size)) + (size > 1 ? 1 : 0));
            }
        }
    }

    /// <summary>E.2.1 up to the timing: a tick is a picture.</summary>
    private static double ReadFrameRate(ref BitReader bits)
    {
        const uint ExtendedSar = 255;
        if (bits.ReadFlag() && bits.ReadBits(8) == ExtendedSar)
            bits.SkipBits(32);
        if (bits.ReadFlag()) // overscan
            bits.ReadFlag();
        if (bits.ReadFlag()) // video signal type
        {
            bits.SkipBits(4);
            if (bits.ReadFlag())
                bits.SkipBits(24);
        }

        if (bits.ReadFlag()) // chroma location
            SkipUe(ref bits, 2);
        bits.SkipBits(3); // neutral chroma, field sequence, frame field info
        if (bits.ReadFlag()) // default display window
            SkipUe(ref bits, 4);
        if (!bits.ReadFlag())
            return 0;
        uint ticks = bits.ReadBits(32), scale = bits.ReadBits(32);
        return bits.Failed || ticks == 0 ? 0 : (double)scale / ticks;
    }

    /// <summary>Passes over Exp-Golomb codes; signed ones have the same length.</summary>
    private static void SkipUe(ref BitReader bits, int count)
    {
        for (int i = 0; i < count && !bits.Failed; i++)
            bits.ReadUe();
    }
}
