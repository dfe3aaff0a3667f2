using Microsoft.Extensions.Logging;
using Millrace.Node.Cluster;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;
using Millrace.Streams;

namespace Millrace.Node.Tests.Cluster;

/// <summary>The map of one node, with a heartbeat of 50 ms and patience enough for a busy machine.</summary>
internal sealed class MapRig : IAsyncDisposable
{
    private int _heartbeats;

    public MapRig(RedisServer server, string id, Func<ClusterSettings, ClusterSettings>? change = null)
    {
        Id = id;
        var settings = new ClusterSettings
        {
            Node = id,
            Advertise = $"{id}.example:9000",
            Map = OriginMapKind.Redis,
            Heartbeat = TimeSpan.FromMilliseconds(50),
            Expiry = TimeSpan.FromSeconds(30),
            LookupTimeout = TimeSpan.FromSeconds(10),
            Redis = new RedisSettings { Endpoint = FormattableString.Invariant($"127.0.0.1:{server.Port}") },
        };
        Map = OriginMaps.Create(change?.Invoke(settings) ?? settings, Status, TimeProvider.System, Log.CreateLogger("Millrace.Cluster"));
    }

    public string Id { get; }

    public IOriginMap Map { get; }

    public LogLines Log { get; } = new();

    public OriginMapState State => Map.State;

    public static StreamName Name(string name) => new("default", "live", name);

    public string UrlOf(string name) => $"millrace://{Id}.example:9000/default/live/{name}";

    public void Register(string name) => Map.Register(Name(name), UrlOf(name));

    public void Remove(string name) => Map.Remove(Name(name));

    public async Task<OriginAnswer> FindAsync(string name) => await Map.FindAsync(Name(name), TestContext.Current.CancellationToken);

    public Task<IReadOnlyList<NodeStatus>> NodesAsync() => Map.NodesAsync(TestContext.Current.CancellationToken);

    public Task UntilConnected() => Wait.Until(() => State.IsConnected, $"{Id} is connected");

    public Task UntilHeld(int count = 1) => Wait.Until(() => State is { Candidates: 0 } state && state.Registered == count, $"{Id} holds {count}");

    public Task UntilCandidate() => Wait.Until(() => State.Candidates == 1, $"{Id} is a candidate");

    /// <summary>Two whole heartbeats: the status is asked for at the beginning of each.</summary>
    public Task HeartbeatsPass()
    {
        var before = Volatile.Read(ref _heartbeats);
        return Wait.Until(() => Volatile.Read(ref _heartbeats) >= before + 3, "heartbeats");
    }

    public ValueTask DisposeAsync() => Map.DisposeAsync();

    private NodeStatus Status()
    {
        Interlocked.Increment(ref _heartbeats);
        return new NodeStatus(Id, $"millrace://{Id}.example:9000", $"http://{Id}.example:8080", DateTimeOffset.UnixEpoch, 3, 40, 0.5);
    }
}
