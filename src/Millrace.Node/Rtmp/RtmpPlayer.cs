using Millrace.Media.Flv;
using Millrace.Node.Access;
using Millrace.Node.Metrics;
using Millrace.Node.Relay;
using Millrace.Node.Sessions;
using Millrace.Node.Settings;
using Millrace.Protocols.Rtmp;
using Millrace.Streams;
using Millrace.Streams.Wire;

namespace Millrace.Node.Rtmp;

/// <summary>The bridge from a wire log to an RTMP player. The session carries control only; media goes from the log to the socket.</summary>
/// <param name="connection">His.</param>
/// <param name="node">The node.</param>
/// <param name="name">What he plays.</param>
/// <param name="query">His arguments.</param>
/// <param name="route">Called once, with the time, when he may play: he is sent to another node, or <see cref="Begin"/> follows.</param>
internal sealed class RtmpPlayer(RtmpConnection connection, NodeContext node, StreamName name, string query, Action<long> route)
{
    private readonly UpstreamWish _wish = new(node, name, query, UpstreamProtocol.Rtmp);
    private readonly FlvForm _form = connection.Protocol.Connect!.Capabilities.IsEnhanced ? FlvForm.Enhanced : FlvForm.Legacy;
    private bool _hasAudio = true;
    private bool _hasVideo = true;
    private bool _isPaused;
    private bool _isStarted;
    private bool _isUnpublished;
    private bool _isAnswered;
    private bool _isJudged;
    private bool _isAdmitted;
    private AccessPass? _pass;
    private long _opened;
    private long _waitEnd = long.MaxValue;

    public long NextDeadline => Math.Min(Math.Min(_waitEnd, _wish.Deadline), _pass?.Deadline ?? long.MaxValue);

    /// <summary>Whether he may play comes before where: who may not is told nothing of other nodes.</summary>
    /// <param name="claim">Null where everybody may.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    public void Open(AccessClaim? claim, long now)
    {
        _opened = now;
        if (claim is null || node.Access.RuleOf(name, AccessAction.Play) is not { } rule)
        {
            route(now);
            return;
        }

        _pass = new AccessPass(node.Access, claim, rule, connection.Shard, OnAnswer);
        if (_pass.Ask(now) is { } verdict)
            OnVerdict(verdict, now);
    }

    /// <summary>Attaches to the stream, or waits for it for <c>player.wait</c>.</summary>
    public void Begin(long now)
    {
        _isAdmitted = true;
        connection.OpenSession(SessionRole.Player, name);
        _waitEnd = now + node.Settings.Player.Wait.ToMicros();
        Attach(now);
        // Also who has what there is already: what he shows may be of use when the origins are asked again.
        _wish.Ask(now);
        if (_isStarted || connection.IsEnding)
            _wish.Settle();
        if (!_isStarted && !connection.IsClosed && node.Settings.Player.Wait == TimeSpan.Zero)
            OnTimer(now);
    }

    /// <summary>The first media is about to go out.</summary>
    public void Start(long now)
    {
        EndWait();
        if (_isStarted)
        {
            if (!_isUnpublished)
                return;
            _isUnpublished = false;
            connection.Protocol.NotifyPlay(connection.Shard.Reply, "NetStream.Play.PublishNotify", $"{name.Name} is published again");
        }
        else
        {
            _isStarted = true;
            Count(200, now);
            connection.Protocol.AcceptPlay(connection.Shard.Reply);
        }

        connection.QueueReply();
    }

    public void OnControl(in RtmpEvent happened, long now)
    {
        switch (happened.Kind)
        {
            case RtmpEventKind.Paused:
                _isPaused = happened.Flag;
                break;
            case RtmpEventKind.ReceiveAudio:
                _hasAudio = happened.Flag;
                break;
            case RtmpEventKind.ReceiveVideo:
                _hasVideo = happened.Flag;
                break;
            default:
                return;
        }

        if (!_isAdmitted)
            return;
        // What the session has to say about it belongs before the media that changes.
        connection.SendReply(now);
        connection.Leave();
        if (!_isPaused && (_hasAudio || _hasVideo))
            Attach(now);
    }

    public void OnSignal(WireSignal signal, long now)
    {
        var reply = connection.Shard.Reply;
        if (signal == WireSignal.Ended && !_isStarted)
        {
            // It came while the stream waited out its grace, and has time left to wait for the next publisher.
            connection.Leave();
            _wish.AskLater(now);
            Attach(now);
            return;
        }

        if (signal == WireSignal.Unsupported)
        {
            connection.Leave();
            connection.Protocol.EndPlay(reply, "NetStream.Play.Failed", $"the codecs of {name.Name} cannot be carried to this player");
            connection.EndAfterReply("the stream's codecs cannot be carried to this player", now);
            return;
        }

        if (signal == WireSignal.Ended)
        {
            connection.Protocol.EndPlay(reply, "NetStream.Play.Stop", $"{name.Name} has ended");
            connection.EndAfterReply("the stream has ended", now);
            return;
        }

        if (!_isStarted)
        {
            // Other nodes are asked again while there is time left.
            if (signal == WireSignal.Missing)
                _wish.AskLater(now);
            return;
        }

        if (signal != WireSignal.Unpublished)
            return;
        _isUnpublished = true;
        connection.Protocol.NotifyPlay(reply, "NetStream.Play.UnpublishNotify", $"{name.Name} is no longer published");
        connection.SendReply(now);
        connection.AnswerAgain();
    }

    public void OnTimer(long now)
    {
        if (_pass?.OnTimer(now) is { } refusal)
        {
            OnVerdict(refusal, now);
            return;
        }

        if (now >= _wish.Deadline)
            _wish.Ask(now);
        if (now < _waitEnd)
            return;
        EndWait();
        Count(404, now);
        var reply = connection.Shard.Reply;
        connection.Protocol.RejectPlay(reply, "NetStream.Play.StreamNotFound", $"{name.Name} is not live");
        connection.EndAfterReply("the stream did not come in time", now);
    }

    public void Stop()
    {
        connection.Leave();
        EndWait();
        _pass?.End();
    }

    private void OnAnswer(AccessVerdict verdict, long now)
    {
        if (connection.IsEnding)
            return;
        OnVerdict(verdict, now);
        connection.GoOn(now);
    }

    private void OnVerdict(AccessVerdict verdict, long now)
    {
        if (verdict.IsAllowed)
        {
            if (!_isJudged)
            {
                _isJudged = true;
                route(now);
            }

            return;
        }

        Stop();
        if (!_isAdmitted)
            connection.OpenSession(SessionRole.Player, name);
        Count(verdict.Status, now);
        var reply = connection.Shard.Reply;
        if (_isStarted)
            connection.Protocol.EndPlay(reply, "NetStream.Play.Failed", verdict.Reason);
        else
            connection.Protocol.RejectPlay(reply, "NetStream.Play.Failed", verdict.Reason);
        connection.EndAfterReply(_isAdmitted ? $"may play no more: {verdict.Reason}" : $"play refused: {verdict.Reason}", now);
    }

    private void EndWait()
    {
        _waitEnd = long.MaxValue;
        _wish.Settle();
    }

    /// <summary>A request has one answer: a player that has been accepted is not refused as well.</summary>
    private void Count(int status, long now)
    {
        if (!_isAnswered)
            node.Traffic.Count(name, TrafficFormat.Rtmp, status, 0, 0, now - _opened);
        _isAnswered = true;
    }

    private void Attach(long now)
    {
        // What was sent or left before may have shown that the peer has gone.
        if (connection.IsEnding)
            return;
        var tracks = _hasAudio && _hasVideo ? WireTracks.All : _hasAudio ? WireTracks.AudioOnly : WireTracks.VideoOnly;
        var key = new WireKey(WireFormat.Rtmp, _form, tracks, connection.Protocol.MessageStreamId);
        var subscription = connection.Shard.Subscriptions.Get(name, key, node.WindowOf(name, WireFormat.Rtmp), out var fromEnd, out var unsupported);
        if (subscription is not null)
        {
            if (fromEnd && _waitEnd == long.MaxValue)
                _waitEnd = now + node.Settings.Player.Wait.ToMicros();
            connection.AttachTo(subscription, fromEnd, now);
            return;
        }

        Count(415, now);
        var reply = connection.Shard.Reply;
        connection.Protocol.RejectPlay(reply, "NetStream.Play.Failed", unsupported!);
        connection.EndAfterReply($"play refused: {unsupported}", now);
    }
}
