using Microsoft.Extensions.Logging;
using Millrace.Node.Shards;
using Millrace.Protocols.Relay;
using Millrace.Streams;
using Millrace.Streams.Publishing;

namespace Millrace.Node.Relay;

/// <summary>Keeps one stream at one of its origins: goes on to the next when that fails, in rounds with pauses between them. On its shard but for what is said.</summary>
internal abstract class OriginClient : ShardTimer, IRelayClient
{
    private readonly IReadOnlyList<string> _path;
    private readonly bool _isPublisher;
    private readonly OriginSearch _search;
    private RelayDialer _dialer;
    private RelayRefusal? _refusal;
    private RelayRefusal? _worst;
    private long _retryAt = long.MaxValue;
    private int _rounds;

    /// <param name="node">The node.</param>
    /// <param name="shard">Whose the connections are.</param>
    /// <param name="name">The stream.</param>
    /// <param name="origins">Its origins.</param>
    /// <param name="path">The nodes below.</param>
    /// <param name="isPublisher">The stream goes to the origin.</param>
    protected OriginClient(NodeContext node, Shard shard, StreamName name, OriginList origins, IReadOnlyList<string> path, bool isPublisher)
    {
        (Node, Shard, Name, Origins) = (node, shard, name, origins);
        (_path, _isPublisher) = (path, isPublisher);
        Logger = node.Loggers.CreateLogger("Millrace.Relay");
        _dialer = CreateDialer();
        _search = new OriginSearch(origins, node.Settings.Edge, CreateDialer, TryAskBeside, OnNotFound);
    }

    public StreamName Name { get; }

    /// <summary>Times that the stream went on by another connection. Read by any thread.</summary>
    public long Switches { get; protected set; }

    /// <summary>Any thread.</summary>
    public string Origin => Origins.ToString();

    /// <summary>The node there; null while there is none, and where it is a foreign server. Any thread.</summary>
    public RelayConnection? Connection => Current as RelayConnection;

    /// <summary>Unix time, microseconds, since when the stream flows, or does not. Read by any thread.</summary>
    public long Since { get; protected set; } = NodeClock.UnixMicros;

    public abstract long SilenceMicros { get; }

    protected NodeContext Node { get; }

    public Shard Shard { get; }

    protected OriginList Origins { get; }

    protected ILogger Logger { get; }

    /// <summary>The current origin has said something.</summary>
    protected bool HasAnswered { get; private set; }

    /// <summary>Nothing is done any more.</summary>
    protected bool IsOver { get; private set; }

    /// <summary>What the last one said no with, or why it could not be asked.</summary>
    protected string? LastReason { get; private set; }

    /// <summary>The connection that serves, or is to; any thread.</summary>
    protected ShardConnection? Current => Volatile.Read(ref _dialer).Connection;

    /// <summary>How often <see cref="Tick"/> is due, microseconds.</summary>
    protected abstract long TickMicros { get; }

    public void OnReady(RelayConnection connection, long now)
    {
        if (connection == Current)
            Answered();
        connection.Protocol.Request(connection.Shard.Reply, Request());
        connection.OpenSession(Name);
    }

    public void OnEvent(RelayConnection connection, in RelayEvent happened, long now)
    {
        if (IsOver)
            return;
        if (_search.Holds(connection))
        {
            if (happened.Kind != RelayEventKind.Accepted)
                return;
            if (!IsOfUse(happened))
            {
                connection.Farewell("it is not there either", mayReturn: false, now);
                return;
            }
        }

        Promote(connection);
        if (!IsCurrent(connection))
            return;
        if (happened.Kind == RelayEventKind.Refused)
            _refusal = happened.Refusal;
        Take(connection, happened, now);
    }

    public abstract void OnReady(ForeignConnection connection, long now);

    public abstract PublisherLease? OnMedia(ForeignConnection connection, long now, out string? refusal);

    public abstract void OnLive(ForeignConnection connection, long now);

    public void OnClosed(ShardConnection connection, string reason)
    {
        if (IsOver)
            return;
        if (_search.Holds(connection))
        {
            _search.OnFailed(connection, NodeClock.Micros);
            ArmBy(_search.At);
            return;
        }

        if (!_dialer.Forget(connection))
            return;
        OnDisconnected();
        if (_dialer.TryFollow(connection))
            return;
        _refusal ??= (connection as ForeignConnection)?.Refusal;
        GoOn(reason, NodeClock.Micros);
    }

    public void OnUnreachable(RelayDialer dialer, string reason, long now)
    {
        if (IsOver)
            return;
        if (dialer == _dialer)
        {
            GoOn(reason, now);
        }
        else if (_search.Holds(dialer))
        {
            _search.OnFailed(null, now);
            ArmBy(_search.At);
        }
    }

    public override void OnDeadline(long now)
    {
        if (IsOver)
            return;
        Shard.Wheel.Arm(this, now + TickMicros);
        Tick(now);
        if (IsOver)
            return;
        if (now >= _retryAt)
        {
            _retryAt = long.MaxValue;
            BeginRound(now);
        }
        else if (now >= _search.At)
        {
            _search.Run(now);
        }

        ArmBy(Math.Min(_retryAt, _search.At));
    }

    /// <summary>For the origin: the query of a viewer or of the publisher.</summary>
    protected abstract string Arguments { get; }

    /// <summary>What is asked of an origin.</summary>
    protected abstract RelayRequest Request();

    /// <summary>An origin beside the current one would take over.</summary>
    protected abstract bool IsOfUse(in RelayEvent accepted);

    /// <summary>Something has come from the current origin.</summary>
    protected abstract void Take(RelayConnection connection, in RelayEvent happened, long now);

    /// <summary>The current connection has gone.</summary>
    protected abstract void OnDisconnected();

    protected abstract void Tick(long now);

    /// <summary>Whether a refusal says more than the one of another origin.</summary>
    protected abstract bool Outweighs(RelayRefusal refusal);

    /// <summary>The current origin is of no use; true where that is the end, or another attempt is under way already.</summary>
    protected abstract bool TrySettle(RelayRefusal refusal, RelayRefusal worst, long now);

    /// <summary>What the origins that are not left out have said needs no word of the others.</summary>
    protected virtual bool IsEnough(RelayRefusal worst) => false;

    /// <summary>Asks who has the stream that the current origin has lost; false where nobody can be asked, else <see cref="Told"/> follows.</summary>
    protected virtual bool TryAskBeside() => false;

    /// <summary>The current origin has lost the stream, and no other has it.</summary>
    protected virtual void OnNotFound()
    {
    }

    /// <summary>No origin is of use.</summary>
    protected abstract void OnRoundFailed(RelayRefusal worst, long now);

    protected abstract void OnFinished(string reason, long now);

    /// <summary>Begins with the origin that is the current one.</summary>
    protected virtual void BeginRound(long now) => Connect(now);

    protected virtual void Connect(long now)
    {
        if (IsOver)
            return;
        (_retryAt, _refusal, HasAnswered) = (long.MaxValue, null, false);
        ArmBy(now + TickMicros);
        _dialer.Dial(Origins.Current);
    }

    protected void ConnectAt(long at)
    {
        _retryAt = at;
        ArmBy(at);
    }

    /// <summary>Whether a connection is the one that serves, or is to.</summary>
    protected bool IsCurrent(ShardConnection connection) => !IsOver && connection == Current;

    /// <summary>A connection beside the current one would serve, and takes its place; the current one itself has it.</summary>
    protected void Promote(ShardConnection connection)
    {
        if (IsOver || !_search.Holds(connection))
            return;
        var before = _dialer;
        OnDisconnected();
        Volatile.Write(ref _dialer, _search.Take(out var origin));
        Origins.GoTo(origin);
        Answered();
        (_retryAt, _refusal) = (long.MaxValue, null);
        Logger.LogInformation("{Stream} goes over to {Origin}", Name, origin);
        before.Stop("the stream goes another way");
    }

    /// <summary>The current origin has said something, whatever it is: if it fails now, it fails with this stream, not with all.</summary>
    protected void Answered()
    {
        HasAnswered = true;
        Origins.Succeed();
    }

    /// <summary>The current origin serves.</summary>
    protected void Serve(long now)
    {
        (_rounds, _worst, _refusal) = (0, null, null);
        Origins.Keep();
        _search.Rest(now);
        ArmBy(_search.At);
    }

    /// <summary>The current origin has lost the stream, and looks for it.</summary>
    protected void LookElsewhere(long now)
    {
        _search.Hurry(now);
        ArmBy(_search.At);
    }

    /// <param name="url">Who has the stream; null: nobody knows.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    protected void Told(string? url, long now)
    {
        if (IsOver)
            return;
        _search.OnTold(url, now);
        ArmBy(_search.At);
    }

    /// <summary>The current origin is of no use, by what it has said.</summary>
    protected void Reject(RelayConnection connection, RelayRefusal refusal, long now)
    {
        _refusal = refusal;
        connection.Farewell(refusal.Reason, mayReturn: false, now);
    }

    /// <summary>There is no origin to be asked.</summary>
    protected void GoOn(RelayRefusal refusal, long now)
    {
        _refusal = refusal;
        GoOn(refusal.Reason, now);
    }

    protected void Finish(string reason, long now)
    {
        if (IsOver)
            return;
        IsOver = true;
        Shard.Wheel.Disarm(this);
        _search.Stop(reason);
        _dialer.Stop(reason);
        OnFinished(reason, now);
    }

    private void GoOn(string reason, long now)
    {
        var refusal = _refusal ?? new RelayRefusal(RelayRefusalCode.Unavailable, reason);
        (_refusal, LastReason) = (null, refusal.Reason);
        _worst = _worst is null || Outweighs(refusal) ? refusal : _worst;
        if (_isPublisher)
            Logger.LogInformation("{Stream} does not go to {Origin}: {Reason}", Name, Origins, reason);
        else
            Logger.LogInformation("{Stream} does not come from {Origin}: {Reason}", Name, Origins, reason);
        _search.Stop("the stream goes another way");
        if (refusal.Code == RelayRefusalCode.Unavailable && HasAnswered)
            Origins.LeaveOut(now);
        else if (refusal.Code == RelayRefusalCode.Unavailable)
            Origins.Fail(now);
        if (TrySettle(refusal, _worst, now))
            return;
        if (Origins.TryNext(now) || (!IsEnough(_worst) && Origins.TryLeftOut()))
        {
            Connect(now);
            return;
        }

        Origins.NextRound(now);
        OnRoundFailed(_worst, now);
        if (IsOver)
            return;
        _worst = null;
        ConnectAt(now + RelayDialer.PauseAfter(Node.Settings.Edge, _rounds++));
    }

    private RelayDialer CreateDialer() => new(Node, Shard, this, _path, Name, () => Arguments, _isPublisher);

    private void ArmBy(long at) => Shard.Wheel.Arm(this, IsArmed ? Math.Min(Deadline, at) : at);
}
