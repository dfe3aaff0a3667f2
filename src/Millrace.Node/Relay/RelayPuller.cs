using Microsoft.Extensions.Logging;
using Millrace.Node.Cluster;
using Millrace.Node.Hls;
using Millrace.Node.Shards;
using Millrace.Protocols.Relay;
using Millrace.Streams;
using Millrace.Streams.Publishing;

namespace Millrace.Node.Relay;

/// <summary>
/// Fetches one stream from the first of its origins that has it, and from the next when that fails: viewers keep their connections meanwhile.
/// Everything but what is said to be for any thread runs on its shard.
/// </summary>
internal sealed class RelayPuller : ShardTimer, IRelayClient
{
    private const long TickMicros = 250_000;

    private readonly Upstreams _upstreams;
    private readonly NodeContext _node;
    private readonly Shard _shard;
    private readonly OriginList _origins;
    private readonly string _arguments;
    private readonly RelayDialer _dialer;
    private readonly ILogger _logger;
    private RelayIntake? _intake;
    private RelayRefusal? _refusal;
    private RelayRefusal? _worst;
    private long _touched;
    private long _watched;
    private long _lostAt;
    private long _retryAt = long.MaxValue;
    private int _rounds;
    private int _state = (int)UpstreamState.Pending;
    private bool _isOver;

    public RelayPuller(
        Upstreams upstreams, NodeContext node, Shard shard, StreamName name, OriginList origins, string arguments, IReadOnlyList<string> path)
    {
        (_upstreams, _node, _shard, Name, _origins, _arguments) = (upstreams, node, shard, name, origins, arguments);
        _dialer = new RelayDialer(node, shard, this, path, name, arguments, isPublisher: false);
        _logger = node.Loggers.CreateLogger("Millrace.Relay");
        Waiters = new HlsWaiters(_ => State != UpstreamState.Pending);
    }

    public StreamName Name { get; }

    /// <summary>Any thread.</summary>
    public UpstreamState State => (UpstreamState)Volatile.Read(ref _state);

    /// <summary>Those who wait for the stream to come, or for word that it does not; any thread.</summary>
    public HlsWaiters Waiters { get; }

    /// <summary>Times that the stream went on from another connection. Read by any thread.</summary>
    public long Switches { get; private set; }

    /// <summary>Unix time, microseconds, since when the stream comes from its connection, or does not. Read by any thread.</summary>
    public long Since { get; private set; } = NodeClock.UnixMicros;

    /// <summary>The stream comes. Any thread.</summary>
    public bool IsFlowing => Volatile.Read(ref _lostAt) == 0;

    /// <summary>The node that it comes from; null while there is none, and where it is a foreign server. Any thread.</summary>
    public RelayConnection? Connection => _dialer.Connection as RelayConnection;

    /// <summary>Any thread.</summary>
    public string Origin => _origins.ToString();

    /// <summary>Before there is a stream all origins are to have a chance while viewers wait.</summary>
    public long SilenceMicros
    {
        get
        {
            var edge = _node.Settings.Edge;
            var limit = edge.MediaTimeout.ToMicros();
            return State == UpstreamState.Pending ? Math.Min(limit, edge.StartTimeout.ToMicros() * 3 / 4 / Math.Max(1, _origins.Count)) : limit;
        }
    }

    /// <summary>Somebody asks; any thread.</summary>
    public void Touch(long now) => Volatile.Write(ref _touched, now);

    /// <summary>To be called once; any thread.</summary>
    public void Begin(long now)
    {
        Touch(now);
        _shard.Post(() => Start(NodeClock.Micros));
    }

    /// <summary>Any thread.</summary>
    public void Stop(string reason) => _shard.Post(() => Finish(reason, NodeClock.Micros));

    /// <summary>Any thread.</summary>
    public void Fetch(HlsFetch fetch)
    {
        if (Volatile.Read(ref _intake) is { } intake)
            intake.Fetch(fetch);
        else
            fetch.Fail();
    }

    public void OnReady(RelayConnection connection, long now)
    {
        connection.Protocol.Request(connection.Shard.Reply, new RelayRequest
        {
            Kind = RelayRequestKind.Play,
            Stream = Name.ToString(),
            Arguments = _arguments,
            Timeline = _intake?.Lease.Timeline ?? 0,
            From = _intake?.Lease.Next ?? 0,
            Formats = _intake?.Formats ?? 0,
        });
        connection.OpenSession(Name);
    }

    public void OnEvent(RelayConnection connection, in RelayEvent happened, long now)
    {
        if (_isOver || connection != _dialer.Connection)
            return;
        var error = happened.Kind == RelayEventKind.Accepted ? Accept(connection, happened, now) : _intake?.Take(happened, now);
        if (happened.Kind == RelayEventKind.Refused)
            _refusal = happened.Refusal;
        if (error is not null)
            connection.Farewell(error, mayReturn: false, now);
        else if (happened is { Kind: RelayEventKind.Log, Type: RelayMessageType.Ended })
            Finish("the stream has ended", now);
        else if (happened.Kind == RelayEventKind.Log && _intake is { Lease.IsLive: true } && (State == UpstreamState.Pending || _lostAt != 0))
            GoLive();
    }

    public void OnReady(ForeignConnection connection, long now)
    {
    }

    public PublisherLease? OnMedia(ForeignConnection connection, long now, out string? refusal)
    {
        refusal = "nobody asks any more";
        return _isOver || connection != _dialer.Connection || !TryOpen(now, out refusal) ? null : _intake!.BeginForeign(now, out refusal);
    }

    public void OnLive(ForeignConnection connection, long now)
    {
        if (!_isOver && connection == _dialer.Connection)
            GoLive();
    }

    public void OnClosed(ShardConnection connection, string reason)
    {
        if (_isOver || !_dialer.Forget(connection))
            return;
        _intake?.Disconnect();
        if (_dialer.TryFollow(connection))
            return;
        _refusal ??= (connection as ForeignConnection)?.Refusal;
        GoOn(reason, NodeClock.Micros);
    }

    public void OnUnreachable(string reason, long now)
    {
        if (!_isOver)
            GoOn(reason, now);
    }

    public override void OnDeadline(long now)
    {
        if (_isOver)
            return;
        _shard.Wheel.Arm(this, now + TickMicros);
        if (_node.Registry.Find(Name) is { } stream && stream.IsWatched(now))
            _watched = now;
        _intake?.Sweep(now);
        var edge = _node.Settings.Edge;
        if (now - Math.Max(_watched, Volatile.Read(ref _touched)) >= edge.Linger.ToMicros())
            Finish("nobody watches", now);
        else if (_lostAt != 0 && now - _lostAt >= (State == UpstreamState.Pending ? edge.StartTimeout : edge.GiveUp).ToMicros())
            GiveUp(new RelayRefusal(RelayRefusalCode.Unavailable, $"no origin has answered: {_refusal?.Reason ?? "none could be reached"}"), now);
        else if (now >= _retryAt)
            BeginRound(now);
    }

    private void Start(long now)
    {
        (_watched, _lostAt) = (now, now);
        _shard.Wheel.Arm(this, now + TickMicros);
        BeginRound(now);
    }

    /// <summary>Where the map of the cluster knows who has the stream, that node is asked first.</summary>
    private void BeginRound(long now)
    {
        _retryAt = long.MaxValue;
        if (!_upstreams.IsMapped)
        {
            Dial(now);
            return;
        }

        var asked = _node.OriginMap!.FindAsync(Name, _node.Stopping).AsTask();
        if (asked.IsCompletedSuccessfully)
            TakeAnswer(asked.Result, now);
        else
            _ = AwaitAnswerAsync(asked);
    }

    private async Task AwaitAnswerAsync(Task<OriginAnswer> asked)
    {
        await ((Task)asked).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _shard.Post(() =>
        {
            if (!_isOver)
                TakeAnswer(asked.IsCompletedSuccessfully ? asked.Result : OriginAnswer.None, NodeClock.Micros);
        });
    }

    private void TakeAnswer(OriginAnswer answer, long now)
    {
        _origins.Prefer(answer.Url);
        Dial(now);
    }

    private void Dial(long now)
    {
        if (_origins.IsEmpty)
            GoOn("no node has said that it has it", new RelayRefusal(RelayRefusalCode.NotFound, $"{Name.Path} is not live"), now);
        else
            Connect();
    }

    private void Connect()
    {
        _refusal = null;
        _upstreams.Counters.Attempted();
        _dialer.Dial(_origins.Current);
    }

    private string? Accept(RelayConnection connection, in RelayEvent happened, long now)
    {
        var input = new RelayReader(happened.Payload.Span);
        if (!input.TryNumber(long.MaxValue, out long head))
            return "an answer that cannot be read";
        if (!TryOpen(now, out _))
            return null;
        _intake!.Connect(connection, head, now);
        return null;
    }

    /// <summary>Takes the stream, when it is to be had and not before: a publisher who comes here meanwhile is not to be refused for a question.</summary>
    private bool TryOpen(long now, out string? refusal)
    {
        refusal = null;
        if (_intake is not null)
            return true;
        var info = new PublisherInfo("relay", "relay", _origins.Current.ToString(), DuplicatePolicy.Reject, 0) { IsFetched = true };
        Volatile.Write(ref _intake, RelayIntake.TryOpen(_node, _shard, Name, info, reason => Finish(reason, NodeClock.Micros), now, out refusal));
        if (_intake is not null)
            return true;
        Settle(UpstreamState.Local);
        Finish(refusal!, now);
        return false;
    }

    private void GoLive()
    {
        if (State == UpstreamState.Live)
        {
            Switches++;
            _upstreams.Counters.Switched();
        }

        Since = NodeClock.UnixMicros;
        (_lostAt, _rounds, _worst) = (0, 0, null);
        _origins.Keep();
        Settle(UpstreamState.Live);
    }

    private void GoOn(string reason, long now) => GoOn(reason, _refusal ?? new RelayRefusal(RelayRefusalCode.Unavailable, reason), now);

    private void GoOn(string reason, RelayRefusal refusal, long now)
    {
        _upstreams.Counters.Failed();
        if (_lostAt == 0)
            (_lostAt, Since) = (now, NodeClock.UnixMicros);
        if (refusal.Code != RelayRefusalCode.NotFound || _worst is null)
            _worst = refusal;
        _logger.LogInformation("{Stream} does not come from {Origin}: {Reason}", Name, _origins, reason);
        if (refusal.Code == RelayRefusalCode.Unavailable)
            _origins.LeaveOut(now);
        if (_origins.TryNext(now))
        {
            Connect();
            return;
        }

        _origins.Restart(now);
        if (State == UpstreamState.Pending && _worst is { Code: RelayRefusalCode.NotFound or RelayRefusalCode.Denied or RelayRefusalCode.Loop })
        {
            GiveUp(_worst, now);
            return;
        }

        _worst = null;
        _retryAt = now + RelayDialer.PauseAfter(_node.Settings.Edge, _rounds++);
        _shard.Wheel.Arm(this, Math.Min(Deadline, _retryAt));
    }

    private void GiveUp(RelayRefusal refusal, long now)
    {
        _upstreams.NoteMissing(Name, refusal, now);
        Settle(UpstreamState.Missing);
        _node.Registry.Find(Name)?.TellMissing();
        Finish(refusal.Reason, now);
    }

    private void Finish(string reason, long now)
    {
        if (_isOver)
            return;
        _isOver = true;
        _shard.Wheel.Disarm(this);
        _upstreams.Forget(this);
        _dialer.Stop(reason, now);
        _intake?.Leave(grace: 0, now);
        if (State == UpstreamState.Pending)
            Settle(UpstreamState.Missing);
        _logger.LogInformation("{Stream} is fetched no more: {Reason}", Name, reason);
    }

    private void Settle(UpstreamState state)
    {
        Volatile.Write(ref _state, (int)state);
        Interlocked.MemoryBarrier();
        Waiters.OnPublished();
    }
}
