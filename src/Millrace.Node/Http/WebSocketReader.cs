using System.Buffers.Binary;

namespace Millrace.Node.Http;

/// <summary>
/// The little that a viewer says over its WebSocket: pings are answered, a close is returned, all else is dropped
/// (RFC 6455 5.2, 5.5). Frames may come in any pieces.
/// </summary>
internal sealed class WebSocketReader
{
    /// <summary>Close, status 1001: the endpoint goes away.</summary>
    public static readonly byte[] GoingAway = [0x88, 2, 0x03, 0xE9];

    private const int MaxControl = 125;
    private const int Close = 8;
    private const int Ping = 9;

    private readonly byte[] _head = new byte[14];
    private readonly byte[] _reply = new byte[2 + MaxControl];
    private int _headLength;
    private long _rest;
    private int _taken;
    private bool _inPayload;

    public bool IsClosing { get; private set; }

    public string? Error { get; private set; }

    /// <summary>Consumes input; true with each control frame that has to be sent back.</summary>
    public bool TryRead(ref Span<byte> input, out ReadOnlyMemory<byte> reply)
    {
        reply = default;
        while (!input.IsEmpty && Error is null && !IsClosing)
        {
            if (!_inPayload && !TryTakeHead(ref input))
                continue;
            TakePayload(ref input);
            if (_rest > 0)
                continue;
            _inPayload = false;
            _headLength = 0;
            var opcode = _head[0] & 15;
            if (opcode is not (Close or Ping))
                continue;
            const byte Final = 0x80;
            const byte Pong = 10;
            _reply[0] = (byte)(Final | (opcode == Ping ? Pong : Close));
            _reply[1] = (byte)_taken;
            IsClosing = opcode == Close;
            reply = _reply.AsMemory(0, 2 + _taken);
            return true;
        }

        return false;
    }

    private bool TryTakeHead(ref Span<byte> input)
    {
        _head[_headLength++] = input[0];
        input = input[1..];
        if (_headLength < 2)
            return false;
        var code = _head[1] & 0x7F;
        if ((_head[1] & 0x80) == 0)
        {
            Error = "an unmasked WebSocket frame";
            return false;
        }

        var lengthBytes = code switch { 126 => 2, 127 => 8, _ => 0 };
        if (_headLength < 2 + lengthBytes + 4)
            return false;
        _rest = code switch
        {
            126 => BinaryPrimitives.ReadUInt16BigEndian(_head.AsSpan(2)),
            127 => BinaryPrimitives.ReadInt64BigEndian(_head.AsSpan(2)),
            _ => code,
        };
        if (_rest < 0 || ((_head[0] & 8) != 0 && _rest > MaxControl))
        {
            Error = "a malformed WebSocket frame";
            return false;
        }

        _taken = 0;
        _inPayload = true;
        return true;
    }

    private void TakePayload(ref Span<byte> input)
    {
        var count = (int)Math.Min(_rest, input.Length);
        if ((_head[0] & 8) != 0)
        {
            var mask = _head.AsSpan(_headLength - 4, 4);
            for (var i = 0; i < count; i++)
                _reply[2 + _taken + i] = (byte)(input[i] ^ mask[(_taken + i) & 3]);
            _taken += count;
        }

        _rest -= count;
        input = input[count..];
    }
}
