using System.Buffers;
using System.Buffers.Binary;

namespace Millrace.Protocols.Rtmp;

/// <summary>What <see cref="RtmpLink.Handle"/> did with a message.</summary>
internal enum RtmpControlResult : byte
{
    /// <summary>No control message: the session's business.</summary>
    NotControl,
    Handled,

    /// <summary>The client set its buffer length, milliseconds.</summary>
    BufferLength,

    /// <summary>The server ended a stream (StreamEOF).</summary>
    StreamEof,
}

/// <summary>
/// What both ends of a connection share after the handshake: chunks in and out, acknowledgements, pings, and the one reason why it
/// was closed.
/// </summary>
internal sealed class RtmpLink(RtmpOptions options, long nowMicros) : IDisposable
{
    private const long None = long.MaxValue;

    private uint _peerWindow = options.AckWindow;
    private uint _announcedWindow;
    private long _acknowledged;
    private long _nextPing = options.PingMicros > 0 ? nowMicros + options.PingMicros : None;
    private long _pingDeadline = None;

    public RtmpChunkReader Reader { get; } = new(options);

    public RtmpChunkWriter Writer { get; } = new();

    public string? CloseReason { get; private set; }

    public bool IsClosed => CloseReason is not null;

    /// <summary>Bytes received, handshake included; the wire shows the low 32 bits.</summary>
    public long Received { get; private set; }

    /// <summary>Last sequence number that the peer acknowledged.</summary>
    public uint PeerAcknowledged { get; private set; }

    /// <summary>Next ping or ping timeout, microseconds.</summary>
    public long NextDeadline => Math.Min(_nextPing, _pingDeadline);

    public void Close(string reason)
    {
        CloseReason ??= reason;
        Reader.Dispose();
    }

    public void Dispose() => Close("closed by this side");

    /// <summary>Counts consumed bytes and acknowledges them when half the peer's window is full (5.4.3).</summary>
    public void Count(long bytes, IBufferWriter<byte> reply)
    {
        if (bytes == 0)
        {
            return;
        }

        // Any bytes prove that the peer is alive: some never answer pings.
        _pingDeadline = None;
        Received += bytes;
        if (!IsClosed && Received - _acknowledged > _peerWindow / 2)
        {
            _acknowledged = Received;
            Writer.WriteControl(reply, RtmpMessageType.Acknowledgement, unchecked((uint)Received));
        }
    }

    /// <summary>Sends our ping, or ends a connection that was silent after one.</summary>
    public void OnDeadline(long nowMicros, IBufferWriter<byte> reply)
    {
        if (IsClosed)
        {
            return;
        }

        if (nowMicros >= _pingDeadline)
        {
            Close($"no answer to a ping for {options.PingTimeoutMicros / 1_000_000} s");
            return;
        }

        if (nowMicros >= _nextPing)
        {
            Writer.WriteUserControl(reply, RtmpUserControl.PingRequest, unchecked((uint)(nowMicros / 1000)));
            _nextPing = nowMicros + options.PingMicros;
            _pingDeadline = Math.Min(_pingDeadline, nowMicros + options.PingTimeoutMicros);
        }
    }

    /// <summary>While we ourselves do not read, silence proves nothing.</summary>
    public void Pardon(long nowMicros)
    {
        _pingDeadline = None;
        _nextPing = options.PingMicros > 0 ? nowMicros + options.PingMicros : None;
    }

    /// <summary>Announces our chunk size and uses it from the next message on (5.4.1).</summary>
    public void WriteChunkSize(IBufferWriter<byte> reply)
    {
        Writer.WriteControl(reply, RtmpMessageType.SetChunkSize, (uint)options.ChunkSize);
        Writer.ChunkSize = options.ChunkSize;
    }

    public void WriteWindow(IBufferWriter<byte> reply)
    {
        Writer.WriteControl(reply, RtmpMessageType.WindowAckSize, options.AckWindow);
        _announcedWindow = options.AckWindow;
    }

    /// <summary>Handles protocol and user control messages (5.4, 7.1.7). Malformed ones end the connection.</summary>
    public RtmpControlResult Handle(in RtmpMessage message, IBufferWriter<byte> reply, out uint value)
    {
        value = 0;
        if (message.Type is < RtmpMessageType.SetChunkSize or > RtmpMessageType.SetPeerBandwidth)
        {
            return RtmpControlResult.NotControl;
        }

        var body = message.Payload.Span;
        if (message.Type == RtmpMessageType.UserControl)
        {
            return HandleUserControl(body, reply, out value);
        }

        if (body.Length < 4)
        {
            Close($"control message {message.Type} of {body.Length} bytes");
            return RtmpControlResult.Handled;
        }

        value = BinaryPrimitives.ReadUInt32BigEndian(body);
        switch (message.Type)
        {
            case RtmpMessageType.SetChunkSize:
                SetPeerChunkSize(value);
                break;
            case RtmpMessageType.Abort:
                Reader.Abort(value > RtmpIds.MaxCsid ? -1 : (int)value);
                break;
            case RtmpMessageType.Acknowledgement:
                PeerAcknowledged = value;
                break;
            case RtmpMessageType.WindowAckSize when value > 0:
                _peerWindow = value;
                break;
            case RtmpMessageType.SetPeerBandwidth when _announcedWindow != value && value > 0:
                // The answer that 5.4.5 asks for; once per value, so that two strict peers cannot echo each other for ever.
                _announcedWindow = value;
                Writer.WriteControl(reply, RtmpMessageType.WindowAckSize, value);
                break;
        }

        return RtmpControlResult.Handled;
    }

    private RtmpControlResult HandleUserControl(ReadOnlySpan<byte> body, IBufferWriter<byte> reply, out uint value)
    {
        value = 0;
        if (body.Length < 6)
        {
            // Event types without data exist (SWF verification, 0x1A): nothing to answer.
            return RtmpControlResult.Handled;
        }

        value = BinaryPrimitives.ReadUInt32BigEndian(body[2..]);
        switch ((RtmpUserControl)BinaryPrimitives.ReadUInt16BigEndian(body))
        {
            case RtmpUserControl.PingRequest:
                Writer.WriteUserControl(reply, RtmpUserControl.PingResponse, value);
                return RtmpControlResult.Handled;
            case RtmpUserControl.StreamEof:
                return RtmpControlResult.StreamEof;
            case RtmpUserControl.SetBufferLength when body.Length >= 10:
                value = BinaryPrimitives.ReadUInt32BigEndian(body[6..]);
                return RtmpControlResult.BufferLength;
            default:
                return RtmpControlResult.Handled;
        }
    }

    private void SetPeerChunkSize(uint value)
    {
        if (value is 0 or > int.MaxValue)
        {
            Close($"chunk size {value} is not allowed");
            return;
        }

        Reader.ChunkSize = (int)value;
    }
}
