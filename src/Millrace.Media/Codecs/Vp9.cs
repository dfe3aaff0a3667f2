using System.Diagnostics.CodeAnalysis;
using Millrace.Media.Bits;

namespace Millrace.Media.Codecs;

/// <summary>VP9: vpcC records (VP Codec ISO Media File Format Binding) and the uncompressed header of frames (VP9 6.2).</summary>
public static class Vp9
{
    private const int RecordLength = 8;
    private const byte RgbColourSpace = 7;

    /// <summary>
    /// Reads a vpcC, with or without the version and flags of an MP4 box (senders of Enhanced RTMP differ); <see cref="Config.InitData"/> is always
    /// without. The size is 0: only key frames have it (<see cref="TryParseConfigFromFrame"/>).
    /// </summary>
    public static bool TryParseConfig(
        ReadOnlySpan<byte> vpcC, [NotNullWhen(true)] out Config? config, [NotNullWhen(false)] out string? error)
    {
        config = null;
        // Read as a bare record the box's version and flags would be a bit depth of 0, so there is no doubt which it is.
        ReadOnlySpan<byte> versionAndFlags = [1, 0, 0, 0];
        if (vpcC.StartsWith(versionAndFlags))
            vpcC = vpcC[versionAndFlags.Length..];
        if (vpcC.Length < RecordLength)
        {
            error = "vpcC: cut short";
            return false;
        }

        int profile = vpcC[0], level = vpcC[1], depth = vpcC[2] >> 4;
        if (profile > 3 || depth is not (8 or 10 or 12))
        {
            error = "vpcC: profile or bit depth out of range";
            return false;
        }

        error = null;
        config = Make(vpcC.ToArray(), profile, level, depth, 0, 0);
        return true;
    }

    /// <summary>
    /// Reads the size (and, without <paramref name="declared"/>, all else) from a key frame. The level is then the lowest that holds
    /// the picture at up to 60 pictures a second, since a frame does not declare it.
    /// </summary>
    public static bool TryParseConfigFromFrame(
        ReadOnlySpan<byte> frame, Config? declared, [NotNullWhen(true)] out Config? config, [NotNullWhen(false)] out string? error)
    {
        config = null;
        if (!TryReadHeader(frame, out KeyFrameHeader header) || !header.IsKey || header.Width == 0)
        {
            error = "not a VP9 key frame, or a malformed one";
            return false;
        }

        error = null;
        if (declared is { Codec: Codec.Vp9 } && declared.InitData.Length >= RecordLength)
        {
            ReadOnlySpan<byte> known = declared.InitData.Span;
            config = Make(declared.InitData, known[0], known[1], known[2] >> 4, header.Width, header.Height);
            return true;
        }

        int level = LevelOf((long)header.Width * header.Height);
        const byte Unspecified = 2; // colour, ISO/IEC 23091-2
        byte format = (byte)((header.Depth << 4) | (header.Chroma << 1) | (header.IsFullRange ? 1 : 0));
        byte[] record = [(byte)header.Profile, (byte)level, format, Unspecified, Unspecified, Unspecified, 0, 0];
        config = Make(record, header.Profile, level, header.Depth, header.Width, header.Height);
        return true;
    }

    /// <summary>The frame (or the first of a superframe) is a key frame.</summary>
    public static bool IsKey(ReadOnlySpan<byte> frame) => TryReadHeader(frame, out KeyFrameHeader header) && header.IsKey;

    private static Config Make(ReadOnlyMemory<byte> record, int profile, int level, int depth, int width, int height) => new()
    {
        Codec = Codec.Vp9,
        InitData = record,
        CodecString = $"vp09.{profile:D2}.{level:D2}.{depth:D2}",
        Width = width,
        Height = height,
    };

    /// <summary>False unless it is a frame; only a key frame's size is read.</summary>
    private static bool TryReadHeader(ReadOnlySpan<byte> frame, out KeyFrameHeader header)
    {
        header = default;
        const uint FrameMarker = 2, SyncCode = 0x498342;
        var bits = new BitReader(frame);
        if (bits.ReadBits(2) != FrameMarker)
            return false;
        int profile = (int)(bits.ReadBits(1) | (bits.ReadBits(1) << 1));
        bool isReserved = profile == 3 && bits.ReadFlag();
        bool showsExisting = bits.ReadFlag();
        bool isKey = !showsExisting && !bits.ReadFlag();
        if (isReserved || bits.Failed)
            return false;
        if (!isKey)
            return true;
        bits.SkipBits(2); // show_frame, error_resilient_mode
        if (bits.ReadBits(24) != SyncCode)
            return false;
        int depth = profile < 2 ? 8 : bits.ReadFlag() ? 12 : 10;
        int chroma = ReadChroma(ref bits, profile, out bool isFullRange);
        int width = (int)bits.ReadBits(16) + 1, height = (int)bits.ReadBits(16) + 1;
        header = new KeyFrameHeader(isKey, profile, depth, chroma, isFullRange, width, height);
        return !bits.Failed;
    }

    /// <summary>color_config (6.2.2). Gives vpcC's chromaSubsampling: 1 = 4:2:0, 2 = 4:2:2, 3 = 4:4:4 (4:4:0 has no number; 1).</summary>
    private static int ReadChroma(ref BitReader bits, int profile, out bool isFullRange)
    {
        bool isOdd = (profile & 1) != 0;
        if (bits.ReadBits(3) == RgbColourSpace)
        {
            isFullRange = true;
            if (isOdd)
                bits.ReadFlag();
            return 3;
        }

        isFullRange = bits.ReadFlag();
        if (!isOdd)
            return 1;
        bool subX = bits.ReadFlag(), subY = bits.ReadFlag();
        bits.ReadFlag(); // reserved
        return subY ? 1 : subX ? 2 : 3;
    }

    /// <summary>The levels' largest luma pictures (VP9 Levels); of those of one size the one for the higher rate.</summary>
    private static int LevelOf(long pixels) => pixels switch
    {
        <= 36_864 => 10,
        <= 73_728 => 11,
        <= 122_880 => 20,
        <= 245_760 => 21,
        <= 552_960 => 30,
        <= 983_040 => 31,
        <= 2_228_224 => 41,
        <= 8_912_896 => 51,
        _ => 61,
    };

    private readonly record struct KeyFrameHeader(
        bool IsKey, int Profile, int Depth, int Chroma, bool IsFullRange, int Width, int Height);
}
