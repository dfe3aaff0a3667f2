using Microsoft.Extensions.Logging;
using Millrace.Node.Shards;
using Millrace.Protocols.Relay;
using Millrace.Streams;
using Millrace.Streams.Publishing;

namespace Millrace.Node.Relay;

/// <summary>
/// Sends a stream that is published here to the first of its origins that takes it, and to the next when that fails: the publisher stays. It ends
/// with the stream. One that forwards has one origin, and no influence on the publisher. On the publisher's shard but for what is said.
/// </summary>
internal sealed class RelayPusher : ShardTimer, IRelayClient
{
    private const int ConflictTries = 10;
    private const long ConflictMicros = 100_000;

    /// <summary>How often one looks whether there is a stream at all: a publisher may go before its first media, and nobody is told.</summary>
    private const long TickMicros = 1_000_000;

    private readonly Pushers _pushers;
    private readonly NodeContext _node;
    private readonly Shard _shard;
    private readonly OriginList _origins;
    private readonly RelayRequest _request;
    private readonly IReadOnlyList<string> _path;
    private readonly Action<string>? _onRevoked;
    private readonly RelayDialer _dialer;
    private readonly ILogger _logger;
    private Action<RelayRefusal?, long>? _onVerdict;
    private RelayRefusal? _refusal;
    private RelayRefusal? _worst;
    private int _rounds;
    private int _patience;
    private long _retryAt = long.MaxValue;
    private bool _isAccepted;
    private bool _isOver;

    public RelayPusher(
        Pushers pushers, NodeContext node, Shard shard, StreamName name, OriginList origins, RelayRequest request, IReadOnlyList<string> path,
        Action<RelayRefusal?, long>? onVerdict, Action<string>? onRevoked)
    {
        (_pushers, _node, _shard, Name, _origins, _request, _path) = (pushers, node, shard, name, origins, request, path);
        (_onVerdict, _onRevoked) = (onVerdict, onRevoked);
        _logger = node.Loggers.CreateLogger("Millrace.Relay");
        _dialer = new RelayDialer(node, shard, this, path, name, request.Arguments, isPublisher: true);
    }

    public StreamName Name { get; }

    /// <summary>Any thread.</summary>
    public OriginAddress Origin => _origins.Current;

    /// <summary>An origin takes the stream now; any thread.</summary>
    public bool IsAccepted => Volatile.Read(ref _isAccepted);

    /// <summary>Times that the stream went on to another origin.</summary>
    public long Switches { get; private set; }

    public long SilenceMicros => long.MaxValue;

    private bool IsLive => _node.Registry.Find(Name) is { } stream && (stream.State != StreamState.Idle || stream.Holder is not null);

    /// <param name="isReturn">The publisher has been here before: the origin may take a moment to see that he has gone.</param>
    public void Begin(bool isReturn)
    {
        _patience = isReturn ? ConflictTries : 0;
        _shard.Post(() => Connect(NodeClock.Micros));
    }

    /// <summary>Any thread.</summary>
    public void Stop(string reason) => _shard.Post(() => Finish(reason, NodeClock.Micros));

    public void OnReady(RelayConnection connection, long now)
    {
        var stream = _node.Registry.Find(Name);
        connection.Protocol.Request(connection.Shard.Reply, _request with
        {
            Kind = RelayRequestKind.Publish,
            Stream = Name.ToString(),
            Timeline = stream is { State: not StreamState.Idle } ? stream.Timeline.Id : 0,
            From = stream?.Log?.End ?? 0,
            Formats = 0,
        });
        connection.OpenSession(Name);
    }

    public void OnEvent(RelayConnection connection, in RelayEvent happened, long now)
    {
        if (_isOver || connection != _dialer.Connection)
            return;
        if (happened.Kind == RelayEventKind.Refused)
            _refusal = happened.Refusal;
        else if (happened.Kind == RelayEventKind.Accepted)
            Accept(connection, happened, now);
    }

    public void OnReady(ForeignConnection connection, long now)
    {
        if (_isOver || connection != _dialer.Connection)
            return;
        OnAccepted(now);
        if (!_isOver && !connection.IsEnding)
            ((RtmpOriginConnection)connection).Push(now);
    }

    public PublisherLease? OnMedia(ForeignConnection connection, long now, out string? refusal)
    {
        refusal = "nothing was asked for";
        return null;
    }

    public void OnLive(ForeignConnection connection, long now)
    {
    }

    public void OnClosed(ShardConnection connection, string reason)
    {
        if (_isOver || !_dialer.Forget(connection))
            return;
        Volatile.Write(ref _isAccepted, false);
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
        // The stream may have ended while no origin was to be had.
        if (_onVerdict is null && !IsLive)
            Finish("the stream has ended", now);
        else if (now >= _retryAt)
            Connect(now);
        else
            _shard.Wheel.Arm(this, Math.Min(_retryAt, now + TickMicros));
    }

    private void Connect(long now)
    {
        if (_isOver)
            return;
        _retryAt = long.MaxValue;
        _shard.Wheel.Arm(this, now + TickMicros);
        _dialer.Dial(_origins.Current);
    }

    private void ConnectAt(long at)
    {
        _retryAt = at;
        _shard.Wheel.Arm(this, at);
    }

    private void Accept(RelayConnection connection, in RelayEvent happened, long now)
    {
        var input = new RelayReader(happened.Payload.Span);
        var number = 0L;
        if (!input.TryFlag(out var isKnown) || (isKnown && !input.TryNumber(long.MaxValue, out number)))
        {
            connection.Farewell("an answer that cannot be read", mayReturn: false, now);
            return;
        }

        OnAccepted(now);
        if (!_isOver && !connection.IsEnding)
            connection.Push(Name, isKnown ? _node.Registry.Find(Name)?.Timeline.Id ?? 0 : 0, number, now);
    }

    private void OnAccepted(long now)
    {
        if (_onVerdict is null)
            Switches++;
        Volatile.Write(ref _isAccepted, true);
        (_rounds, _worst, _refusal) = (0, null, null);
        _origins.Keep();
        var onVerdict = _onVerdict;
        _onVerdict = null;
        onVerdict?.Invoke(null, now);
    }

    private void GoOn(string reason, long now)
    {
        _logger.LogInformation("{Stream} does not go to {Origin}: {Reason}", Name, _origins.Current, reason);
        if (_worst is null || _refusal is { Code: not RelayRefusalCode.Unavailable })
            _worst = _refusal ?? new RelayRefusal(RelayRefusalCode.Unavailable, reason);
        if (_onVerdict is null && !IsLive)
        {
            Finish("the stream has ended", now);
            return;
        }

        // The origin may not have noticed yet that the connection before has gone.
        if (_refusal is { Code: RelayRefusalCode.Conflict } && _onVerdict is not null && _patience-- > 0)
        {
            _refusal = null;
            ConnectAt(now + ConflictMicros);
            return;
        }

        // To a foreign server that was cut off our own connection from before may be the other publisher.
        var isFinal = _refusal is { Code: RelayRefusalCode.Conflict or RelayRefusalCode.Denied }
            && (_onVerdict is not null || (_onRevoked is not null && _origins.Current.Kind == OriginKind.Millrace));
        if (_refusal is null or { Code: RelayRefusalCode.Unavailable })
            _origins.LeaveOut(now);
        _refusal = null;
        if (isFinal)
        {
            Refuse(_worst, now);
            return;
        }

        if (_origins.TryNext(now))
        {
            Connect(now);
            return;
        }

        _origins.Restart(now);
        if (_onVerdict is not null)
        {
            Refuse(_worst, now);
            return;
        }

        _worst = null;
        ConnectAt(now + RelayDialer.PauseAfter(_node.Settings.Edge, _rounds++));
    }

    private void Refuse(RelayRefusal refusal, long now)
    {
        var onVerdict = _onVerdict;
        _onVerdict = null;
        Finish(refusal.Reason, now);
        if (onVerdict is not null)
            onVerdict(refusal, now);
        else
            _onRevoked?.Invoke(refusal.Reason);
    }

    private void Finish(string reason, long now)
    {
        if (_isOver)
            return;
        _isOver = true;
        _shard.Wheel.Disarm(this);
        _pushers.Forget(this);
        _dialer.Stop(reason, now);
        _logger.LogInformation("{Stream} is sent no more: {Reason}", Name, reason);
    }
}
