using System.Runtime.InteropServices;
using Millrace.Media.Bits;

namespace Millrace.Media.Codecs;

/// <summary>sequence_header_obu (AV1 5.5) up to its colour configuration. Level and tier are those of operating point 0.</summary>
/// <param name="FlagsOfRecord">The third byte of av1C: tier, bit depth, monochrome, subsampling, sample position.</param>
/// <param name="IsReduced">reduced_still_picture_header: frame headers carry no frame type.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Av1SequenceHeader(
    byte Profile, byte Level, byte FlagsOfRecord, bool IsReduced, int Width, int Height, double FrameRate)
{
    private const int SelectByFrame = 2;

    public static bool TryParse(ReadOnlySpan<byte> payload, out Av1SequenceHeader header)
    {
        header = default;
        var bits = new BitReader(payload);
        uint profile = bits.ReadBits(3);
        bits.ReadFlag(); // still_picture
        bool isReduced = bits.ReadFlag();
        uint level, tier = 0;
        double rate = 0;
        if (isReduced)
            level = bits.ReadBits(5);
        else
            ReadOperatingPoints(ref bits, out level, out tier, out rate);

        int widthBits = (int)bits.ReadBits(4) + 1, heightBits = (int)bits.ReadBits(4) + 1;
        int width = (int)bits.ReadBits(widthBits) + 1, height = (int)bits.ReadBits(heightBits) + 1;
        SkipTools(ref bits, isReduced);
        byte colour = ReadColour(ref bits, profile);
        if (bits.Failed || profile > 2)
            return false;
        header = new Av1SequenceHeader(
            (byte)profile, (byte)level, (byte)((tier << 7) | colour), isReduced, width, height, rate);
        return true;
    }

    private static void ReadOperatingPoints(ref BitReader bits, out uint level, out uint tier, out double rate)
    {
        level = tier = 0;
        rate = 0;
        int delayBits = 0;
        if (bits.ReadFlag()) // timing_info
        {
            uint ticks = bits.ReadBits(32), scale = bits.ReadBits(32);
            bool isConstant = bits.ReadFlag();
            double ticksPerPicture = isConstant ? (double)bits.ReadUe() + 1 : 0;
            rate = isConstant && ticks > 0 ? scale / (ticks * ticksPerPicture) : 0;
            if (bits.ReadFlag()) // decoder_model_info
            {
                delayBits = (int)bits.ReadBits(5) + 1;
                bits.SkipBits(32 + 5 + 5);
            }
        }

        bool hasDisplayDelay = bits.ReadFlag();
        uint points = bits.ReadBits(5) + 1;
        for (uint i = 0; i < points && !bits.Failed; i++)
        {
            bits.SkipBits(12); // operating_point_idc
            uint pointLevel = bits.ReadBits(5);
            uint pointTier = pointLevel > 7 ? bits.ReadBits(1) : 0;
            if (delayBits > 0 && bits.ReadFlag())
                bits.SkipBits((2 * delayBits) + 1);
            if (hasDisplayDelay && bits.ReadFlag())
                bits.SkipBits(4);
            if (i == 0)
                (level, tier) = (pointLevel, pointTier);
        }
    }

    private static void SkipTools(ref BitReader bits, bool isReduced)
    {
        if (!isReduced && bits.ReadFlag())
            bits.SkipBits(4 + 3); // lengths of frame ids
        bits.SkipBits(3); // 128x128 superblocks, filter intra, intra edge filter
        if (!isReduced)
        {
            bits.SkipBits(4); // inter-intra, masked, warped motion, dual filter
            bool hasOrderHint = bits.ReadFlag();
            if (hasOrderHint)
                bits.SkipBits(2);
            uint screenContent = bits.ReadFlag() ? SelectByFrame : bits.ReadBits(1);
            if (screenContent > 0 && !bits.ReadFlag())
                bits.ReadFlag(); // seq_force_integer_mv
            if (hasOrderHint)
                bits.SkipBits(3);
        }

        bits.SkipBits(3); // superres, cdef, restoration
    }

    /// <summary>color_config (5.5.2), as the low seven bits of av1C's third byte.</summary>
    private static byte ReadColour(ref BitReader bits, uint profile)
    {
        bool isHigh = bits.ReadFlag();
        bool isTwelve = profile == 2 && isHigh && bits.ReadFlag();
        bool isMono = profile != 1 && bits.ReadFlag();
        bool isSrgb = false;
        if (bits.ReadFlag())
            isSrgb = bits.ReadBits(24) == 0x01_0D_00; // BT.709 primaries, sRGB transfer, identity matrix

        uint subX = 1, subY = 1, position = 0;
        if (isMono)
        {
            bits.ReadFlag(); // color_range
        }
        else if (isSrgb)
        {
            subX = subY = 0;
        }
        else
        {
            bits.ReadFlag(); // color_range
            if (profile == 1)
                subX = subY = 0;
            else if (profile == 2 && isTwelve)
                subY = (subX = bits.ReadBits(1)) != 0 ? bits.ReadBits(1) : 0;
            else if (profile == 2)
                subY = 0;
            position = subX != 0 && subY != 0 ? bits.ReadBits(2) : 0;
        }

        return (byte)((isHigh ? 0x40u : 0) | (isTwelve ? 0x20u : 0) | (isMono ? 0x10u : 0) | (subX << 3) | (subY << 2) | position);
    }
}
