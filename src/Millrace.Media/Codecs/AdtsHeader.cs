using System.Diagnostics.CodeAnalysis;
using Millrace.Media.Bits;

namespace Millrace.Media.Codecs;

/// <summary>The header in front of each AAC frame of an ADTS stream (ISO/IEC 14496-3 1.A.2.2).</summary>
/// <param name="ObjectType">Audio object type 1 to 4.</param>
/// <param name="SampleRate">Hz.</param>
/// <param name="ChannelConfiguration">Table 1.19; 0 when the frame itself says it.</param>
/// <param name="HeaderLength">7 bytes, or 9 with a CRC.</param>
/// <param name="FrameLength">Bytes of the frame with its header; never less than <paramref name="HeaderLength"/>.</param>
/// <param name="RawBlocks">Raw data blocks in the frame, 1 to 4, of 1,024 samples each.</param>
public readonly record struct AdtsHeader(
    int ObjectType, int SampleRate, int ChannelConfiguration, int HeaderLength, int FrameLength, int RawBlocks)
{
    /// <summary>Bytes of a header without CRC.</summary>
    public const int Length = 7;

    /// <summary>The frame length field has 13 bits.</summary>
    public const int MaxFrameLength = 8191;

    /// <summary>False when the syncword is not there, a field is reserved, or fewer than 7 bytes are given.</summary>
    public static bool TryParse(ReadOnlySpan<byte> data, out AdtsHeader header)
    {
        header = default;
        var bits = new BitReader(data);
        if (bits.ReadBits(12) != 0xFFF)
            return false;
        bits.ReadFlag(); // MPEG-4 or MPEG-2
        uint layer = bits.ReadBits(2);
        bool hasCrc = !bits.ReadFlag();
        int type = (int)bits.ReadBits(2) + 1;
        int index = (int)bits.ReadBits(4);
        bits.ReadFlag(); // private
        int channels = (int)bits.ReadBits(3);
        bits.SkipBits(4); // original, home, copyright id
        int length = (int)bits.ReadBits(13);
        bits.SkipBits(11); // buffer fullness
        int blocks = (int)bits.ReadBits(2) + 1;
        int headerLength = hasCrc ? 9 : Length;
        if (bits.Failed || layer != 0 || index >= Aac.SampleRates.Length || length < headerLength)
            return false;
        header = new AdtsHeader(type, Aac.SampleRates[index], channels, headerLength, length, blocks);
        return true;
    }

    /// <summary>Writes the 7-byte header of a frame with <paramref name="payloadLength"/> bytes.</summary>
    /// <param name="target">At least 7 bytes.</param>
    /// <param name="config">An AAC Config whose AudioSpecificConfig begins with object type 1 to 4 and a rate of the table.</param>
    /// <param name="payloadLength">Bytes of the AAC frame.</param>
    /// <returns>False when ADTS cannot carry it; then nothing is written.</returns>
    public static bool TryWrite(Span<byte> target, Config config, int payloadLength)
    {
        var bits = new BitReader(config.InitData.Span);
        int type = (int)bits.ReadBits(5), index = (int)bits.ReadBits(4), channels = (int)bits.ReadBits(4);
        if (type is 5 or 29 && index < Aac.SampleRates.Length)
        {
            // ADTS carries the core; a decoder finds the SBR in it by itself.
            bits.SkipBits(bits.ReadBits(4) == 15 ? 24 : 0);
            type = (int)bits.ReadBits(5);
        }

        int length = payloadLength + Length;
        if (bits.Failed || target.Length < Length || payloadLength < 0 || length > MaxFrameLength
            || type is < 1 or > 4 || index >= Aac.SampleRates.Length || channels > 7)
        {
            return false;
        }

        const int VariableRate = 0x7FF;
        target[0] = 0xFF;
        target[1] = 0xF1; // MPEG-4, no CRC
        target[2] = (byte)(((type - 1) << 6) | (index << 2) | (channels >> 2));
        target[3] = (byte)((channels << 6) | (length >> 11));
        target[4] = (byte)(length >> 3);
        target[5] = (byte)((length << 5) | (VariableRate >> 6));
        target[6] = (VariableRate << 2) & 0xFF;
        return true;
    }

    /// <summary>The Config of this header's stream.</summary>
    public bool TryToConfig([NotNullWhen(true)] out Config? config, [NotNullWhen(false)] out string? error) =>
        Aac.TryBuildConfig(ObjectType, SampleRate, AudioSpecificConfig.ChannelsOf(ChannelConfiguration), out config, out error);
}
