using Millrace.Node.Access;
using Millrace.Node.Settings;
using Millrace.Protocols.Relay;
using Millrace.Streams;
using Millrace.Streams.Publishing;

namespace Millrace.Node.Relay;

/// <summary>Another node publishes a stream here: it has the publisher, and decides; this one follows.</summary>
internal sealed class RelayPublisher(RelayConnection connection, NodeContext node, StreamName name, RelayRequest request)
{
    private RelayIntake? _intake;
    private RelayPusher? _pusher;
    private long _grace;

    /// <summary>Checks the token and takes the right to publish; at an edge the next node decides as well. Refuses before any media is taken.</summary>
    public void Open(long now)
    {
        connection.OpenSession(name);
        var publish = node.Settings.PublishOf(node.Settings.VhostOf(name.Vhost), name.App);
        var papers = AccessPapers.Of(StreamAddress.ArgumentsOf(request.Arguments));
        if (node.Access.RuleOf(name, AccessAction.Publish)?.Judge(papers) is { IsAllowed: false } verdict)
        {
            node.Access.Counters.TurnedAway();
            connection.Refuse(new RelayRefusal(RelayRefusalCode.Denied, $"{verdict.Status}: {verdict.Reason}"), now);
            return;
        }

        _grace = publish.Grace.ToMicros();
        var info = new PublisherInfo(connection.Session.Id, "relay", connection.Socket.Remote.ToString(), publish.Duplicate, _grace) { IsOnTrial = node.Pushers.Asks(name) };
        _intake = RelayIntake.TryOpen(node, connection.Shard, name, info, OnRevoked, now, out var refusal);
        if (_intake is null)
        {
            connection.Refuse(new RelayRefusal(RelayRefusalCode.Conflict, refusal!), now);
            return;
        }

        node.Upstreams.Add(name, _intake);
        IReadOnlyList<string> path = [.. connection.Protocol.PeerPath, connection.Protocol.PeerNode];
        _pusher = node.Pushers.Begin(name, connection.Shard, request, path, OnVerdict, OnRevoked);
        if (_pusher is null)
            Accept(now);
    }

    public void OnEvent(in RelayEvent happened, long now)
    {
        if (_intake?.Take(happened, now) is { } error)
            connection.Farewell(error, mayReturn: false, now);
    }

    public void OnClosed()
    {
        if (_intake is not { } intake)
            return;
        _intake = null;
        node.Upstreams.Remove(name, intake);
        intake.Disconnect();
        // Whoever publishes may come back by another way: viewers are kept, and the next node goes on.
        intake.Leave(_grace, NodeClock.Micros);
    }

    /// <summary>Says what is here of the Timeline already.</summary>
    private void Accept(long now)
    {
        Span<byte> payload = stackalloc byte[1 + RelayWriter.MaxVarint];
        var length = 1;
        var stream = _intake!.Stream;
        var isKnown = request.Timeline != 0 && stream is { State: not StreamState.Idle, IsAuthority: false } && stream.Timeline.Id == request.Timeline;
        payload[0] = isKnown ? (byte)1 : (byte)0;
        if (isKnown)
            length += RelayWriter.Write(payload[1..], (ulong)_intake.Lease.Next);
        connection.Protocol.Accept(connection.Shard.Reply, payload[..length]);
        _intake.Connect(connection, head: 0, now);
        connection.SendReply(now);
        node.Pushers.Forward(name, connection.Shard, request);
    }

    private void OnVerdict(RelayRefusal? refusal, long now)
    {
        if (connection.IsEnding)
            return;
        if (refusal is null)
            Accept(now);
        else
            connection.Refuse(refusal, now);
    }

    private void OnRevoked(string reason)
    {
        if (!connection.IsEnding)
            connection.Refuse(new RelayRefusal(RelayRefusalCode.Conflict, reason), NodeClock.Micros);
    }
}
