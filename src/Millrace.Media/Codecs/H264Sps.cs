using System.Runtime.InteropServices;
using Millrace.Media.Bits;

namespace Millrace.Media.Codecs;

/// <summary>The part of a sequence parameter set (H.264 7.3.2.1.1) that a server needs.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct H264Sps(
    byte ProfileIdc, byte ChromaFormat, int BitDepthLuma, int BitDepthChroma, int Width, int Height, double FrameRate)
{
    /// <summary>Above level 6.2's 16,880 pixels, and small enough that no product overflows.</summary>
    private const uint MaxMacroblocks = 2048;

    /// <param name="nal">The NAL unit with its header byte.</param>
    /// <param name="sps">The values; <see cref="FrameRate"/> is 0 without VUI timing, also when the VUI is cut.</param>
    public static bool TryParse(ReadOnlySpan<byte> nal, out H264Sps sps)
    {
        sps = default;
        var bits = new BitReader(nal, isNal: true);
        if ((H264Nal)(bits.ReadBits(8) & 0x1F) != H264Nal.Sps)
            return false;
        byte profile = (byte)bits.ReadBits(8);
        bits.SkipBits(16); // constraint flags, level
        bits.ReadUe(); // id
        if (!TryReadChroma(ref bits, profile, out byte chroma, out bool separatePlanes, out int luma, out int chromaDepth)
            || !TrySkipOrder(ref bits))
        {
            return false;
        }

        bits.ReadUe(); // max_num_ref_frames
        bits.ReadFlag(); // gaps allowed
        uint widthInMbs = bits.ReadUe() + 1;
        uint mapHeight = bits.ReadUe() + 1;
        bool framesOnly = bits.ReadFlag();
        if (!framesOnly)
            bits.ReadFlag(); // mb_adaptive_frame_field
        bits.ReadFlag(); // direct_8x8_inference
        if (bits.Failed || widthInMbs - 1 >= MaxMacroblocks || mapHeight - 1 >= MaxMacroblocks)
            return false;

        int fields = framesOnly ? 1 : 2;
        long width = widthInMbs * 16, height = mapHeight * 16 * fields;
        if (bits.ReadFlag())
        {
            // CropUnitX, CropUnitY (7-19 to 7-22); planes coded separately count as monochrome.
            int unitX = chroma is 1 or 2 && !separatePlanes ? 2 : 1;
            int unitY = (chroma == 1 && !separatePlanes ? 2 : 1) * fields;
            width -= ((long)bits.ReadUe() + bits.ReadUe()) * unitX;
            height -= ((long)bits.ReadUe() + bits.ReadUe()) * unitY;
        }

        bool hasVui = bits.ReadFlag();
        if (bits.Failed || width <= 0 || height <= 0)
            return false;
        sps = new H264Sps(profile, chroma, luma, chromaDepth, (int)width, (int)height, hasVui ? ReadFrameRate(ref bits) : 0);
        return true;
    }

    private static bool TryReadChroma(
        ref BitReader bits, byte profile, out byte chroma, out bool separatePlanes, out int luma, out int chromaDepth)
    {
        chroma = 1;
        separatePlanes = false;
        luma = chromaDepth = 8;
        if (profile is not (100 or 110 or 122 or 244 or 44 or 83 or 86 or 118 or 128 or 138 or 139 or 134 or 135))
            return true;

        uint format = bits.ReadUe();
        if (format == 3)
            separatePlanes = bits.ReadFlag();
        uint lumaMinus8 = bits.ReadUe(), chromaMinus8 = bits.ReadUe();
        if (bits.Failed || format > 3 || lumaMinus8 > 6 || chromaMinus8 > 6)
            return false;
        chroma = (byte)format;
        luma += (int)lumaMinus8;
        chromaDepth += (int)chromaMinus8;
        bits.ReadFlag(); // qpprime_y_zero_transform_bypass
        if (bits.ReadFlag())
            SkipScalingLists(ref bits, format == 3 ? 12 : 8);
        return !bits.Failed;
    }

    /// <summary>7.3.2.1.1.1: a list ends early when the next scale becomes 0.</summary>
    private static void SkipScalingLists(ref BitReader bits, int lists)
    {
        for (int list = 0; list < lists; list++)
        {
            if (!bits.ReadFlag())
                continue;
            int size = list < 6 ? 16 : 64, last = 8;
            for (int i = 0; i < size && last != 0; i++)
                last = (last + bits.ReadSe()) & 0xFF;
        }
    }

    private static bool TrySkipOrder(ref BitReader bits)
    {
        bits.ReadUe(); // log2_max_frame_num_minus4
        uint type = bits.ReadUe();
        if (type == 0)
        {
            bits.ReadUe();
        }
        else if (type == 1)
        {
            bits.ReadFlag();
            bits.ReadSe();
            bits.ReadSe();
            uint cycle = bits.ReadUe();
            if (cycle > 255)
                return false;
            for (uint i = 0; i < cycle && !bits.Failed; i++)
                bits.ReadSe();
        }

        return type <= 2 && !bits.Failed;
    }

    /// <summary>E.1.1 up to the timing: a tick is a field, so a picture takes two.</summary>
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
        {
            bits.ReadUe();
            bits.ReadUe();
        }

        if (!bits.ReadFlag())
            return 0;
        uint ticks = bits.ReadBits(32), scale = bits.ReadBits(32);
        return bits.Failed || ticks == 0 ? 0 : scale / (2.0 * ticks);
    }
}
