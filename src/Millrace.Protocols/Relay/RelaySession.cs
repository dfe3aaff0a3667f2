using System.Buffers;
using System.Security.Cryptography;

namespace Millrace.Protocols.Relay;

/// <summary>
/// Either end of one relay connection, without I/O (<see cref="RelayMessageType"/>). The messages of the log go out by another way, from
/// bytes that connections share; <see cref="OnSent"/> tells of them. What the session writes has its place between two of those messages.
/// <para>
/// A peer is dead when nothing has come of it for <see cref="RelayOptions.TimeoutMicros"/>: the caller reads what its socket has before it
/// calls <see cref="OnDeadline"/>, or a pause of its own would be the peer's.
/// </para>
/// </summary>
internal sealed partial class RelaySession : IDisposable
{
    private const long None = long.MaxValue;

    private readonly RelayOptions _options;
    private readonly RelayAssembler _assembler = new();
    private readonly RelayPulse _pulse;
    private readonly RelayHello _self;
    private readonly long _setupDeadline;
    private RelayHello? _peer;
    private RelayEvent _event;
    private long _nowMicros;
    private bool _hasEvent;
    private bool _isCloseTold;

    /// <exception cref="ArgumentException">The options name a node, a path or a nonce that the protocol does not allow.</exception>
    public RelaySession(RelayOptions options, long nowMicros)
    {
        if (!RelayNode.IsValid(options.Node) || options.Path.Count > RelayNode.MaxPath || options.Path.Any(node => !RelayNode.IsValid(node)))
            throw new ArgumentException("the id of a node, or a path of them", nameof(options));
        if (options.Nonce.Length is not (0 or RelayOptions.NonceBytes))
            throw new ArgumentException("a nonce of another length", nameof(options));

        _options = options;
        _nowMicros = nowMicros;
        _setupDeadline = nowMicros + options.SetupTimeoutMicros;
        _pulse = new RelayPulse(options, nowMicros);
        var nonce = options.Nonce.IsEmpty ? RandomNumberGenerator.GetBytes(RelayOptions.NonceBytes) : options.Nonce;
        _self = new RelayHello(options.Node, nonce, options.Path);
    }

    /// <summary>Both sides have said who they are, and proved it as far as this side can tell.</summary>
    public bool IsReady { get; private set; }

    public bool IsClosed => CloseReason is not null;

    /// <summary>Why the connection ended, for the log and for people; null while it is open.</summary>
    public string? CloseReason { get; private set; }

    /// <summary>Empty before it is known.</summary>
    public string PeerNode => _peer?.Node ?? "";

    /// <summary>Server: the nodes below the client that its request is made for.</summary>
    public IReadOnlyList<string> PeerPath => _peer?.Path ?? [];

    /// <summary>Of the peer's next message a part has come: the rest may be shorter than <see cref="RelayRules.WakeBytes"/>.</summary>
    public bool IsWithinMessage => _assembler.IsWithin;

    /// <summary>Bytes of pooled memory that messages hold: about what came of one, and never what its header claims.</summary>
    public long BufferedBytes => _assembler.BufferedBytes;

    /// <inheritdoc cref="RelayClock.OffsetMicros"/>
    public long? ClockOffsetMicros => _pulse.Clock.OffsetMicros;

    /// <inheritdoc cref="RelayClock.RoundTripMicros"/>
    public long RoundTripMicros => _pulse.Clock.RoundTripMicros;

    /// <summary>
    /// A heartbeat is not answered when it comes: the caller is about to send media, and calls <see cref="WriteReply"/> before that. To send an
    /// answer by itself costs as much as to send media.
    /// </summary>
    public bool RepliesWithMedia { get; set; }

    /// <summary>A heartbeat has yet to be answered.</summary>
    public bool OwesReply => _pulse.OwesReply;

    /// <summary>Microseconds; long.MaxValue when nothing is due.</summary>
    public long NextDeadline => IsClosed ? None
        : !IsReady ? _setupDeadline
        : Math.Min(Math.Min(_pulse.NextHeartbeat, _pulse.Deadline), IsRequestDue ? _setupDeadline : None);

    /// <summary>A client that is ready but never asks holds a connection for nothing.</summary>
    private bool IsRequestDue => !_options.IsClient && _request == RelayMessageType.None;

    /// <summary>
    /// Consumes input until one message brought an event, or all of it. While an event has not been taken nothing is consumed. The payload
    /// of an event may be a slice of <paramref name="input"/>.
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
        if (!_hasEvent)
            Advance(ref reader, reply);
        consumed = reader.Position;
    }

    /// <summary>The next event; false when there is none. Closed comes last.</summary>
    public bool TryTakeEvent(out RelayEvent e)
    {
        e = _event;
        if (_hasEvent)
        {
            _event = default;
            _hasEvent = false;
            return true;
        }

        if (!IsClosed || _isCloseTold)
            return false;
        _isCloseTold = true;
        e = new RelayEvent { Kind = RelayEventKind.Closed };
        return true;
    }

    /// <summary>The peer is dead, unless its socket has something that has not been read.</summary>
    public bool IsSilent(long nowMicros) => IsReady && !IsClosed && nowMicros >= _pulse.Deadline;

    /// <summary>Sends a due heartbeat; ends the connection when the set-up is overdue or the peer silent.</summary>
    public void OnDeadline(long nowMicros, IBufferWriter<byte> reply)
    {
        _nowMicros = nowMicros;
        if (IsClosed)
            return;
        if (nowMicros >= _setupDeadline && (!IsReady || IsRequestDue))
        {
            Close(IsReady ? "no request in time" : _peer is null ? "the peer did not introduce itself in time" : "no proof in time");
            return;
        }

        if (!IsReady)
            return;
        if (nowMicros >= _pulse.Deadline)
            Close($"the peer was silent for {_options.TimeoutMicros / 1000} ms");
        else
            Beat(nowMicros, reply);
    }

    /// <summary>Answers a heartbeat that has yet to be answered.</summary>
    public void WriteReply(IBufferWriter<byte> output, long nowMicros)
    {
        if (!IsClosed)
            _pulse.WriteReply(output, nowMicros);
    }

    /// <summary>When the last bytes that the session was given had come, if the caller knows better than by when it read them.</summary>
    public void OnReceived(long atMicros) => _pulse.OnReceived(atMicros);

    /// <summary>Bytes went to the peer by another way than this session: as good as a heartbeat.</summary>
    public void OnSent(long nowMicros)
    {
        _nowMicros = nowMicros;
        _pulse.OnSent(nowMicros);
    }

    /// <summary>Ends the connection from this side, without a word to the peer. A payload handed out stays valid until Dispose.</summary>
    public void Close(string reason)
    {
        CloseReason ??= reason;
        _assembler.Abandon();
    }

    public void Dispose()
    {
        Close("closed by this side");
        _assembler.Dispose();
        (_event, _hasEvent) = (default, false);
    }

    private void Beat(long nowMicros, IBufferWriter<byte> reply)
    {
        _pulse.WriteReply(reply, nowMicros);
        if (nowMicros >= _pulse.NextHeartbeat)
            _pulse.WriteHeartbeat(reply, nowMicros);
    }

    private void Advance(ref SequenceReader<byte> reader, IBufferWriter<byte> reply)
    {
        _assembler.Release();
        if (!reader.End)
            _pulse.OnReceived(_nowMicros);
        while (!_hasEvent && !IsClosed)
        {
            if (!_assembler.HasHeader && !TryReadHeader(ref reader) || !_assembler.TryReadPayload(ref reader, out var payload))
                return;
            if (IsReady)
                OnMessage(_assembler.Type, payload, reply);
            else
                OnSetup(_assembler.Type, payload.Span, reply);

            // What was handled at once needs its buffer no more.
            if (!_hasEvent)
                _assembler.Release();
        }
    }

    private bool TryReadHeader(ref SequenceReader<byte> reader)
    {
        if (!_assembler.TryReadHeader(ref reader, out var isBroken))
        {
            if (isBroken)
                Close($"a header that claims more than {RelayFrame.MaxPayload} bytes");
            return false;
        }

        // Before its payload has come: what is not wanted is not kept either.
        if (Objection(_assembler.Type) is { } objection)
            Close(objection);
        else if (_assembler.Length > RelayRules.Limit(_assembler.Type))
            Close($"{_assembler.Type} of {_assembler.Length} bytes is longer than {RelayRules.Limit(_assembler.Type)}");
        return !IsClosed;
    }

    private void Emit(in RelayEvent e)
    {
        _event = e;
        _hasEvent = true;
    }
}
