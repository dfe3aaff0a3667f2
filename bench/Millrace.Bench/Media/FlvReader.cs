using Millrace.Bench.Rtmp;

namespace Millrace.Bench.Media;

/// <summary>FLV bytes to tags (FLV 10.1, annex E).</summary>
internal sealed class FlvReader
{
    private const int FileHeader = 9 + 4;
    private const int TagHeader = 11;
    private readonly ByteQueue _input = new();
    private bool _opened;
    private int _finished;

    public void Append(ReadOnlySpan<byte> bytes) => _input.Append(bytes);

    /// <summary>The payload of a tag is valid until the next call.</summary>
    /// <exception cref="InvalidDataException">The bytes are not FLV.</exception>
    public bool TryRead(out MediaMessage tag)
    {
        tag = default;
        _input.Consume(_finished);
        _finished = 0;
        var span = _input.Span;
        if (!_opened)
        {
            if (span.Length < FileHeader) return false;
            if (!span.StartsWith("FLV\x01"u8)) throw new InvalidDataException("no FLV header");
            _input.Consume(FileHeader);
            _opened = true;
            span = _input.Span;
        }

        if (span.Length < TagHeader) return false;
        int length = (span[1] << 16) | (span[2] << 8) | span[3];
        int whole = TagHeader + length + 4;
        if (span.Length < whole) return false;
        uint time = (uint)((span[4] << 16) | (span[5] << 8) | span[6] | (span[7] << 24));
        int size = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(span[(TagHeader + length)..]);
        if (size != TagHeader + length) throw new InvalidDataException($"previous tag size {size} after a tag of {TagHeader + length}");
        tag = new MediaMessage((byte)(span[0] & 0x1F), time, 0, _input.Memory.Slice(TagHeader, length));
        _finished = whole;
        return true;
    }
}
