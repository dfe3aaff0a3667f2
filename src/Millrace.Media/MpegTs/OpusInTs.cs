namespace Millrace.Media.MpegTs;

/// <summary>Opus in MPEG-TS (the draft ETSI TS "Opus", which ffmpeg, GStreamer and browsers' players implement).</summary>
internal static class OpusInTs
{
    /// <summary>No layout that a channel_config_code below 9 can name.</summary>
    public const byte UnknownLayout = 0xFF;

    private const int FamilyAt = 18, TableAt = 19;

    /// <summary>Coupled streams of Vorbis layouts with 1 to 8 channels.</summary>
    private static ReadOnlySpan<byte> CoupledStreams => [0, 1, 1, 2, 2, 2, 3, 3];

    /// <summary>
    /// channel_config_code: the number of channels when they are laid out as Vorbis does (RFC 7845 5.1.1.2) with the usual coupling;
    /// else <see cref="UnknownLayout"/>.
    /// </summary>
    public static byte ChannelCodeOf(Config config)
    {
        ReadOnlySpan<byte> head = config.InitData.Span;
        int channels = config.Channels;
        if (head.Length <= FamilyAt || channels is < 1 or > 8)
            return UnknownLayout;
        if (head[FamilyAt] == 0)
            return (byte)channels;
        ReadOnlySpan<byte> map = channels switch
        {
            1 => [0],
            2 => [0, 1],
            3 => [0, 2, 1],
            4 => [0, 1, 2, 3],
            5 => [0, 4, 1, 2, 3],
            6 => [0, 4, 1, 2, 3, 5],
            7 => [0, 4, 1, 2, 3, 5, 6],
            _ => [0, 6, 1, 2, 3, 4, 5, 7],
        };
        int coupled = CoupledStreams[channels - 1];
        ReadOnlySpan<byte> table = head[TableAt..];
        bool isUsual = head[FamilyAt] == 1 && table.Length >= 2 && table[0] == channels - coupled && table[1] == coupled
            && table[2..].StartsWith(map);
        return isUsual ? (byte)channels : UnknownLayout;
    }

    /// <summary>opus_control_header: 11 bits 0x3FF, no trims, no extension, and the size in bytes of 255 and a last one below.</summary>
    public static void AppendHeader(HeldBytes target, int packetLength)
    {
        target.Append([0x7F, 0xE0]);
        for (; packetLength >= 255; packetLength -= 255)
            target.Append([255]);
        target.Append([(byte)packetLength]);
    }
}
