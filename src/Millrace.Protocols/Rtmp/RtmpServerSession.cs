using System.Buffers;

namespace Millrace.Protocols.Rtmp;

/// <summary>
/// The server side of one RTMP connection, without I/O. One publish or one play at a time.
/// <para>
/// Media that arrives between <see cref="RtmpEventKind.PublishRequested"/> and its answer is not lost and not buffered: the session
/// stops consuming at the first such message. After an AcceptPublish or RejectPublish that comes later, call Receive again with
/// what was left, even when the socket brought nothing new.
/// </para>
/// </summary>
internal sealed partial class RtmpServerSession : IDisposable
{
    /// <summary>What unfinished messages may hold while nobody publishes: room for the longest command, and one of the pool's doublings.</summary>
    public const int MaxCommandBytes = 2 * RtmpCommand.MaxBytes;

    private const long None = long.MaxValue;

    private readonly RtmpOptions _options;
    private readonly RtmpLink _link;
    private readonly RtmpCommandWriter _commands;
    private readonly RtmpHeldMessage _held = new();
    private RtmpServerHandshake? _handshake = new(); // null when it is done
    private RtmpEventQueue _events;
    private long _setupDeadline;
    private long _nowMicros;
    private bool _isConnectPending;

    /// <param name="scratch">Where commands are put together; may be shared by all sessions of one thread.</param>
    public RtmpServerSession(RtmpOptions options, long nowMicros, ArrayBufferWriter<byte>? scratch = null)
    {
        _options = options;
        _link = new RtmpLink(options, nowMicros);
        _link.Reader.MaxBufferedBytes = Math.Min(MaxCommandBytes, options.MaxBufferedBytes);
        _commands = new RtmpCommandWriter(_link.Writer, scratch);
        _nowMicros = nowMicros;
        _setupDeadline = Later(options.HandshakeTimeoutMicros);
    }

    /// <summary>What the client said in connect; null before.</summary>
    public RtmpConnect? Connect { get; private set; }

    public bool IsClosed => _link.IsClosed;

    /// <summary>Why the session ended, for the log and for people; null while it is open.</summary>
    public string? CloseReason => _link.CloseReason;

    /// <summary>Set while the session waits for the bridge (see the class) and consumes no input.</summary>
    public bool IsWaitingForBridge => !_held.IsEmpty && _role == Role.PublishPending || _isConnectPending;

    /// <summary>What the client said last, or the option's default; milliseconds.</summary>
    public uint BufferLengthMillis { get; private set; }

    /// <summary>Our chunk size; from the connect result on it is the option's.</summary>
    public int ChunkSize => _link.Writer.ChunkSize;

    /// <summary>Message stream of the current publish or play; 1 for every usual client.</summary>
    public uint MessageStreamId => _stream;

    public long ReceivedBytes => _link.Received;

    /// <summary>Bytes of pooled memory that unfinished messages hold; at most <see cref="MaxCommandBytes"/> before a publish.</summary>
    public long BufferedBytes => _link.Reader.BufferedBytes;

    /// <summary>Sequence number of the peer's last acknowledgement.</summary>
    public uint AcknowledgedBytes => _link.PeerAcknowledged;

    /// <summary>Microseconds; long.MaxValue when nothing is due.</summary>
    public long NextDeadline => IsClosed ? None : Math.Min(_setupDeadline, _handshake is null ? _link.NextDeadline : None);

    /// <summary>
    /// Consumes input until one message brought an event, or the input is used up, or the session waits for the bridge. Less than a
    /// header (at most 1,537 bytes in the handshake, 17 later) may stay unconsumed; the caller offers it again with more. While an event
    /// has not been taken nothing is consumed. The payload of a media event may be a slice of <paramref name="input"/>.
    /// </summary>
    public void Receive(in ReadOnlySequence<byte> input, IBufferWriter<byte> reply, long nowMicros, out SequencePosition consumed)
    {
        _nowMicros = nowMicros;
        if (IsClosed)
        {
            consumed = input.End;
            return;
        }

        var reader = new SequenceReader<byte>(input);
        if (_events.IsEmpty)
        {
            Advance(ref reader, reply);
        }

        _link.Count(reader.Consumed, reply);
        consumed = reader.Position;
    }

    public bool TryTakeEvent(out RtmpEvent e) => _events.TryDequeue(out e);

    /// <summary>Sends a due ping; ends the session when the handshake, the first request or a pong is overdue.</summary>
    public void OnDeadline(long nowMicros, IBufferWriter<byte> reply)
    {
        _nowMicros = nowMicros;
        if (IsClosed)
        {
            return;
        }

        if (nowMicros >= _setupDeadline)
        {
            Close(_handshake is not null ? "handshake not finished in time" : Connect is null ? "no connect in time" : "no publish or play in time");
            return;
        }

        if (IsWaitingForBridge)
        {
            _link.Pardon(nowMicros);
        }
        else if (_handshake is null)
        {
            _link.OnDeadline(nowMicros, reply);
        }
    }

    /// <summary>Ends the session from this side and gives its buffers back; payloads handed out become invalid.</summary>
    public void Close(string reason)
    {
        _link.Close(reason);
        _held.Dispose();
    }

    public void Dispose() => Close("closed by this side");

    private void Advance(ref SequenceReader<byte> reader, IBufferWriter<byte> reply)
    {
        if (_handshake is not null)
        {
            if (_handshake.Advance(ref reader, reply) is { } refusal)
            {
                Close(refusal);
            }

            if (!_handshake.IsDone)
            {
                return;
            }

            _handshake = null;
        }

        EmitHeld();
        while (_events.IsEmpty && !IsClosed && !IsWaitingForBridge)
        {
            if (!_link.Reader.TryRead(ref reader, out var message))
            {
                if (_link.Reader.Error is { } error)
                {
                    Close(error);
                }

                return;
            }

            Dispatch(in message, reply);
        }
    }

    private void Dispatch(in RtmpMessage message, IBufferWriter<byte> reply)
    {
        switch (_link.Handle(in message, reply, out var value))
        {
            case RtmpControlResult.BufferLength:
                BufferLengthMillis = value;
                _events.Enqueue(new RtmpEvent { Kind = RtmpEventKind.SetBufferLength, Millis = value, MessageStreamId = message.StreamId });
                return;
            case RtmpControlResult.NotControl:
                break;
            default:
                return;
        }

        if (message.IsMedia)
        {
            OnMedia(in message);
        }
        else if (message.Type is RtmpMessageType.CommandAmf0 or RtmpMessageType.CommandAmf3)
        {
            if (RtmpCommand.TryParse(in message, out var command))
            {
                OnCommand(command, message.Payload.Length, message.StreamId, reply);
            }
            else
            {
                Close($"malformed command of {message.Payload.Length} bytes");
            }
        }

        // Shared objects and unknown types are skipped: nothing a stream needs.
    }

    private void OnMedia(in RtmpMessage message)
    {
        // Some encoders send metadata on message stream 0.
        if (_role is not (Role.Publishing or Role.PublishPending) || message.StreamId != _stream && message.StreamId != 0)
        {
            return;
        }

        if (_role == Role.PublishPending || message.Type == RtmpMessageType.Aggregate)
        {
            _held.Set(in message);
            EmitHeld();
            return;
        }

        Emit(in message);
    }

    private void EmitHeld()
    {
        if (_role == Role.PublishPending)
        {
            return;
        }

        if (_role != Role.Publishing)
        {
            _held.Dispose();
        }

        while (_events.IsEmpty && _held.TryNext(out var piece))
        {
            // An aggregate inside an aggregate is nobody's: skipped, so that pieces cannot multiply.
            if (piece.Type != RtmpMessageType.Aggregate && piece.IsMedia)
            {
                Emit(in piece);
            }
        }
    }

    private void Emit(in RtmpMessage message)
    {
        var isAmf3 = message.Type == RtmpMessageType.DataAmf3;
        _events.Enqueue(new RtmpEvent
        {
            Kind = RtmpEventKind.Media,
            MessageType = isAmf3 ? RtmpMessageType.DataAmf0 : message.Type,
            Timestamp = message.Timestamp,
            MessageStreamId = message.StreamId,
            Payload = RtmpCommand.SkipAmf3Prefix(isAmf3, message.Payload),
        });
    }

    private long Later(long micros) => micros > 0 ? _nowMicros + micros : None;
}
