using System.Buffers.Binary;

namespace Millrace.Protocols.Rtmp;

/// <summary>The parsed basic and message header of one chunk (5.3.1), before it is applied to its chunk stream.</summary>
internal ref struct RtmpChunkHeader
{
    /// <summary>Longest header: 3 bytes basic, 11 message, 4 extended timestamp.</summary>
    public const int MaxSize = 18;

    public int Format;
    public int Csid;

    /// <summary>Bytes of basic and message header, without an extended timestamp.</summary>
    public int Size;

    /// <summary>The 24-bit field; only with formats 0 to 2.</summary>
    public uint Field;

    public int Length;
    public byte TypeId;
    public uint StreamId;

    /// <summary>False when more bytes are needed.</summary>
    public static bool TryParse(ReadOnlySpan<byte> input, out RtmpChunkHeader header)
    {
        header = default;
        if (input.IsEmpty)
        {
            return false;
        }

        header.Format = input[0] >> 6;
        header.Csid = input[0] & 0x3F;
        var basic = header.Csid switch { 0 => 2, 1 => 3, _ => 1 };
        header.Size = basic + header.Format switch { 0 => 11, 1 => 7, 2 => 3, _ => 0 };
        if (input.Length < header.Size)
        {
            return false;
        }

        header.Csid = basic switch { 2 => 64 + input[1], 3 => 64 + input[1] + (input[2] << 8), _ => header.Csid };
        var rest = input[basic..];
        if (header.Format <= 2)
        {
            header.Field = (uint)(rest[0] << 16 | rest[1] << 8 | rest[2]);
        }

        if (header.Format <= 1)
        {
            header.Length = rest[3] << 16 | rest[4] << 8 | rest[5];
            header.TypeId = rest[6];
        }

        if (header.Format == 0)
        {
            // The only little-endian number of RTMP.
            header.StreamId = BinaryPrimitives.ReadUInt32LittleEndian(rest[7..]);
        }

        return true;
    }
}
