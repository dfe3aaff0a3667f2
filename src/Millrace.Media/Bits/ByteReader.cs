using System.Buffers.Binary;

namespace Millrace.Media.Bits;

/// <summary>Reads big-endian fields of a record. Never throws on input: every read says whether the bytes were there.</summary>
internal ref struct ByteReader(ReadOnlySpan<byte> data)
{
    /// <summary>The bytes not read yet.</summary>
    public ReadOnlySpan<byte> Rest { get; private set; } = data;

    public bool TryReadByte(out byte value)
    {
        if (Rest.IsEmpty)
        {
            value = 0;
            return false;
        }

        value = Rest[0];
        Rest = Rest[1..];
        return true;
    }

    public bool TryReadUInt16(out int value)
    {
        bool read = TryReadSpan(2, out ReadOnlySpan<byte> bytes);
        value = read ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : 0;
        return read;
    }

    public bool TryReadUInt24(out int value)
    {
        bool read = TryReadSpan(3, out ReadOnlySpan<byte> bytes);
        value = read ? BigEndian.ReadUInt24(bytes) : 0;
        return read;
    }

    /// <summary>A four-character code as a big-endian number.</summary>
    public bool TryReadUInt32(out uint value)
    {
        bool read = TryReadSpan(4, out ReadOnlySpan<byte> bytes);
        value = read ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : 0;
        return read;
    }

    public bool TryReadSpan(int length, out ReadOnlySpan<byte> bytes)
    {
        if ((uint)length > (uint)Rest.Length)
        {
            bytes = default;
            return false;
        }

        bytes = Rest[..length];
        Rest = Rest[length..];
        return true;
    }

    /// <summary>A 16-bit length and that many bytes, as avcC and hvcC store a NAL unit.</summary>
    public bool TryReadNal16(out ReadOnlySpan<byte> nal)
    {
        if (TryReadUInt16(out int length) && TryReadSpan(length, out nal))
            return true;
        nal = default;
        return false;
    }
}
