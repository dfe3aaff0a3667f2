using System.Buffers;
using System.Buffers.Binary;

namespace Millrace.Protocols.Rtmp;

/// <summary>
/// One media message kept in memory of our own: an aggregate that is handed out piece by piece, or the first media of a publish that
/// nobody has accepted yet.
/// </summary>
internal sealed class RtmpHeldMessage : IDisposable
{
    /// <summary>An FLV tag header inside an aggregate (7.1.6, FLV E.4.1) and the size field behind each tag, bytes.</summary>
    private const int TagHeaderSize = 11;
    private const int BackPointerSize = 4;

    private byte[]? _buffer;
    private RtmpMessage _message;
    private int _position;
    private uint? _shift;

    public bool IsEmpty => _buffer is null;

    public void Set(in RtmpMessage message)
    {
        Dispose();
        _buffer = ArrayPool<byte>.Shared.Rent(Math.Max(1, message.Payload.Length));
        message.Payload.CopyTo(_buffer);
        _message = message with { Payload = _buffer.AsMemory(0, message.Payload.Length) };
    }

    /// <summary>The next piece; its payload is valid until the next call. False (and empty) at the end.</summary>
    public bool TryNext(out RtmpMessage piece)
    {
        piece = default;
        if (_buffer is null)
        {
            return false;
        }

        if (_message.Type == RtmpMessageType.Aggregate ? TryNextTag(out piece) : TryWhole(out piece))
        {
            return true;
        }

        Dispose();
        return false;
    }

    public void Dispose()
    {
        if (_buffer is not null)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }

        _buffer = null;
        _message = default;
        _position = 0;
        _shift = null;
    }

    private bool TryWhole(out RtmpMessage piece)
    {
        piece = _message;
        return _position++ == 0;
    }

    private bool TryNextTag(out RtmpMessage piece)
    {
        piece = default;
        var rest = _message.Payload[_position..];
        var head = rest.Span;
        if (head.Length < TagHeaderSize)
        {
            return false;
        }

        var size = head[1] << 16 | head[2] << 8 | head[3];
        if (size > head.Length - TagHeaderSize)
        {
            return false;
        }

        var time = (uint)(head[4] << 16 | head[5] << 8 | head[6] | head[7] << 24);

        // The difference between the message's timestamp and that of the first tag moves every tag (7.1.6).
        _shift ??= unchecked(_message.Timestamp - time);
        var type = (RtmpMessageType)head[0];
        piece = new RtmpMessage(type, unchecked(time + _shift.Value), _message.StreamId, _message.Csid, rest.Slice(TagHeaderSize, size));
        _position = Math.Min(_message.Payload.Length, _position + TagHeaderSize + size + BackPointerSize);
        return true;
    }
}
