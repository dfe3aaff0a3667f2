using System.Buffers.Binary;

namespace Millrace.Media.Mp4;

/// <summary>
/// Writes boxes with 32-bit sizes (ISO/IEC 14496-12 4.2) into memory that the caller has measured; past its end it throws.
/// </summary>
internal ref struct BoxWriter(Span<byte> target)
{
    private readonly Span<byte> _target = target;

    /// <summary>Bytes written so far.</summary>
    public int Length { get; private set; }

    /// <summary>Opens a box; gives its start, which <see cref="End"/> takes.</summary>
    /// <param name="type">Four characters.</param>
    public int Begin(ReadOnlySpan<byte> type)
    {
        int start = Length;
        WriteUInt32(0);
        Write(type);
        return start;
    }

    /// <summary>Opens a FullBox.</summary>
    public int Begin(ReadOnlySpan<byte> type, byte version, int flags)
    {
        int start = Begin(type);
        WriteUInt32(((uint)version << 24) | (uint)flags);
        return start;
    }

    public readonly void End(int start) =>
        BinaryPrimitives.WriteUInt32BigEndian(_target[start..], (uint)(Length - start));

    public void WriteByte(int value) => _target[Length++] = (byte)value;

    public void WriteUInt16(int value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_target[Length..], (ushort)value);
        Length += sizeof(ushort);
    }

    public void WriteUInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_target[Length..], value);
        Length += sizeof(uint);
    }

    public void WriteUInt64(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(_target[Length..], value);
        Length += sizeof(ulong);
    }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_target[Length..]);
        Length += bytes.Length;
    }

    public void WriteZeros(int count)
    {
        _target.Slice(Length, count).Clear();
        Length += count;
    }
}
