using Millrace.Node.Settings;

namespace Millrace.Node.Cluster;

/// <summary>All nodes of the map, read at most once a heartbeat however many ask; any thread.</summary>
internal sealed class NodeListing(ClusterSettings settings, RedisLink link, OriginMapCounters counters, TimeProvider time)
{
    /// <summary>Of a whole listing, which may take many requests.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private Task<IReadOnlyList<NodeStatus>> _newest = Task.FromResult<IReadOnlyList<NodeStatus>>([]);
    private IReadOnlyList<NodeStatus> _known = [];
    private long? _readAt;

    /// <summary>As they were read last.</summary>
    public IReadOnlyList<NodeStatus> Known => Volatile.Read(ref _known);

    public Task<IReadOnlyList<NodeStatus>> GetAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            var isFresh = _readAt is { } at && time.GetElapsedTime(at) < settings.Heartbeat;
            if (!isFresh && _newest.IsCompleted && link.IsConnected)
            {
                _readAt = time.GetTimestamp();
                _newest = Task.Run(ReadAsync, CancellationToken.None);
            }

            return _newest.WaitAsync(cancellationToken);
        }
    }

    private async Task<IReadOnlyList<NodeStatus>> ReadAsync()
    {
        try
        {
            if (link.Database is { } database)
                Volatile.Write(ref _known, await RedisCommands.NodesAsync(database, settings.Redis.Prefix).WaitAsync(Limit, time));
        }
        catch (Exception e)
        {
            // The library has more exceptions than a common base of them; who asks is told what was known last.
            counters.Failed(e.Message);
        }

        return Known;
    }
}
