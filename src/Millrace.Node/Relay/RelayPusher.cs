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
internal sealed class RelayPusher : OriginClient
{
    private const long ConflictMicros = 100_000;

    /// <summary>How much longer than a link takes to be found dead an origin may hold the stream by one, microseconds: until who is silent there loses it.</summary>
    private const long ConflictMargin = 2_000_000;

    private readonly Pushers _pushers;
    private readonly RelayRequest _request;
    private readonly IReadOnlyList<string> _path;
    private readonly Action<string>? _onRevoked;
    private Action<RelayRefusal?, long>? _onVerdict;
    private RelayPusher? _before;
    private long _conflictUntil;
    private bool _givesWay;
    private bool _hasEnded;
    private bool _goesOn;
    private bool _isAccepted;
    private bool _wasAccepted;

    public RelayPusher(
        Pushers pushers, NodeContext node, Shard shard, StreamName name, OriginList origins, RelayRequest request, IReadOnlyList<string> path,
        Action<RelayRefusal?, long>? onVerdict, Action<string>? onRevoked)
        : base(node, shard, name, origins, path, isPublisher: true)
    {
        (_pushers, _request, _path) = (pushers, request, path);
        (_onVerdict, _onRevoked) = (onVerdict, onRevoked);
    }

    /// <summary>An origin takes the stream now; any thread.</summary>
    public bool IsAccepted => Volatile.Read(ref _isAccepted);

    /// <summary>The same, or by whoever sends it until this one does; any thread.</summary>
    public bool IsSent => IsAccepted || Volatile.Read(ref _before) is { IsAccepted: true };

    /// <summary>One has taken it before; any thread.</summary>
    public bool WasAccepted => Volatile.Read(ref _wasAccepted);

    /// <summary>Another takes its place; any thread.</summary>
    public bool GivesWay => Volatile.Read(ref _givesWay);

    /// <summary>What the origins are told of the publisher.</summary>
    public RelayRequest Asked => _request;

    /// <summary>Any thread.</summary>
    public bool HasEnded => Volatile.Read(ref _hasEnded);

    public override long SilenceMicros => long.MaxValue;

    protected override string Arguments => _request.Arguments;

    /// <summary>Whether there is a stream at all: a publisher may go before its first media, and nobody is told.</summary>
    protected override long TickMicros => 1_000_000;

    /// <summary>Somebody publishes, or may come back. Any thread.</summary>
    public bool IsLive => Node.Registry.Find(Name) is { } stream && (stream.State != StreamState.Idle || stream.Holder is not null);

    /// <param name="before">Who sends the stream so far: his connection is in the way where the origin takes no second one.</param>
    public void Begin(RelayPusher? before)
    {
        _before = before;
        _goesOn |= before is not null || _request.Timeline != 0;
        Shard.Post(() =>
        {
            var now = NodeClock.Micros;
            Origins.Begin(now);
            Connect(now);
        });
    }

    /// <summary>Any thread.</summary>
    public void Stop(string reason) => Shard.Post(() => Finish(reason, NodeClock.Micros));

    /// <summary>As <see cref="Stop"/>; what the origin says meanwhile is not the publisher's affair. Any thread.</summary>
    public void GiveWay(string reason)
    {
        Volatile.Write(ref _givesWay, true);
        Stop(reason);
    }

    /// <summary>One that goes on for the same publisher, who has been let in.</summary>
    public RelayPusher Again() =>
        new(_pushers, Node, Shard, Name, Node.Origins.Of(Name), _request, _path, onVerdict: null, _onRevoked) { _goesOn = true, _wasAccepted = WasAccepted, Switches = Switches };

    public override void OnReady(ForeignConnection connection, long now)
    {
        Promote(connection);
        if (!IsCurrent(connection))
            return;
        Answered();
        OnAccepted(now);
        if (!IsOver && !connection.IsEnding)
            ((RtmpOriginConnection)connection).Push(now);
    }

    public override PublisherLease? OnMedia(ForeignConnection connection, long now, out string? refusal)
    {
        refusal = "nothing was asked for";
        return null;
    }

    public override void OnLive(ForeignConnection connection, long now)
    {
    }

    protected override RelayRequest Request()
    {
        var stream = Node.Registry.Find(Name);
        return _request with
        {
            Kind = RelayRequestKind.Publish,
            Stream = Name.ToString(),
            // Where nothing has come yet, what the node below has: it goes on as well.
            Timeline = stream is { State: not StreamState.Idle } ? stream.Timeline.Id : _request.Timeline,
            From = stream?.Log?.End ?? _request.From,
            Formats = 0,
        };
    }

    protected override bool IsOfUse(in RelayEvent accepted) => true;

    protected override void Take(RelayConnection connection, in RelayEvent happened, long now)
    {
        if (happened.Kind != RelayEventKind.Accepted)
            return;
        var input = new RelayReader(happened.Payload.Span);
        var number = 0L;
        if (!input.TryFlag(out var isKnown) || (isKnown && !input.TryNumber(long.MaxValue, out number)))
        {
            connection.Farewell("an answer that cannot be read", mayReturn: false, now);
            return;
        }

        OnAccepted(now);
        if (!IsOver && !connection.IsEnding)
            connection.Push(Name, isKnown ? Node.Registry.Find(Name)?.Timeline.Id ?? 0 : 0, number, now);
    }

    protected override void OnDisconnected()
    {
        if (IsAccepted)
            Since = NodeClock.UnixMicros;
        Volatile.Write(ref _isAccepted, false);
    }

    protected override void Tick(long now)
    {
        // The stream may have ended while no origin was to be had.
        if (_onVerdict is null && !IsLive)
            Finish("the stream has ended", now);
    }

    protected override bool Outweighs(RelayRefusal refusal) => refusal.Code != RelayRefusalCode.Unavailable;

    protected override bool TrySettle(RelayRefusal refusal, RelayRefusal worst, long now)
    {
        if (_onVerdict is null && (!IsLive || GivesWay))
        {
            Finish("the stream has ended, or goes by another connection", now);
            return true;
        }

        // To a foreign server that was cut off our own connection from before may be the other publisher.
        var isFinal = refusal.Code is RelayRefusalCode.Conflict or RelayRefusalCode.Denied
            && (_onVerdict is not null || (_onRevoked is not null && Origins.Current.Kind == OriginKind.Millrace));
        if (isFinal && refusal.Code == RelayRefusalCode.Conflict && IsPatient(now))
            ConnectAt(now + ConflictMicros);
        else if (isFinal)
            Refuse(worst, now);
        return isFinal;
    }

    /// <summary>An origin, or one above it, may not have noticed yet that the connection has gone by which it had the stream before.</summary>
    private bool IsPatient(long now)
    {
        if (_before is { GivesWay: false } before)
            before.GiveWay("another connection is to send the stream");
        if (_goesOn && _conflictUntil == 0)
            _conflictUntil = now + Node.Settings.Relay.Timeout.ToMicros() + ConflictMargin;
        return now < _conflictUntil;
    }

    protected override void OnRoundFailed(RelayRefusal worst, long now)
    {
        if (_onVerdict is not null)
            Refuse(worst, now);
    }

    protected override void OnFinished(string reason, long now)
    {
        if (GivesWay)
            _before?.GiveWay(reason);
        Volatile.Write(ref _hasEnded, true);
        _pushers.Forget(this);
        Logger.LogInformation("{Stream} is sent no more: {Reason}", Name, reason);
    }

    private void OnAccepted(long now)
    {
        if (WasAccepted)
        {
            Switches++;
            _pushers.NoteSwitched();
        }

        (Since, _goesOn, _conflictUntil) = (NodeClock.UnixMicros, true, 0);
        Volatile.Write(ref _wasAccepted, true);
        Volatile.Write(ref _isAccepted, true);
        _before?.GiveWay("another connection sends the stream");
        _before = null;
        Serve(now);
        Tell(null);
    }

    /// <summary>In a turn of its own: what is written for the publisher goes by the shard's reply, which is this connection's now.</summary>
    private void Tell(RelayRefusal? refusal)
    {
        var onVerdict = _onVerdict;
        _onVerdict = null;
        if (onVerdict is not null)
            Shard.Post(() => onVerdict(refusal, NodeClock.Micros));
        else if (refusal is not null && _onRevoked is { } onRevoked)
            Shard.Post(() => onRevoked(refusal.Reason));
    }

    private void Refuse(RelayRefusal refusal, long now)
    {
        if (_before is { } before)
            _pushers.Return(this, before);
        _before = null;
        Finish(refusal.Reason, now);
        Tell(refusal);
    }
}
