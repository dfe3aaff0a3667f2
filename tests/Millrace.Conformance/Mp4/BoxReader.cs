using System.Buffers.Binary;

namespace Millrace.Conformance.Mp4;

/// <summary>The bytes do not have the form that ISO/IEC 14496-12 gives them.</summary>
internal sealed class Mp4Exception(string message) : Exception(message);

/// <summary>Walks the boxes of one level (ISO/IEC 14496-12 §4.2).</summary>
internal ref struct BoxReader(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _at;

    /// <summary>Four characters.</summary>
    public string Type { get; private set; } = "";

    /// <summary>What follows the header.</summary>
    public ReadOnlySpan<byte> Body { get; private set; }

    /// <summary>Where the box begins within the level's bytes.</summary>
    public int Start { get; private set; }

    public bool Next()
    {
        if (_at == _bytes.Length)
            return false;
        var rest = _bytes[_at..];
        if (rest.Length < 8)
            throw new Mp4Exception($"{rest.Length} bytes after the last box");
        long size = BinaryPrimitives.ReadUInt32BigEndian(rest);
        Type = System.Text.Encoding.Latin1.GetString(rest.Slice(4, 4));
        var header = 8;
        if (size == 1 && rest.Length >= 16)
        {
            size = (long)BinaryPrimitives.ReadUInt64BigEndian(rest[8..]);
            header = 16;
        }
        else if (size == 0)
        {
            size = rest.Length;
        }

        if (size < header || size > rest.Length)
            throw new Mp4Exception($"box {Type} says {size} bytes of {rest.Length}");
        Start = _at;
        Body = rest[header..(int)size];
        _at += (int)size;
        return true;
    }

    /// <summary>The body of the first box of this type; empty when there is none.</summary>
    public static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> level, string type)
    {
        var reader = new BoxReader(level);
        while (reader.Next())
        {
            if (reader.Type == type)
                return reader.Body;
        }

        return default;
    }

    public static uint U32(ReadOnlySpan<byte> bytes, int at) =>
        at + 4 <= bytes.Length ? BinaryPrimitives.ReadUInt32BigEndian(bytes[at..]) : throw new Mp4Exception("a box is too short");

    public static ulong U64(ReadOnlySpan<byte> bytes, int at) =>
        at + 8 <= bytes.Length ? BinaryPrimitives.ReadUInt64BigEndian(bytes[at..]) : throw new Mp4Exception("a box is too short");
}
