using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Millrace.Node.Hls;
using Millrace.Node.Settings;
using Millrace.Node.Shards;
using Millrace.Protocols.Relay;
using Millrace.Streams;

namespace Millrace.Node.Relay;

/// <summary>What this node knows of a stream that somebody asks for.</summary>
internal enum UpstreamState
{
    /// <summary>Nobody else has it: it is published here, or not at all.</summary>
    Local,

    /// <summary>It is being fetched, and viewers can be served.</summary>
    Live,

    /// <summary>It is being asked for.</summary>
    Pending,

    /// <summary>No origin has it.</summary>
    Missing,
}

/// <summary>
/// The streams that are fetched from other nodes: each once, however many ask and in whatever protocol, from the first who asks until a while
/// after the last has gone. Any thread.
/// </summary>
internal sealed class Upstreams(NodeContext node)
{
    private const int MostMissing = 10_000;

    private readonly ConcurrentDictionary<StreamName, RelayPuller> _pullers = new();
    private readonly ConcurrentDictionary<StreamName, RelayIntake> _published = new();

    /// <summary>Names that no origin knew a moment ago, so that whoever asks for them again and again asks this node alone.</summary>
    private readonly ExpiringEntries<StreamName, RelayRefusal> _missing = new(MostMissing);
    private volatile bool _stops;
    private int _pending;

    /// <summary>The cluster's map is asked who has a stream.</summary>
    public bool IsMapped => node.OriginMap is not null && (node.Settings.Cluster.Map == OriginMapKind.Redis || node.Settings.Cluster.Advertise.Length > 0);

    /// <summary>Who serves what is fetched; without shards nothing is.</summary>
    public Shard[] Shards { get; set; } = [];

    public IEnumerable<RelayPuller> All => _pullers.Values;

    public int Count => _pullers.Count;

    /// <summary>Names that are known to be missing, and not asked for again yet.</summary>
    public int CountMissing(long now)
    {
        _missing.Sweep(now);
        return _missing.Count;
    }

    public UpstreamCounters Counters { get; } = new();

    /// <summary>Somebody wants a stream: where another node holds it, it is fetched.</summary>
    /// <param name="name">Which.</param>
    /// <param name="arguments">The query of who asks, for the origin.</param>
    /// <param name="path">The nodes below that ask.</param>
    /// <param name="refusal">Why it is missing.</param>
    /// <param name="protocol">The viewer's, where that can be asked for too.</param>
    public UpstreamState Want(StreamName name, string arguments, IReadOnlyList<string> path, out RelayRefusal? refusal, UpstreamProtocol? protocol = null)
    {
        refusal = null;
        var now = NodeClock.Micros;
        if (_pullers.TryGetValue(name, out var known) && known.TryTouch(now, arguments))
        {
            var state = known.State;
            refusal = state == UpstreamState.Missing ? known.Refusal : null;
            return state;
        }

        if (_stops || Shards.Length == 0 || !(IsMapped || node.Settings.OriginsOf(node.Settings.VhostOf(name.Vhost), name.App) is { Count: > 0 }))
            return UpstreamState.Local;
        if (node.Registry.Find(name) is { State: not StreamState.Idle })
            return UpstreamState.Local;
        if (_missing.TryFind(name, now, out refusal))
            return UpstreamState.Missing;
        if (Interlocked.Increment(ref _pending) > node.Settings.Edge.Pending)
        {
            NoteSettled();
            refusal = new RelayRefusal(RelayRefusalCode.Unavailable, "too many streams are being asked for (edge.pending)");
            return UpstreamState.Missing;
        }

        var puller = new RelayPuller(this, node, ShardOf(name), name, node.Origins.Of(name, ProtocolOf(name, protocol)), arguments, path);
        if (_pullers.TryAdd(name, puller))
            puller.Begin(now);
        else
            NoteSettled();
        return UpstreamState.Pending;
    }

    /// <summary>Somebody is about to play what is here: if it is fetched, it stays as long as he needs to begin. To be called before he looks for it.</summary>
    public void Touch(StreamName name)
    {
        if (_pullers.TryGetValue(name, out var puller))
            puller.TryTouch(NodeClock.Micros, "");
    }

    /// <summary>
    /// Word has come that no origin has the stream. Whoever begins to wait for it looks here once he does: it may have come between.
    /// </summary>
    public bool IsMissing(StreamName name) =>
        _pullers.TryGetValue(name, out var puller) ? puller.State == UpstreamState.Missing : _missing.TryFind(name, NodeClock.Micros, out _);

    /// <summary>What the origins have said of a stream that did not come; null where it is not theirs, or has come.</summary>
    public RelayRefusal? RefusalOf(StreamName name)
    {
        if (_pullers.TryGetValue(name, out var puller) && puller.State is UpstreamState.Pending or UpstreamState.Missing)
            return puller.Refusal;
        return _missing.TryFind(name, NodeClock.Micros, out var refusal) ? refusal : null;
    }

    /// <summary>Where those wait who need the stream; null when it is not being asked for any more.</summary>
    public HlsWaiters? WaitersOf(StreamName name) => _pullers.TryGetValue(name, out var puller) ? puller.Waiters : null;

    /// <summary>Brings an object of a stream that is fetched.</summary>
    public void Fetch(StreamName name, HlsFetch fetch)
    {
        if (_pullers.TryGetValue(name, out var puller))
            puller.Fetch(fetch);
        else if (_published.TryGetValue(name, out var intake))
            intake.Fetch(fetch);
        else
            fetch.Fail();
    }

    /// <summary>Another node publishes a stream here.</summary>
    internal void Add(StreamName name, RelayIntake intake) => _published[name] = intake;

    internal void Remove(StreamName name, RelayIntake intake) => _published.TryRemove(new KeyValuePair<StreamName, RelayIntake>(name, intake));

    public bool TryFind(StreamName name, [NotNullWhen(true)] out RelayPuller? puller) => _pullers.TryGetValue(name, out puller);

    /// <summary>Nothing is fetched any more.</summary>
    public void Stop()
    {
        _stops = true;
        foreach (var puller in _pullers.Values)
            puller.Stop(NodeContext.StopReason);
    }

    internal void NoteMissing(StreamName name, RelayRefusal refusal, long now) =>
        _missing.Set(name, refusal, now + node.Settings.Edge.NegativeCache.ToMicros(), now);

    /// <summary>It is known whether a stream comes.</summary>
    internal void NoteSettled() => Interlocked.Decrement(ref _pending);

    internal void Forget(RelayPuller puller) => _pullers.TryRemove(new KeyValuePair<StreamName, RelayPuller>(puller.Name, puller));

    private Shard ShardOf(StreamName name) => Shards[(int)(OriginList.Hash(name) % (uint)Shards.Length)];

    private UpstreamProtocol ProtocolOf(StreamName name, UpstreamProtocol? viewers)
    {
        var vhost = node.Settings.VhostOf(name.Vhost);
        return vhost.FollowClient && viewers is { } own ? own : vhost.Protocol;
    }
}
