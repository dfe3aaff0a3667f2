using System.Net;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;

namespace Millrace.Node.Tests.Relay;

/// <summary>Nodes of one process that fetch from each other.</summary>
internal static class RelayNodes
{
    public static Task<TestNode> StartAsync(string id, params TestNode[] origins) => StartAsync(id, Array.ConvertAll(origins, OriginOf), null);

    /// <param name="id">Its <c>cluster.node</c>.</param>
    /// <param name="origins">Where it fetches all of its streams; none: they are its own.</param>
    /// <param name="change">What else is different.</param>
    public static Task<TestNode> StartAsync(string id, IReadOnlyList<string> origins, Func<NodeSettings, NodeSettings>? change) => TestNode.StartAsync(settings =>
    {
        settings = settings with { Cluster = new ClusterSettings { Node = id } };
        if (origins.Count > 0)
            settings = settings with { Vhosts = [new VhostSettings { Name = VhostSettings.DefaultName, Mode = VhostMode.Remote, Origin = origins }] };
        return change is null ? settings : change(settings);
    });

    /// <summary>As above, at a port that is known before.</summary>
    public static Task<TestNode> StartAsync(string id, int port, IReadOnlyList<string> origins, Func<NodeSettings, NodeSettings>? change = null) => StartAsync(id, origins, settings =>
    {
        settings = settings with { Relay = settings.Relay with { Listen = [new ListenEndpoint(IPAddress.Loopback, port)] } };
        return change is null ? settings : change(settings);
    });

    public static string OriginAt(int port) => FormattableString.Invariant($"millrace://{IPAddress.Loopback}:{port}");

    public static string OriginOf(TestNode node) => FormattableString.Invariant($"millrace://{IPAddress.Loopback}:{node.Node.RelayPort}");
}
