using System.Collections.Concurrent;
using Millrace.Node.Settings;
using Millrace.Node.Shards;
using Millrace.Protocols.Relay;
using Millrace.Streams;

namespace Millrace.Node.Relay;

/// <summary>The streams that are published here and sent on to their origins. Any thread.</summary>
internal sealed class Pushers(NodeContext node)
{
    private readonly ConcurrentDictionary<StreamName, RelayPusher> _pushers = new();
    private readonly ConcurrentDictionary<(StreamName Name, string To), RelayPusher> _forwards = new();

    private long _switches;

    public IEnumerable<RelayPusher> All => _pushers.Values;

    /// <summary>Times that any of them went on by another connection, since the start.</summary>
    public long Switches => Interlocked.Read(ref _switches);

    /// <summary>Those that send streams on whatever becomes of it.</summary>
    public IEnumerable<RelayPusher> Forwards => _forwards.Values;

    /// <summary>Whoever publishes the stream here needs another node's word as well.</summary>
    public bool Asks(StreamName name) => node.Settings.OriginsOf(node.Settings.VhostOf(name.Vhost), name.App) is { Count: > 0 };

    /// <summary>Begins to send a stream that somebody wants to publish; null where it is this node's own.</summary>
    /// <param name="name">The stream, to which he has the right here.</param>
    /// <param name="shard">Where he is.</param>
    /// <param name="request">What the origin is told of him.</param>
    /// <param name="path">The nodes below.</param>
    /// <param name="onVerdict">Called once, on the shard: null when an origin takes the stream.</param>
    /// <param name="onRevoked">Called on the shard when an origin that took it does so no more.</param>
    public RelayPusher? Begin(
        StreamName name, Shard shard, RelayRequest request, IReadOnlyList<string> path, Action<RelayRefusal?, long> onVerdict, Action<string> onRevoked)
    {
        var origins = node.Origins.Of(name);
        if (origins.IsEmpty)
            return null;
        // He is judged anew, also when he comes back within the grace: who has sent the stream so far does so until he is let in.
        var pusher = new RelayPusher(this, node, shard, name, origins, request, path, onVerdict, onRevoked);
        RelayPusher? before = null;
        _pushers.AddOrUpdate(name, pusher, (_, running) =>
        {
            before = running;
            return pusher;
        });
        pusher.Begin(before);
        return pusher;
    }

    /// <summary>A newcomer is refused: who sent the stream before goes on, by a new connection where he has made room.</summary>
    internal void Return(RelayPusher pusher, RelayPusher before)
    {
        var isHeld = node.Registry.Find(before.Name) is { Holder: not null };
        var next = before.GivesWay && isHeld ? before.Again() : before;
        if (!_pushers.TryUpdate(pusher.Name, next, pusher))
            return;
        if (next != before)
            next.Begin(before: null);
        else if (before.HasEnded)
            Forget(before);
    }

    /// <summary>A stream that is published here is sent to all that it is to be forwarded to, until it ends.</summary>
    /// <param name="name">The stream, of which somebody has the right to publish.</param>
    /// <param name="shard">Where he is.</param>
    /// <param name="request">What other nodes are told of him; not his credentials, which are for this node.</param>
    public void Forward(StreamName name, Shard shard, RelayRequest request)
    {
        foreach (var to in node.Settings.VhostOf(name.Vhost).ForwardsOf(name.App))
            Forward(name, to, shard, request);
    }

    internal void NoteSwitched() => Interlocked.Increment(ref _switches);

    internal void Forget(RelayPusher pusher)
    {
        if (_pushers.TryRemove(new KeyValuePair<StreamName, RelayPusher>(pusher.Name, pusher)))
            return;
        foreach (var (key, forward) in _forwards)
        {
            // Whoever has come to publish while it ended found it running still, and began none.
            if (forward == pusher && _forwards.TryRemove(key, out _) && pusher.IsLive && !node.Stopping.IsCancellationRequested)
                Forward(pusher.Name, key.To, pusher.Shard, pusher.Asked);
        }
    }

    private void Forward(StreamName name, string to, Shard shard, RelayRequest request)
    {
        var pusher = new RelayPusher(this, node, shard, name, node.Origins.Of(to), request with { Arguments = "" }, [], onVerdict: null, onRevoked: null);
        // One that runs goes on with whoever publishes now.
        if (_forwards.TryAdd((name, to), pusher))
            pusher.Begin(before: null);
    }
}
