using System.Buffers;
using Millrace.Media;
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
internal sealed partial class RelayConnection : ShardConnection
{
    /// <summary>Reads of one turn, so that one in full flight does not keep the others waiting.</summary>
    private const int MaxReads = 4;

    /// <summary>Who has been sent something since then is sent media again soon: what can wait goes with it.</summary>
    private const long FlowMicros = 100_000;

    /// <summary>See <see cref="NextTimer"/>.</summary>
    private const long TogetherMicros = 8 * TimerWheel.TickMicros;

    /// <summary>How often what is not urgent is seen to.</summary>
    private const long LookMicros = 500_000;

    /// <summary>How long another node may take until it has asked for something.</summary>
    private const long SetupMicros = 5_000_000;

    private readonly NodeContext _node;
    private readonly RelaySession _session;
    private readonly IRelayClient? _client;
    private readonly long _connectDeadline;

    /// <summary>Longest time between two looks at a link while media flows.</summary>
    private readonly long _aheadMicros;
    private RelayPlayer? _player;
    private RelayPublisher? _publisher;
    private RelayLink? _link;
    private long _looksAt;
    private int _wakesFor = 1;
    private PendingCharge _pending;

    /// <param name="socket">Accepted, or being connected.</param>
    /// <param name="shard">Whose it is.</param>
    /// <param name="node">The node.</param>
    /// <param name="client">Who has connected; null where the other node has.</param>
    /// <param name="path">The nodes below that the connection is made for.</param>
    public RelayConnection(ShardSocket socket, Shard shard, NodeContext node, IRelayClient? client = null, IReadOnlyList<string>? path = null)
        : base(socket, shard, node.Spills)
    {
        (_node, _client) = (node, client);
        var relay = node.Settings.Relay;
        _aheadMicros = relay.Heartbeat.ToMicros() + TogetherMicros;
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

    /// <summary>Whoever has connected is another node of this cluster: it knows the secret, or has shown a certificate.</summary>
    private bool IsProved => _node.Settings.Relay is var relay && (relay.Secret.Value.Length > 0 || (Socket.IsEncrypted && relay.Tls.ClientCertificates));

    private MemoryAccount Account => _node.Registry.Resources.Budget[MemoryUse.PendingUnits];

    /// <summary>A peer that takes nothing sends nothing either, and is dead before that; this is for one that only sends.</summary>
    protected override long WriteTimeoutMicros => IsConnecting ? 0 : _node.Settings.Limits.WriteTimeout.ToMicros();

    public override void OnAdopted(long now)
    {
        if (_client is not null)
            ExpectConnect(now);
        ArmBy(NextTimer(now));
    }

    /// <summary>Opens the session that logs and the API see.</summary>
    public void OpenSession(StreamName stream)
    {
        Session.Agent = PlainText.Clean(_session.PeerNode);
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

    /// <summary>What a receiver of media says between two messages that matter is left in the socket.</summary>
    public void KeepWake()
    {
        var bytes = _player is { IsStarted: true } && !_session.IsWithinMessage ? RelayRules.WakeBytes : 1;
        if (bytes == _wakesFor || IsClosed)
            return;
        _wakesFor = bytes;
        WakeFor(bytes);
    }

    public override void Farewell(string reason, bool mayReturn, long now)
    {
        if (IsEnding)
            return;
        if (IsConnecting)
        {
            // There is nobody to be told, and may never be.
            Close(reason);
            return;
        }

        _session.Stop(Shard.Reply, reason);
        EndAfterReply(reason, now);
    }

    protected override void OnStarting(long now)
    {
        _player?.Start(now);
        if (!_session.OwesReply)
            return;
        _session.WriteReply(Shard.Reply, now);
        QueueReply();
    }

    protected override void Join(WireLog wire)
    {
        if (_player is not null)
            _player.Join(wire);
        else
            base.Join(wire);
    }

    protected override void OnSignal(WireSignal signal, long now) => _player?.OnSignal(signal, now);

    protected override bool OnDrained(long now) => HasMore = _player is not null && _player.OnDrained();

    protected override void OnConnected(long now)
    {
        _session.Start(Shard.Reply);
        SendReply(now);
        ArmBy(NextTimer(now));
    }

    protected override void OnReadable(long now)
    {
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
        if (IsConnecting)
        {
            if (now >= _connectDeadline)
                Close("the peer took no connection in time");
            return;
        }

        _session.OnSent(LastProgress);
        LookForLife(now);
        if (IsEnding || now < Math.Min(_session.NextDeadline, _looksAt))
            return;
        _session.OnDeadline(now, Shard.Reply);
        Look(now);
        SendReply(now);
        if (_session.IsClosed)
            Close(_session.CloseReason!);
    }

    /// <summary>
    /// While media flows nothing is due when the time has come: hundreds of links look together whether it still does, and wake the shard a few times.
    /// </summary>
    protected override long NextTimer(long now)
    {
        var next = IsConnecting ? _connectDeadline : _session.NextDeadline;
        if (_player is not { IsStarted: true } || next == long.MaxValue)
            return next;
        var together = (next + TogetherMicros - 1) / TogetherMicros * TogetherMicros;
        return _session.IsSilent(together) ? next : together;
    }

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
        _session.RepliesWithMedia = _player is { IsStarted: true } && now - LastProgress < FlowMicros;
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
        KeepWake();
        if (_session.OwesReply)
            AnswerAgain();
        SendReply(now);
        if (IsEnding)
            return;
        if (_session.IsClosed)
            EndAfterSent(_session.CloseReason!, now);
        else if (!_pending.TryHold(_session.BufferedBytes, Account))
            Close("the media memory budget is used up");
    }

    private void Look(long now)
    {
        if (now < _looksAt)
            return;
        // A link that has yet to be measured is looked at each time.
        _looksAt = _link is null ? 0 : now + LookMicros;
        _player?.OnTimer();
        Measure();
    }

    /// <summary>
    /// A peer is silent when nothing has come of it, read or not. Of a receiver of media the kernel says since when, and is asked in time. Of
    /// others it cannot: more may have found no room in the socket.
    /// </summary>
    private void LookForLife(long now)
    {
        if (_player is { IsStarted: true } && _session.IsSilent(now + _aheadMicros) && TcpInfo.SinceReceived(Descriptor) is >= 0 and var since)
        {
            _session.OnReceived(now - since);
            if (!_session.IsSilent(now))
                return;
            // Its last words; and it may have spoken meanwhile.
            OnReadable(now);
            if (!IsEnding && TcpInfo.SinceReceived(Descriptor) is >= 0 and var last)
                _session.OnReceived(now - last);
        }
        else if (_session.IsSilent(now))
        {
            OnReadable(now);
        }
    }

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
                if (IsProved)
                    Socket.BecomeLink();
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
}
