using System.Buffers;

namespace Millrace.Protocols.Rtmp;

/// <summary>The client side of one RTMP connection, without I/O: publishes or plays one stream.</summary>
internal sealed partial class RtmpClientSession : IDisposable
{
    private const long None = long.MaxValue;

    private readonly RtmpClientOptions _options;
    private readonly RtmpLink _link;
    private readonly RtmpCommandWriter _commands;
    private readonly RtmpClientHandshake _handshake;
    private readonly RtmpHeldMessage _held = new();
    private readonly Queue<RtmpClientEvent> _events = new(4);
    private long _setupDeadline;
    private bool _hasStarted;
    private bool _isCloseTold;

    public RtmpClientSession(RtmpClientOptions options, long nowMicros)
    {
        _options = options;
        _link = new RtmpLink(options.Link, nowMicros);
        _commands = new RtmpCommandWriter(_link.Writer);
        _handshake = new RtmpClientHandshake(options.Handshake);
        _setupDeadline = options.Link.HandshakeTimeoutMicros > 0 ? nowMicros + options.Link.HandshakeTimeoutMicros : None;
    }

    public bool IsClosed => _link.IsClosed;

    public string? CloseReason => _link.CloseReason;

    /// <summary>The server accepted: WriteMedia may be used, or media arrives.</summary>
    public bool IsReady { get; private set; }

    /// <summary>The server has taken the handshake, and connect has been sent.</summary>
    public bool HasConnected => _handshake.IsDone;

    /// <summary>Form of the server's handshake.</summary>
    public RtmpDigestScheme ServerHandshake => _handshake.ServerScheme;

    /// <summary>What the server's connect result said; Legacy before.</summary>
    public RtmpPeerCapabilities ServerCapabilities { get; private set; } = RtmpPeerCapabilities.Legacy;

    public uint MessageStreamId { get; private set; }

    public long ReceivedBytes => _link.Received;

    /// <summary>Bytes of pooled memory that unfinished messages hold.</summary>
    public long BufferedBytes => _link.Reader.BufferedBytes;

    /// <summary>Microseconds; long.MaxValue when nothing is due.</summary>
    public long NextDeadline => IsClosed ? None : Math.Min(_setupDeadline, IsReady ? _link.NextDeadline : None);

    /// <summary>Writes the first bytes; once, before the first Receive.</summary>
    public void Start(IBufferWriter<byte> output)
    {
        if (!_hasStarted)
        {
            _hasStarted = true;
            _handshake.Start(output);
        }
    }

    /// <summary>As <see cref="RtmpServerSession.Receive"/>.</summary>
    public void Receive(in ReadOnlySequence<byte> input, IBufferWriter<byte> reply, long nowMicros, out SequencePosition consumed)
    {
        _ = nowMicros;
        if (IsClosed)
        {
            consumed = input.End;
            return;
        }

        var reader = new SequenceReader<byte>(input);
        if (_events.Count == 0)
        {
            Advance(ref reader, reply);
        }

        _link.Count(reader.Consumed, reply);
        consumed = reader.Position;
    }

    public bool TryTakeEvent(out RtmpClientEvent e)
    {
        if (_events.TryDequeue(out e))
        {
            return true;
        }

        if (!IsClosed || _isCloseTold)
        {
            return false;
        }

        _isCloseTold = true;
        e = new RtmpClientEvent { Kind = RtmpClientEventKind.Closed };
        return true;
    }

    public void OnDeadline(long nowMicros, IBufferWriter<byte> reply)
    {
        if (nowMicros >= _setupDeadline && !IsClosed)
        {
            Close($"the server did not answer in time ({(_handshake.IsDone ? Waiting : "handshake")})");
        }
        else if (IsReady)
        {
            _link.OnDeadline(nowMicros, reply);
        }
    }

    /// <summary>Writes one media message with a full header. For a publisher that is ready.</summary>
    /// <param name="timestamp">Absolute, milliseconds, wraps at 32 bits.</param>
    public void WriteMedia(IBufferWriter<byte> output, RtmpMessageType type, uint timestamp, ReadOnlySpan<byte> payload)
    {
        var csid = type switch { RtmpMessageType.Audio => RtmpIds.AudioCsid, RtmpMessageType.Video => RtmpIds.VideoCsid, _ => RtmpIds.DataCsid };
        _link.Writer.Write(output, csid, type, timestamp, MessageStreamId, payload);
    }

    /// <summary>Says goodbye (FCUnpublish, deleteStream) and closes.</summary>
    public void Stop(IBufferWriter<byte> output)
    {
        if (MessageStreamId != 0 && !IsClosed)
        {
            if (_options.IsPublisher)
            {
                _commands.SendCall(output, "FCUnpublish", ++_transaction, _options.StreamName);
            }

            var amf = _commands.Begin("deleteStream", ++_transaction);
            amf.Null();
            amf.Number(MessageStreamId);
            _commands.Send(output, 0);
        }

        Close("stopped by this side");
    }

    public void Close(string reason)
    {
        _link.Close(reason);
        _held.Dispose();
    }

    public void Dispose() => Close("closed by this side");

    private void Advance(ref SequenceReader<byte> reader, IBufferWriter<byte> reply)
    {
        if (!_handshake.IsDone)
        {
            var hadAnswered = _handshake.HasAnswered;
            if (_handshake.Advance(ref reader, reply) is { } refusal)
            {
                Close(refusal);
            }
            else if (!hadAnswered && _handshake.HasAnswered)
            {
                SendConnect(reply);
            }

            if (!_handshake.IsDone)
            {
                return;
            }
        }

        EmitHeld();
        while (_events.Count == 0 && !IsClosed)
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
        if (_link.Handle(in message, reply, out _) != RtmpControlResult.NotControl)
        {
            return;
        }

        if (message.Type == RtmpMessageType.Aggregate)
        {
            _held.Set(in message);
            EmitHeld();
        }
        else if (message.IsMedia)
        {
            Emit(in message);
        }
        else if (message.Type is RtmpMessageType.CommandAmf0 or RtmpMessageType.CommandAmf3)
        {
            if (RtmpCommand.TryParse(in message, out var command))
            {
                OnCommand(command, reply);
            }
            else
            {
                Close($"malformed command of {message.Payload.Length} bytes");
            }
        }
    }

    private void EmitHeld()
    {
        while (_events.Count == 0 && _held.TryNext(out var piece))
        {
            if (piece.Type != RtmpMessageType.Aggregate && piece.IsMedia)
            {
                Emit(in piece);
            }
        }
    }

    private void Emit(in RtmpMessage message)
    {
        var isAmf3 = message.Type == RtmpMessageType.DataAmf3;
        _events.Enqueue(new RtmpClientEvent
        {
            Kind = RtmpClientEventKind.Media,
            MessageType = isAmf3 ? RtmpMessageType.DataAmf0 : message.Type,
            Timestamp = message.Timestamp,
            Payload = RtmpCommand.SkipAmf3Prefix(isAmf3, message.Payload),
        });
    }
}
