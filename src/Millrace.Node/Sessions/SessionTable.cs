using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging;
using Millrace.Node.Metrics;
using Millrace.Streams;

namespace Millrace.Node.Sessions;

/// <summary>Who publishes and plays now, and how many ever did.</summary>
internal sealed class SessionTable(ILogger logger, TrafficZones traffic)
{
    private readonly ConcurrentDictionary<string, NodeSession> _sessions = new(StringComparer.Ordinal);
    private long _lastId;
    private long _opened;
    private long _fruitless;

    public ILogger Logger { get; } = logger;

    public TrafficZones Traffic { get; } = traffic;

    public IEnumerable<NodeSession> All => _sessions.Values;

    public int Count => _sessions.Count;

    public long Opened => Interlocked.Read(ref _opened);

    /// <summary>Connections that ended before they published or played anything.</summary>
    public long Fruitless => Interlocked.Read(ref _fruitless);

    public NodeSession Create(string protocol, IPEndPoint remote) =>
        new(this, Interlocked.Increment(ref _lastId).ToString("x8", CultureInfo.InvariantCulture), protocol, remote);

    public NodeSession? Find(string id) => _sessions.GetValueOrDefault(id);

    /// <summary>Players by stream, in one pass over the table.</summary>
    public Dictionary<StreamName, int> CountPlayers()
    {
        var counts = new Dictionary<StreamName, int>();
        foreach (var session in All)
        {
            if (session is { Role: SessionRole.Player, Stream: { } stream })
                counts[stream] = counts.GetValueOrDefault(stream) + 1;
        }

        return counts;
    }

    /// <summary>Sessions by stream, in one pass over the table.</summary>
    public ILookup<StreamName, NodeSession> ByStream() => All.ToLookup(session => session.Stream!);

    public IEnumerable<NodeSession> Of(StreamName stream) => All.Where(session => session.Stream == stream);

    /// <summary>Adds what the open sessions have moved up to now to the zones; to be called before they are read.</summary>
    public void Settle()
    {
        foreach (var session in All)
            session.Settle();
    }

    internal void Add(NodeSession session)
    {
        if (_sessions.TryAdd(session.Id, session))
            Interlocked.Increment(ref _opened);
    }

    internal void Remove(NodeSession session)
    {
        if (!_sessions.TryRemove(session.Id, out _))
            Interlocked.Increment(ref _fruitless);
    }
}
