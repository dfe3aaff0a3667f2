using Microsoft.Extensions.Logging;
using Millrace.Node.Hls;
using Millrace.Node.Settings;
using Millrace.Node.Shards;
using Millrace.Protocols.Relay;
using Millrace.Streams;
using Millrace.Streams.Publishing;

namespace Millrace.Node.Relay;

/// <summary>
/// Fetches one stream from the first of its origins that has it, and from the next when that fails: viewers keep their connections meanwhile.
/// Everything but what is said to be for any thread runs on its shard.
/// </summary>
internal sealed partial class RelayPuller : OriginClient
{
    private const long NotOrphan = -1;

    private readonly Upstreams _upstreams;
    private readonly Linger _linger;
    private string _arguments;
    private string _newest;
    private bool _isByNewest;
    private RelayIntake? _intake;
    private ShardConnection? _served;
    private long _lostAt;
    private long _askedAt;
    private int _state = (int)UpstreamState.Pending;
    private long _orphanAt = NotOrphan;
    private IReadOnlyList<string> _above = [];
    private RelayRefusal _refusal = new(RelayRefusalCode.Unavailable, "no other node has answered in time");

    public RelayPuller(
        Upstreams upstreams, NodeContext node, Shard shard, StreamName name, OriginList origins, string arguments, IReadOnlyList<string> path)
        : base(node, shard, name, origins, path, isPublisher: false)
    {
        (_upstreams, _arguments, _newest) = (upstreams, arguments, arguments);
        // Also where nothing is kept: who has just asked plays a moment later.
        _linger = new Linger(Math.Max(TickMicros, node.Settings.Edge.Linger.ToMicros()));
        Waiters = new HlsWaiters(_ => State != UpstreamState.Pending);
    }

    /// <summary>Any thread.</summary>
    public UpstreamState State => (UpstreamState)Volatile.Read(ref _state);

    /// <summary>Why the stream does not come, as long as it does not. Any thread.</summary>
    public RelayRefusal Refusal => Volatile.Read(ref _refusal);

    /// <summary>Those who wait for the stream to come, or for word that it does not; any thread.</summary>
    public HlsWaiters Waiters { get; }

    /// <summary>The stream comes. Any thread.</summary>
    public bool IsFlowing => Volatile.Read(ref _lostAt) == 0;

    /// <summary>The nodes that it comes from, as far as they have said, the nearest first; another list each time that it changes. Any thread.</summary>
    public IReadOnlyList<string> Above => Volatile.Read(ref _above);

    /// <summary>Before there is a stream all origins are to have a chance while viewers wait.</summary>
    public override long SilenceMicros
    {
        get
        {
            var limit = Node.Settings.Edge.MediaTimeout.ToMicros();
            return State == UpstreamState.Pending ? Math.Min(limit, ShareMicros) : limit;
        }
    }

    protected override long TickMicros => 250_000;

    /// <summary>How long each of several origins may take while viewers wait.</summary>
    private long ShareMicros => Node.Settings.Edge.StartTimeout.ToMicros() * 3 / 4 / Math.Max(1, Origins.Count);

    /// <summary>More has come than the other node had when it lost the stream itself.</summary>
    private bool HasMore => _intake!.Lease.Next > _orphanAt;

    /// <summary>
    /// Of the viewer with whom the stream came last. Tokens grow old while it is fetched: when no origin lets us in again, every other round shows what the
    /// newest has brought, who may as well have nothing that is of use.
    /// </summary>
    protected override string Arguments => _isByNewest ? Volatile.Read(ref _newest) : _arguments;

    /// <summary>Somebody asks, and has the time of <c>edge.linger</c> to begin; false where the stream has just been let go. Any thread.</summary>
    /// <param name="now">Monotonic time, microseconds.</param>
    /// <param name="arguments">His query; empty where he has shown none, or did so before.</param>
    public bool TryTouch(long now, string arguments)
    {
        if (!_linger.TryTouch(now))
            return false;
        if (arguments.Length > 0)
            Volatile.Write(ref _newest, arguments);
        return true;
    }

    /// <summary>To be called once; any thread.</summary>
    /// <param name="now">When somebody asked, monotonic, microseconds.</param>
    public void Begin(long now)
    {
        _linger.TryTouch(now);
        Shard.Post(() => Start(NodeClock.Micros));
    }

    /// <summary>Any thread.</summary>
    public void Stop(string reason) => Shard.Post(() => Finish(reason, NodeClock.Micros));

    /// <summary>Any thread.</summary>
    public void Fetch(HlsFetch fetch)
    {
        if (Volatile.Read(ref _intake) is { } intake)
            intake.Fetch(fetch);
        else
            fetch.Fail();
    }

    public override void OnReady(ForeignConnection connection, long now)
    {
        if (connection == Current)
            Answered();
    }

    public override PublisherLease? OnMedia(ForeignConnection connection, long now, out string? refusal)
    {
        refusal = "nobody asks any more";
        Promote(connection);
        return !IsCurrent(connection) || !TryOpen(now, out refusal) ? null : _intake!.BeginForeign(now, out refusal);
    }

    public override void OnLive(ForeignConnection connection, long now)
    {
        if (!IsOver && connection == Current)
            GoLive(now);
    }

    protected override RelayRequest Request() => new()
    {
        Kind = RelayRequestKind.Play,
        Stream = Name.ToString(),
        Arguments = Arguments,
        Timeline = _intake?.Lease.Timeline ?? 0,
        From = _intake?.Lease.Next ?? 0,
        Formats = _intake?.Formats ?? 0,
    };

    protected override bool IsOfUse(in RelayEvent accepted) =>
        RelayGrant.TryRead(accepted.Payload.Span, out var grant) && !grant.IsOrphan && !IsLoop(grant.Above);

    protected override void Take(RelayConnection connection, in RelayEvent happened, long now)
    {
        if (happened is { Kind: RelayEventKind.Log, Type: RelayMessageType.Orphaned })
        {
            BecomeOrphan(_intake?.Lease.Next ?? 0, now);
            return;
        }

        if (happened is { Kind: RelayEventKind.Log, Type: RelayMessageType.Above })
        {
            if (!RelayNode.TryReadAbove(happened.Payload.Span, out var above))
                connection.Farewell("a way that cannot be read", mayReturn: false, now);
            else
                TryComeFrom(connection, above, now);
            return;
        }

        var error = happened.Kind == RelayEventKind.Accepted ? Accept(connection, happened, now) : _intake?.Take(happened, now);
        if (error is not null)
            connection.Farewell(error, mayReturn: false, now);
        else if (happened is { Kind: RelayEventKind.Log, Type: RelayMessageType.Ended })
            Finish("the stream has ended", now);
        else if (_orphanAt != NotOrphan && happened is { Kind: RelayEventKind.Log, Type: RelayMessageType.Start or RelayMessageType.Resume })
            _orphanAt = Math.Max(_orphanAt, _intake!.Lease.Next);
        else if (happened.Kind == RelayEventKind.Log && _intake is { Lease.IsLive: true } && (State == UpstreamState.Pending || (_lostAt != 0 && HasMore)))
            GoLive(now);
    }

    protected override void OnDisconnected()
    {
        _intake?.Disconnect();
        Volatile.Write(ref _above, []);
        _orphanAt = NotOrphan;
        if (_lostAt == 0)
            (_lostAt, Since) = (NodeClock.Micros, NodeClock.UnixMicros);
    }

    protected override void Tick(long now)
    {
        var isWatched = Node.Registry.Find(Name) is { } stream && stream.IsWatched(now);
        if (isWatched)
            _linger.TryTouch(now);
        _intake?.Sweep(now);
        var edge = Node.Settings.Edge;
        if (!isWatched && State != UpstreamState.Pending && _linger.TryEnd(now, () => TryLetGo(now)))
            return;
        if (_lostAt != 0 && now - _lostAt >= Patience(edge).ToMicros())
            GiveUp(new RelayRefusal(RelayRefusalCode.Unavailable, $"no origin has answered: {LastReason ?? "none could be reached"}"), now);
        else if (HasAnswered && _above.Count == 0 && now - _askedAt >= ShareMicros && Current is RelayConnection { IsEnding: false } connection && Origins.Beside(0, now) is not null)
            Reject(connection, new RelayRefusal(RelayRefusalCode.Unavailable, "it waits for the stream itself"), now);
    }

    private bool TryLetGo(long now)
    {
        if (_intake is { } intake && !intake.TryLeave(now))
            return false;
        Finish("nobody watches", now);
        return true;
    }

    /// <summary>Where a node keeps what it has lost its publisher may come back to it.</summary>
    private TimeSpan Patience(EdgeSettings edge)
    {
        if (State == UpstreamState.Pending)
            return edge.StartTimeout;
        var grace = _orphanAt == NotOrphan ? TimeSpan.Zero : Node.Settings.PublishOf(Node.Settings.VhostOf(Name.Vhost), Name.App).Grace;
        return grace > edge.GiveUp ? grace : edge.GiveUp;
    }

    protected override void OnFinished(string reason, long now)
    {
        _linger.End(() =>
        {
            // Forgotten last: who finds nobody who fetches the stream finds no stream either, and has it fetched.
            _intake?.Leave(grace: 0, now);
            _upstreams.Forget(this);
        });
        if (State == UpstreamState.Pending)
            Settle(UpstreamState.Missing);
        Logger.LogInformation("{Stream} is fetched no more: {Reason}", Name, reason);
    }

    private void Start(long now)
    {
        _lostAt = now;
        Shard.Wheel.Arm(this, now + TickMicros);
        Origins.Begin(now);
        BeginRound(now);
    }

    private string? Accept(RelayConnection connection, in RelayEvent happened, long now)
    {
        if (!RelayGrant.TryRead(happened.Payload.Span, out var grant))
            return "an answer that cannot be read";
        if (!TryComeFrom(connection, grant.Above, now) || !TryOpen(now, out _))
            return null;
        _intake!.Connect(connection, grant.Head, now);
        if (grant.IsOrphan)
            BecomeOrphan(grant.Head, now);
        return null;
    }

    private bool IsLoop(IReadOnlyList<string> above) => above.Contains(Node.Id, StringComparer.Ordinal);

    /// <summary>The other node has said what it has the stream from; false where that is this one, and the connection is left.</summary>
    private bool TryComeFrom(RelayConnection connection, IReadOnlyList<string> above, long now)
    {
        if (IsLoop(above))
        {
            Reject(connection, new RelayRefusal(RelayRefusalCode.Loop, $"a loop: it has the stream from {string.Join(", ", above)}"), now);
            return false;
        }

        Volatile.Write(ref _above, [connection.Protocol.PeerNode, .. above]);
        return true;
    }

    /// <summary>Takes the stream, when it is to be had and not before: a publisher who comes here meanwhile is not to be refused for a question.</summary>
    private bool TryOpen(long now, out string? refusal)
    {
        refusal = null;
        if (_intake is not null)
            return true;
        var info = new PublisherInfo("relay", "relay", Origins.Current.ToString(), DuplicatePolicy.Reject, 0) { IsFetched = true };
        Volatile.Write(ref _intake, RelayIntake.TryOpen(Node, Shard, Name, info, reason => Finish(reason, NodeClock.Micros), now, out refusal));
        if (_intake is not null)
            return true;
        Settle(UpstreamState.Local);
        Finish(refusal!, now);
        return false;
    }

    /// <summary>The other node has lost the stream itself, and keeps its connections: others are looked for beside it.</summary>
    /// <param name="number">Of the first entry that it did not have then.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    private void BecomeOrphan(long number, long now)
    {
        _orphanAt = number;
        if (_lostAt == 0)
            (_lostAt, Since) = (now, NodeClock.UnixMicros);
        LookElsewhere(now);
    }

    private void GoLive(long now)
    {
        if (State == UpstreamState.Live && Current != _served)
        {
            Switches++;
            _upstreams.Counters.Switched();
        }

        _served = Current;
        (_arguments, _isByNewest) = (Arguments, false);
        Settle(UpstreamState.Live);
        // Of a stream that the other node has lost what there is can be played.
        if (!HasMore)
            return;
        Since = NodeClock.UnixMicros;
        (_lostAt, _orphanAt) = (0, NotOrphan);
        _intake!.Stream.EndOrphan();
        Serve(now);
    }

    private void GiveUp(RelayRefusal refusal, long now)
    {
        _upstreams.NoteMissing(Name, refusal, now);
        Volatile.Write(ref _refusal, refusal);
        Settle(UpstreamState.Missing);
        Node.Registry.Find(Name)?.TellMissing();
        Finish(refusal.Reason, now);
    }

    private void Settle(UpstreamState state)
    {
        if (Interlocked.Exchange(ref _state, (int)state) == (int)UpstreamState.Pending)
            _upstreams.NoteSettled();
        Waiters.OnPublished();
    }
}
