using System.Net;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;
using Millrace.Node.Tests.Relay;

namespace Millrace.Node.Tests.Cluster;

/// <summary>Nodes that find each other by an origin map, and say where they are.</summary>
internal static class MappedNodes
{
    /// <param name="id">Its <c>cluster.node</c>.</param>
    /// <param name="redis">Who keeps the map; null: this process.</param>
    /// <param name="change">What else is different.</param>
    /// <param name="settings">What is different outside of <c>cluster</c>.</param>
    public static Task<TestNode> StartAsync(
        string id, RedisServer? redis = null, Func<ClusterSettings, ClusterSettings>? change = null, Func<NodeSettings, NodeSettings>? settings = null)
    {
        var port = TestPorts.Free();
        return RelayNodes.StartAsync(id, [], node =>
        {
            var cluster = node.Cluster with
            {
                Advertise = FormattableString.Invariant($"127.0.0.1:{port}"),
                Elsewhere = StreamElsewhere.Redirect,
                Map = redis is null ? OriginMapKind.Memory : OriginMapKind.Redis,
                Heartbeat = TimeSpan.FromMilliseconds(100),
                Redis = new RedisSettings { Endpoint = FormattableString.Invariant($"127.0.0.1:{redis?.Port}") },
            };
            node = node with
            {
                Cluster = change?.Invoke(cluster) ?? cluster,
                Relay = node.Relay with { Listen = [new ListenEndpoint(IPAddress.Loopback, port)] },
            };
            return settings?.Invoke(node) ?? node;
        });
    }
}
