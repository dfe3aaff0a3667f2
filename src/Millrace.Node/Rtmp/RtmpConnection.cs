using System.Buffers;
using Millrace.Media;
using Millrace.Node.Access;
using Millrace.Node.Cluster;
using Millrace.Node.Metrics;
using Millrace.Node.Sessions;
using Millrace.Node.Settings;
using Millrace.Node.Shards;
using Millrace.Protocols.Rtmp;
using Millrace.Streams;
using Millrace.Streams.Buffers;
using Millrace.Streams.Wire;

namespace Millrace.Node.Rtmp;

/// <summary>
/// One RTMP socket: feeds its session, and hands what comes out to one of the two bridges, <see cref="RtmpPublisher"/> or
/// <see cref="RtmpPlayer"/>.
/// </summary>
internal sealed partial class RtmpConnection : ShardConnection
{
    /// <summary>Reads of one turn, so that a publisher in full flight does not keep the others waiting.</summary>
    private const int MaxReads = 4;

    /// <summary>The longest chunk header (RTMP 1.0, 5.3.1) fits: what is carried over behind the handshake allocates nothing.</summary>
    private const int ChunkHeaderBytes = 32;

    /// <summary>Of publish and play on one connection: each is a session in log and API.</summary>
    private const int MaxRequests = 64;

    private readonly NodeContext _node;
    private readonly RtmpServerSession _session;

    /// <summary>A header in part, at most some 1,500 bytes; all that came behind a request whose answer is waited for.</summary>
    private readonly InputRest _rest = new(ChunkHeaderBytes);
    private int _requests;
    private PendingCharge _pending;
    private AccessPass? _publishing;
    private RtmpPublisher? _publisher;
    private RtmpPlayer? _player;

    public RtmpConnection(ShardSocket socket, Shard shard, NodeContext node, RtmpOptions options)
        : base(socket, shard, node.Spills)
    {
        _node = node;
        _session = new RtmpServerSession(options, NodeClock.Micros, shard.Scratch);
        Session = CreateSession();
    }

    public NodeSession Session { get; private set; }

    public RtmpServerSession Protocol => _session;

    /// <summary>The connection begins to publish or play: a session of its own, also for a second one on the connection.</summary>
    public void OpenSession(SessionRole role, StreamName stream)
    {
        if (Session.Role != SessionRole.Unknown)
        {
            Session.Close("the connection went on to something else");
            var agent = Session.Agent;
            Session = CreateSession();
            Session.Agent = agent;
        }

        Session.Open(role, stream);
    }

    private MemoryAccount Account => _node.Registry.Resources.Budget[MemoryUse.PendingUnits];

    protected override long WriteTimeoutMicros => _node.Settings.Rtmp.Timeout.ToMicros();

    public override void OnAdopted(long now) => ArmBy(_session.NextDeadline);

    protected override void OnSignal(WireSignal signal, long now)
    {
        _player?.OnSignal(signal, now);
        ArmBy(NextTimer(now));
    }

    /// <summary>The bridge has answered: what has come meanwhile is taken.</summary>
    public void GoOn(long now)
    {
        if (IsEnding)
            return;
        Feed(Shard.ReceiveBuffer, _rest.MoveTo(Shard.ReceiveBuffer), now);
        if (IsEnding)
            return;
        ResumeInput();
        ArmBy(NextTimer(now));
    }

    public override void Farewell(string reason, bool mayReturn, long now)
    {
        if (IsEnding)
            return;
        if (mayReturn)
            _session.RequestReconnect(Shard.Reply, null, reason);
        _session.EndPublish(Shard.Reply, "NetStream.Unpublish.Success", reason);
        _session.EndPlay(Shard.Reply, "NetStream.Play.Stop", reason);
        _publisher?.End(isClean: false, now);
        _publisher = null;
        EndAfterReply(reason, now);
    }

    protected override void OnStarting(long now) => _player?.Start(now);

    protected override void OnReadable(long now)
    {
        for (var read = 0; read < MaxReads && !IsEnding; read++)
        {
            if (_session.IsWaitingForBridge)
            {
                // What comes stays in the socket until there is an answer.
                if (HasPeerEnded)
                    Close("the peer closed the connection before there was an answer");
                else
                    PauseInput(hearsHangup: true);
                break;
            }

            var buffer = Shard.ReceiveBuffer;
            var kept = _rest.MoveTo(buffer);
            var received = Receive(buffer.AsSpan(kept));
            if (received <= 0)
            {
                _rest.Keep(buffer.AsSpan(0, kept));
                return;
            }

            BytesIn += received;
            var total = kept + received;
            Feed(buffer, total, now);
            if (total < buffer.Length)
                break;
        }

        if (!IsClosed)
            ArmBy(NextTimer(now));
    }

    protected override void OnTimer(long now)
    {
        _session.OnDeadline(now, Shard.Reply);
        SendReply(now);
        if (_session.IsClosed)
            EndAfterSent(_session.CloseReason!, now);
        else
            _publisher?.OnTimer(now);
        _player?.OnTimer(now);
    }

    protected override long NextTimer(long now)
    {
        var next = _session.NextDeadline;
        if (_publisher is not null)
            next = Math.Min(next, _publisher.NextDeadline);
        if (_player is not null)
            next = Math.Min(next, _player.NextDeadline);
        return next;
    }

    protected override void OnClosed(string reason)
    {
        _publisher?.End(isClean: false, NodeClock.Micros);
        _publisher = null;
        _session.Dispose();
        _pending.Release(Account);
        // The shard's next session must not send what this one has not.
        Shard.Reply.ResetWrittenCount();
        Session.Close(reason);
    }

    private NodeSession CreateSession()
    {
        var session = _node.Sessions.Create("rtmp", Socket.Remote);
        session.Traffic = this;
        session.Kick = reason => Shard.Post(() => SayFarewell(reason, mayReturn: false));
        return session;
    }

    private void Feed(byte[] buffer, int length, long now)
    {
        var offset = 0;
        while (!IsEnding)
        {
            var input = new ReadOnlySequence<byte>(buffer, offset, length - offset);
            _session.Receive(input, Shard.Reply, now, out var consumed);
            var used = (int)input.Slice(0, consumed).Length;
            offset += used;
            var hadEvent = false;
            while (!IsEnding && _session.TryTakeEvent(out var happened))
            {
                hadEvent = true;
                Handle(happened, now);
            }

            if (!hadEvent && (used == 0 || offset == length))
                break;
        }

        if (IsEnding)
            return;
        SendReply(now);
        if (_session.IsClosed)
        {
            EndAfterSent(_session.CloseReason!, now);
            return;
        }

        _rest.Keep(buffer.AsSpan(offset, length - offset));
        if (!_pending.TryHold(_session.BufferedBytes + _rest.HeldBytes, Account))
            Close("the media memory budget is used up");
    }

    private void Handle(in RtmpEvent happened, long now)
    {
        switch (happened.Kind)
        {
            case RtmpEventKind.Media:
                _publisher?.OnMedia(happened, now);
                break;
            case RtmpEventKind.Connected:
                Session.Agent = PlainText.Clean(_session.Connect!.FlashVer);
                break;
            case RtmpEventKind.PublishRequested or RtmpEventKind.PlayRequested when ++_requests > MaxRequests:
                EndAfterReply($"more than {MaxRequests} publish and play requests", now);
                break;
            case RtmpEventKind.PublishRequested:
                StartPublish(happened.Publish!, now);
                break;
            case RtmpEventKind.PublishEnded:
                _lookup = null;
                _publishing?.End();
                _publisher?.End(isClean: true, now);
                _publisher = null;
                break;
            case RtmpEventKind.PlayRequested:
                StartPlay(happened.Play!, now);
                break;
            case RtmpEventKind.PlayEnded:
                _lookup = null;
                _player?.Stop();
                _player = null;
                break;
            default:
                _player?.OnControl(happened, now);
                break;
        }
    }
}
