using Millrace.Node.Settings;
using Millrace.Streams;

namespace Millrace.Node.Cluster;

/// <summary>The map within one process: what several nodes in it share, or what one node knows of itself.</summary>
internal sealed class MemoryOriginMap : IOriginMap
{
    private readonly MemoryOriginTable _table;
    private readonly string _advertise;
    private readonly DateTimeOffset _started;
    private readonly OriginMapCounters _counters = new();
    private readonly Func<NodeStatus> _status;

    /// <param name="settings">Valid settings.</param>
    /// <param name="table">Shared by those that are to find each other.</param>
    /// <param name="status">This node's own, asked for by whoever lists the nodes.</param>
    /// <param name="time">The clock.</param>
    public MemoryOriginMap(ClusterSettings settings, MemoryOriginTable table, Func<NodeStatus> status, TimeProvider time)
    {
        _table = table;
        _advertise = settings.Advertise;
        _started = time.GetUtcNow();
        _status = status;
        table.Join(this);
    }

    public OriginMapState State
    {
        get
        {
            var (registered, candidates) = _table.Count(this);
            return _counters.Read("memory", isConnected: true, _started, registered, candidates);
        }
    }

    public NodeStatus Status => _status();

    public void Register(StreamName name, string url)
    {
        if (OriginUrl.IsUsable(url))
            _table.Add(this, name, url);
        else
            _counters.Failed($"{name} cannot be registered: its URL is not one");
    }

    public void Remove(StreamName name) => _table.Remove(this, name);

    public ValueTask<OriginAnswer> FindAsync(StreamName name, CancellationToken cancellationToken)
    {
        _counters.Asked();
        var url = _table.Find(name, except: this);
        var answer = url is null || OriginUrl.LeadsTo(url, _advertise) ? OriginAnswer.None : new OriginAnswer(url);
        return ValueTask.FromResult(_counters.Answered(answer));
    }

    public IReadOnlyList<NodeStatus> KnownNodes =>
        [.. _table.Nodes.Select(static node => node.Status).OrderBy(static status => status.Id, StringComparer.Ordinal)];

    public Task<IReadOnlyList<NodeStatus>> NodesAsync(CancellationToken cancellationToken) => Task.FromResult(KnownNodes);

    public ValueTask DisposeAsync()
    {
        _table.Leave(this);
        return ValueTask.CompletedTask;
    }
}

/// <summary>
/// Who has which stream. The first to say so stands in the map, the others behind it in the order they came. Any thread; its lock is
/// held for a few dictionary operations.
/// </summary>
internal sealed class MemoryOriginTable
{
    private readonly Lock _lock = new();
    private readonly HashSet<MemoryOriginMap> _nodes = [];
    private readonly Dictionary<StreamName, List<(MemoryOriginMap Node, string Url)>> _claims = [];

    /// <summary>That of this process.</summary>
    public static MemoryOriginTable Process { get; } = new();

    public MemoryOriginMap[] Nodes
    {
        get
        {
            lock (_lock)
                return [.. _nodes];
        }
    }

    public void Join(MemoryOriginMap node)
    {
        lock (_lock)
            _nodes.Add(node);
    }

    public void Leave(MemoryOriginMap node)
    {
        lock (_lock)
        {
            _nodes.Remove(node);
            foreach (var (name, claims) in _claims)
            {
                if (claims.RemoveAll(claim => claim.Node == node) > 0 && claims.Count == 0)
                    _claims.Remove(name);
            }
        }
    }

    /// <summary>Nothing for a node that has left.</summary>
    public void Add(MemoryOriginMap node, StreamName name, string url)
    {
        lock (_lock)
        {
            if (!_nodes.Contains(node))
                return;
            if (!_claims.TryGetValue(name, out var claims))
                claims = _claims[name] = [];
            var index = claims.FindIndex(claim => claim.Node == node);
            if (index < 0)
                claims.Add((node, url));
            else
                claims[index] = (node, url);
        }
    }

    public void Remove(MemoryOriginMap node, StreamName name)
    {
        lock (_lock)
        {
            if (_claims.TryGetValue(name, out var claims) && claims.RemoveAll(claim => claim.Node == node) > 0 && claims.Count == 0)
                _claims.Remove(name);
        }
    }

    /// <summary>What stands in the map; null when that is nothing, or the asking node itself.</summary>
    public string? Find(StreamName name, MemoryOriginMap except)
    {
        lock (_lock)
            return _claims.TryGetValue(name, out var claims) && claims[0].Node != except ? claims[0].Url : null;
    }

    /// <summary>Streams of a node, and those of them that another one stands before.</summary>
    public (int Registered, int Candidates) Count(MemoryOriginMap node)
    {
        lock (_lock)
        {
            return (_claims.Values.Count(claims => claims.Exists(claim => claim.Node == node)),
                _claims.Values.Count(claims => claims[0].Node != node && claims.Exists(claim => claim.Node == node)));
        }
    }
}
