using Microsoft.Extensions.Logging;
using Millrace.Node.Access;
using Millrace.Node.Cluster;
using Millrace.Node.Hls;
using Millrace.Node.Metrics;
using Millrace.Node.Relay;
using Millrace.Node.Sessions;
using Millrace.Node.Settings;
using Millrace.Node.Shards;
using Millrace.Streams;
using Millrace.Streams.Buffers;
using Millrace.Streams.Wire;

namespace Millrace.Node;

/// <summary>What the node's parts share.</summary>
internal sealed class NodeContext(NodeSettings settings, StreamRegistry registry, SessionTable sessions, ILoggerFactory loggers)
{
    /// <summary>Told to whom the node's stop leaves without an answer.</summary>
    public const string StopReason = "the node is shutting down";

    public NodeSettings Settings { get; } = settings;

    /// <summary>This node's id among others.</summary>
    public string Id => Registry.Resources.Node;

    /// <summary>Nothing is to be waited for any more.</summary>
    public CancellationToken Stopping { get; init; }

    public StreamRegistry Registry { get; } = registry;

    public SessionTable Sessions { get; } = sessions;

    public TrafficZones Traffic => Sessions.Traffic;

    public Origins Origins => field ?? LazyInitializer.EnsureInitialized(ref field, () => new Origins(Settings));

    /// <summary>Streams that other nodes hold.</summary>
    public Upstreams Upstreams => field ?? LazyInitializer.EnsureInitialized(ref field, () => new Upstreams(this));

    /// <summary>Streams that are published here and belong to other nodes.</summary>
    public Pushers Pushers => field ?? LazyInitializer.EnsureInitialized(ref field, () => new Pushers(this));

    /// <summary>Where clients are sent who come for a stream that another node has.</summary>
    public Redirects Redirects => field ?? LazyInitializer.EnsureInitialized(ref field, () => new Redirects(this));

    /// <summary>Who may play and publish.</summary>
    public AccessJudge Access => field ?? LazyInitializer.EnsureInitialized(ref field, () => new AccessJudge(this));

    /// <summary>Which node has which stream; null before the node has started.</summary>
    public IOriginMap? OriginMap { get; set; }

    /// <summary>Where other nodes connect, as far as the listeners are open.</summary>
    public IReadOnlyList<ListenEndpoint> RelayListeners { get; set; } = [];

    /// <summary>The same of <c>relay.tls</c>.</summary>
    public IReadOnlyList<ListenEndpoint> RelayTlsListeners { get; set; } = [];

    /// <summary>Connections over TLS that shards do not have; none before the node has started.</summary>
    public TlsTunnels Tunnels
    {
        get => field ?? throw new InvalidOperationException("The node has not started.");
        set;
    }

    public HlsAudience HlsAudience { get; } = new();

    public HlsFetches HlsFetches { get; } = new();

    public HlsStarts HlsStarts { get; } = new(loggers.CreateLogger("Millrace.Hls"));

    public ILoggerFactory Loggers { get; } = loggers;

    public MemoryAccount Spills => Registry.Resources.Budget[MemoryUse.Spills];

    /// <summary>The merge window of a stream in a format, microseconds.</summary>
    public long WindowOf(StreamName name, WireFormat format)
    {
        var merge = format switch
        {
            WireFormat.Rtmp => MergeFormat.Rtmp,
            WireFormat.Flv or WireFormat.ChunkedFlv => MergeFormat.Flv,
            WireFormat.WsFlv => MergeFormat.WsFlv,
            WireFormat.Relay => MergeFormat.Relay,
            _ => throw new ArgumentOutOfRangeException(nameof(format), format, null),
        };
        return Settings.MergeOf(Settings.VhostOf(name.Vhost), name.App, name.Name, merge).ToMicros();
    }
}

internal static class TimeSpanMicros
{
    public static long ToMicros(this TimeSpan time) => time.Ticks / TimeSpan.TicksPerMicrosecond;
}
