using System.Buffers;
using Millrace.Node.Access;
using Millrace.Node.Sessions;
using Millrace.Node.Shards;
using Millrace.Protocols.Relay;
using Millrace.Streams;
using Millrace.Streams.Buffers;
using Millrace.Streams.Relay;
using Millrace.Streams.Wire;

namespace Millrace.Node.Relay;

/// <summary>
/// One socket between this node and another, for one stream: feeds its session, and hands what comes out to who has connected, or to the bridge
/// that the other node's request asks for.
/// </summary>
internal sealed class RelayConnection : ShardConnection
{
    /// <summary>Reads of one turn, so that one in full flight does not keep the others waiting.</summary>
    private const int MaxReads = 4;

    /// <summary>How long another node may take until it has asked for something.</summary>
    private const long SetupMicros = 5_000_000;

    private readonly NodeContext _node;
    private readonly RelaySession _session;
    private readonly IRelayClient? _client;
    private readonly long _connectDeadline;
    private RelayPlayer? _player;
    private RelayPublisher? _publisher;
    private RelayLink? _link;
    private bool _isConnected;
    private PendingCharge _pending;

    /// <param name="socket">Accepted, or being connected.</param>
    /// <param name="shard">Whose it is.</param>
    /// <param name="node">The node.</param>
    /// <param name="client">Who has connected; null where the other node has.</param>
    /// <param name="path">The nodes below that the connection is made for.</param>
    public RelayConnection(ShardSocket socket, Shard shard, NodeContext node, IRelayClient? client = null, IReadOnlyList<string>? path = null)
        : base(socket, shard, node.Spills)
    {
        (_node, _client, _isConnected) = (node, client, client is null);
        var relay = node.Settings.Relay;
        _session = new RelaySession(
            new RelayOptions
            {
                Node = node.Id,
                IsClient = client is not null,
                Secret = System.Text.Encoding.UTF8.GetBytes(relay.Secret.Value),
                Path = path ?? [],
                HeartbeatMicros = relay.Heartbeat.ToMicros(),
                TimeoutMicros = relay.Timeout.ToMicros(),
                SetupTimeoutMicros = client is null ? SetupMicros : node.Settings.Edge.ConnectTimeout.ToMicros(),
                UnixOffsetMicros = NodeClock.UnixOffset,
            },
            NodeClock.Micros);
        _connectDeadline = client is null ? long.MaxValue : NodeClock.Micros + node.Settings.Edge.ConnectTimeout.ToMicros();
        Session = node.Sessions.Create("relay", socket.Remote);
        Session.Traffic = this;
        Session.Kick = reason => shard.Post(() => SayFarewell(reason, mayReturn: false));
    }

    public NodeSession Session { get; }

    public RelaySession Protocol => _session;

    /// <summary>What heartbeats have found; null before the first is answered. Any thread.</summary>
    public RelayLink? Link => Volatile.Read(ref _link);

    /// <summary>The stream whose log comes by this connection, and is told of the link; null where media goes the other way. Read by any thread.</summary>
    public LiveStream? Target
    {
        get;
        set
        {
            field = value;
            value?.Hops.Link = _link;
        }
    }

    private MemoryAccount Account => _node.Registry.Resources.Budget[MemoryUse.PendingUnits];

    /// <summary>A peer that takes nothing sends nothing either, and is dead before that; this is for one that only sends.</summary>
    protected override long WriteTimeoutMicros => _isConnected ? _node.Settings.Limits.WriteTimeout.ToMicros() : 0;

    public override void OnAdopted(long now)
    {
        if (!_isConnected)
            ExpectConnect(now);
        ArmBy(NextTimer(now));
    }

    /// <summary>Opens the session that logs and the API see.</summary>
    public void OpenSession(StreamName stream)
    {
        Session.Agent = NodeSession.Clean(_session.PeerNode);
        Session.Open(SessionRole.Relay, stream);
    }

    /// <summary>The log goes out by this connection, to a node that this one has connected to.</summary>
    public void Push(StreamName name, ulong timeline, long from, long now)
    {
        _player = new RelayPlayer(this, _node, name);
        _player.Push(timeline, from, now);
    }

    /// <summary>Says no and why, and ends the connection when the peer has been told.</summary>
    public void Refuse(RelayRefusal refusal, long now)
    {
        _session.Refuse(Shard.Reply, refusal);
        EndAfterReply($"refused: {refusal.Reason}", now);
    }

    public override void Farewell(string reason, bool mayReturn, long now)
    {
        if (IsEnding)
            return;
        if (!_isConnected)
        {
            // There is nobody to be told, and may never be.
            Close(reason);
            return;
        }

        _session.Stop(Shard.Reply, reason);
        EndAfterReply(reason, now);
    }

    protected override void OnStarting(long now) => _player?.Start(now);

    protected override void Join(WireLog wire)
    {
        if (_player is not null)
            _player.Join(wire);
        else
            base.Join(wire);
    }

    protected override void OnSignal(WireSignal signal, long now) => _player?.OnSignal(signal, now);

    protected override bool OnDrained(long now) => _player is not null && _player.OnDrained();

    protected override void OnWritable(long now)
    {
        if (!_isConnected)
        {
            if (!TryFinishConnect())
                return;
            _isConnected = true;
            _session.Start(Shard.Reply);
            SendReply(now);
        }

        Pump(now);
        ArmBy(NextTimer(now));
    }

    protected override void OnReadable(long now)
    {
        if (!_isConnected)
        {
            if (TryFinishConnect())
                Close("the peer closed the connection");
            return;
        }

        for (var read = 0; read < MaxReads && !IsEnding; read++)
        {
            var buffer = Shard.ReceiveBuffer;
            var received = Receive(buffer);
            if (received <= 0)
                return;
            BytesIn += received;
            Feed(buffer, received, now);
            if (received < buffer.Length)
                break;
        }

        if (!IsClosed)
            ArmBy(NextTimer(now));
    }

    protected override void OnTimer(long now)
    {
        if (!_isConnected)
        {
            if (now >= _connectDeadline)
                Close("the peer took no connection in time");
            return;
        }

        _session.OnSent(LastProgress);
        _session.OnDeadline(now, Shard.Reply);
        _player?.OnTimer();
        Measure();
        SendReply(now);
        if (_session.IsClosed)
            Close(_session.CloseReason!);
    }

    protected override long NextTimer(long now) => _isConnected ? _session.NextDeadline : _connectDeadline;

    protected override void OnClosed(string reason)
    {
        _session.Dispose();
        _pending.Release(Account);
        // The shard's next session must not send what this one has not.
        Shard.Reply.ResetWrittenCount();
        _player?.OnClosed();
        _publisher?.OnClosed();
        Session.Close(reason);
        _client?.OnClosed(this, reason);
    }

    private void Feed(byte[] buffer, int length, long now)
    {
        var offset = 0;
        while (!IsEnding && offset < length)
        {
            var input = new ReadOnlySequence<byte>(buffer, offset, length - offset);
            _session.Receive(input, Shard.Reply, now, out var consumed);
            offset += (int)input.Slice(0, consumed).Length;
            while (!IsEnding && _session.TryTakeEvent(out var happened))
                Handle(happened, now);
        }

        if (IsEnding)
            return;
        SendReply(now);
        if (IsEnding)
            return;
        if (_session.IsClosed)
            EndAfterSent(_session.CloseReason!, now);
        else if (!_pending.TryHold(_session.BufferedBytes, Account))
            Close("the media memory budget is used up");
    }

    /// <summary>With each timer, which is at least once a heartbeat; what media costs has no part in it.</summary>
    private void Measure()
    {
        if (_session.ClockOffsetMicros is not { } offset)
            return;
        var link = new RelayLink(-offset, Math.Max(1, _session.RoundTripMicros));
        if (link == _link)
            return;
        Volatile.Write(ref _link, link);
        Target?.Hops.Link = link;
    }

    private void Handle(in RelayEvent happened, long now)
    {
        switch (happened.Kind)
        {
            case RelayEventKind.Ready:
                _client?.OnReady(this, now);
                break;
            case RelayEventKind.Requested:
                Answer(happened.Request!, now);
                break;
            case RelayEventKind.Want:
                _player?.OnWant(happened.Formats, now);
                break;
            case RelayEventKind.Fetch:
                _player?.OnFetch(happened.Id, happened.Text!, now);
                break;
            default:
                _client?.OnEvent(this, happened, now);
                _publisher?.OnEvent(happened, now);
                break;
        }
    }

    private void Answer(RelayRequest request, long now)
    {
        var slash = request.Stream.IndexOf('/', StringComparison.Ordinal);
        StreamName? name = null;
        var error = "a stream's name without its vhost";
        if (slash <= 0 || !StreamName.TryParse(request.Stream[..slash], request.Stream[(slash + 1)..], out name, out error))
        {
            Refuse(new RelayRefusal(RelayRefusalCode.Bad, error!), now);
            return;
        }

        switch (request.Kind)
        {
            case RelayRequestKind.Play:
                _player = new RelayPlayer(this, _node, name);
                _player.Open(request, now);
                break;
            case RelayRequestKind.Authorize:
                Authorize(name, request);
                break;
            case RelayRequestKind.Publish:
                _publisher = new RelayPublisher(this, _node, name, request);
                _publisher.Open(now);
                break;
            case RelayRequestKind.Describe:
                Describe(name, request, now);
                break;
            default:
                Refuse(new RelayRefusal(RelayRefusalCode.Bad, $"{request.Kind} is not served here"), now);
                break;
        }
    }

    /// <summary>What is here now: for a question alone nothing is fetched.</summary>
    private void Describe(StreamName name, RelayRequest request, long now)
    {
        var description = new ArrayBufferWriter<byte>(4 * 1024);
        if (_node.Registry.Find(name) is not { } stream || !stream.TryDescribe(request.Formats, now, description))
        {
            Refuse(new RelayRefusal(RelayRefusalCode.NotFound, $"{name.Path} is not live"), now);
            return;
        }

        // Without playlists there is room for it in any case.
        if (description.WrittenCount > RelayRules.MaxState)
        {
            description.ResetWrittenCount();
            stream.TryDescribe(formats: 0, now, description);
        }

        _session.Accept(Shard.Reply, description.WrittenSpan);
        _session.Stop(Shard.Reply, "described");
        EndAfterReply("described", now);
    }

    /// <summary>Whether somebody may, whom another node would let in: as this node decides about its own viewers and publishers.</summary>
    private void Authorize(StreamName name, RelayRequest request)
    {
        IReadOnlyList<string> path = [.. _session.PeerPath, _session.PeerNode];
        var isAtOnce = true;
        _node.Access.Answer(name, request, path, Shard, (verdict, at) =>
        {
            if (IsEnding)
                return;
            var lifetime = verdict.Until == long.MaxValue ? 0 : (int)Math.Clamp((verdict.Until - at) / 1_000, 1, int.MaxValue);
            _session.SendVerdict(Shard.Reply, request.From, verdict.Outcome switch
            {
                AccessOutcome.Allowed => 200,
                AccessOutcome.Unavailable => (int)RelayRefusalCode.Unavailable,
                _ => (int)RelayRefusalCode.Denied,
            }, verdict.IsAllowed ? lifetime : 0, verdict.Reason);
            if (!isAtOnce)
                SendReply(at);
        });
        isAtOnce = false;
    }
}
