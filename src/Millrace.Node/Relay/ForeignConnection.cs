using Millrace.Media;
using Millrace.Media.Flv;
using Millrace.Node.Sessions;
using Millrace.Node.Shards;
using Millrace.Protocols.Relay;
using Millrace.Streams;
using Millrace.Streams.Buffers;
using Millrace.Streams.Publishing;

namespace Millrace.Node.Relay;

/// <summary>
/// One socket from this node to a server that is no Millrace, for one stream. What comes of it goes into the log as a publisher's media does: this
/// node decides about time and cuts.
/// </summary>
internal abstract class ForeignConnection : ShardConnection
{
    /// <summary>From the connection to the server's word that it agrees.</summary>
    public static readonly TimeSpan SetupTime = TimeSpan.FromSeconds(5);

    /// <summary>Reads of one turn, so that one in full flight does not keep the others waiting.</summary>
    private const int MaxReads = 4;

    private readonly IRelayClient _client;
    private readonly TimestampUnwrapper _clock = new(32);
    private PublisherLease? _lease;
    private FlvIntake? _tracks;
    private long _phaseBegan;
    private PendingCharge _pending;
    private bool _isReady;
    private bool _isLive;

    /// <param name="socket">That is being connected.</param>
    /// <param name="shard">Whose it is.</param>
    /// <param name="node">The node.</param>
    /// <param name="client">Who has connected.</param>
    /// <param name="protocol">For log and API.</param>
    /// <param name="stream">What for.</param>
    /// <param name="target">What that is called there.</param>
    protected ForeignConnection(ShardSocket socket, Shard shard, NodeContext node, IRelayClient client, string protocol, StreamName stream, ForeignTarget target)
        : base(socket, shard, node.Spills)
    {
        (Node, _client, Stream, Target) = (node, client, stream, target);
        _phaseBegan = NodeClock.Micros;
        Session = node.Sessions.Create(protocol, socket.Remote);
        Session.Traffic = this;
        Session.Kick = reason => shard.Post(() => SayFarewell(reason, mayReturn: false));
    }

    public NodeSession Session { get; }

    /// <summary>What the server has said no with.</summary>
    public RelayRefusal? Refusal { get; protected set; }

    /// <summary>Where the server says that the stream is to be had instead.</summary>
    public OriginAddress? Redirect { get; protected set; }

    protected NodeContext Node { get; }

    protected StreamName Stream { get; }

    protected ForeignTarget Target { get; }

    /// <summary>Whether media is waited for.</summary>
    protected abstract bool IsPull { get; }

    /// <summary>The server has been asked for the stream; some answer with its first media.</summary>
    protected virtual bool IsAsked => _isReady;

    /// <summary>Bytes of unfinished messages.</summary>
    protected abstract long HeldBytes { get; }

    protected override long WriteTimeoutMicros => IsConnecting ? 0 : Node.Settings.Edge.MediaTimeout.ToMicros();

    private MemoryAccount Account => Node.Registry.Resources.Budget[MemoryUse.PendingUnits];

    public override void OnAdopted(long now)
    {
        ExpectConnect(now);
        ArmBy(NextTimer(now));
    }

    public override void Farewell(string reason, bool mayReturn, long now)
    {
        if (IsEnding)
            return;
        // There is nobody to be told, and may never be.
        if (IsConnecting)
            Close(reason);
        else
            EndAfterSent(reason, now);
    }

    protected override void OnConnected(long now)
    {
        _phaseBegan = now;
        Introduce(now);
        ArmBy(NextTimer(now));
    }

    /// <summary>Says what this protocol begins with.</summary>
    protected abstract void Introduce(long now);

    /// <summary>Takes what has been read; see <see cref="Receive"/>.</summary>
    protected abstract void Feed(int length, long now);

    /// <summary>Reads once into the shard's buffer. Negative: nothing there. 0: the connection is closed.</summary>
    protected virtual int ReceiveNext() => Receive(Shard.ReceiveBuffer);

    /// <summary>The server has agreed.</summary>
    protected void BecomeReady(long now)
    {
        (_isReady, _phaseBegan) = (true, now);
        Session.Open(SessionRole.Relay, Stream);
        _client.OnReady(this, now);
    }

    /// <summary>The server is of no use: the connection is closed, so that the next is tried at once.</summary>
    protected void Refuse(RelayRefusalCode code, string reason)
    {
        Refusal = new RelayRefusal(code, reason);
        Close(reason);
    }

    /// <summary>Takes a message of audio, video or data, which is an FLV tag as well.</summary>
    protected void Take(FlvTagType type, uint timestamp, ReadOnlySpan<byte> body, long now)
    {
        if (_tracks is null && !TryBegin(now))
            return;
        var sender = _clock.Unwrap(timestamp) * 1_000;
        var error = type switch
        {
            FlvTagType.Audio => _tracks!.Receive(TrackKind.Audio, body, sender, now),
            FlvTagType.Video => _tracks!.Receive(TrackKind.Video, body, sender, now),
            _ => _tracks!.ReceiveData(body, sender, now),
        };
        if (type != FlvTagType.Script)
            _phaseBegan = now;
        if (error is not null)
            Close(error);
    }

    protected override void OnStarting(long now)
    {
    }

    protected override void OnReadable(long now)
    {
        for (var read = 0; read < MaxReads && !IsEnding; read++)
        {
            var received = ReceiveNext();
            if (received <= 0)
                return;
            BytesIn += received;
            Feed(received, now);
            if (!IsEnding && !_pending.TryHold(HeldBytes, Account))
                Close("the media memory budget is used up");
            if (_isLive || IsEnding || _lease is not { IsOpen: true })
                continue;
            _isLive = true;
            _client.OnLive(this, now);
        }

        if (!IsClosed)
            ArmBy(NextTimer(now));
    }

    protected override void OnTimer(long now)
    {
        if (now < PhaseDeadline)
            return;
        if (IsConnecting)
            Close("the peer took no connection in time");
        else if (!IsAsked)
            Refuse(RelayRefusalCode.Unavailable, "the peer did not answer in time");
        else
            Refuse(RelayRefusalCode.NotFound, _tracks is null ? $"{Stream.Path} is not live there: nothing comes" : "the peer sends nothing any more");
    }

    protected override long NextTimer(long now) => PhaseDeadline;

    protected override void OnClosed(string reason)
    {
        _pending.Release(Account);
        // The shard's next session must not send what this one has not.
        Shard.Reply.ResetWrittenCount();
        Session.Close(reason);
        _client.OnClosed(this, reason);
    }

    private long PhaseDeadline => IsConnecting ? _phaseBegan + Node.Settings.Edge.ConnectTimeout.ToMicros()
        : IsPull ? _phaseBegan + (_isReady ? _client.SilenceMicros : Math.Min(SetupTime.ToMicros(), _client.SilenceMicros))
        : _isReady ? long.MaxValue
        : _phaseBegan + SetupTime.ToMicros();

    private bool TryBegin(long now)
    {
        _lease = _client.OnMedia(this, now, out var refusal);
        if (_lease is null)
            Refuse(RelayRefusalCode.Conflict, refusal!);
        else
            _tracks = new FlvIntake(_lease);
        return _lease is not null;
    }
}
