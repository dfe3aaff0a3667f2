using System.Diagnostics;
using Millrace.Node.Metrics;
using Millrace.Node.Sessions;
using Millrace.Node.Settings;

namespace Millrace.Node.Cluster;

/// <summary>What this node says about itself. Any thread.</summary>
/// <param name="node">The node.</param>
/// <param name="httpPort">Of its media port; 0 without one.</param>
internal sealed class OwnStatus(NodeContext node, int httpPort)
{
    private static readonly DateTimeOffset Started = new(Process.GetCurrentProcess().StartTime);

    private readonly NodeLoad _load = new();
    private readonly string _relay = node.Settings.AdvertisedUrl();

    public NodeStatus Make() => new(
        node.Id, _relay, HttpUrl(), Started, node.Registry.Streams.Count(stream => !stream.IsWaiting),
        node.Sessions.All.Count(session => session.Role is SessionRole.Publisher or SessionRole.Player), _load.Cores());

    /// <summary>The relay's address is the only one that we know by which others reach this machine.</summary>
    private string HttpUrl() =>
        httpPort > 0 && HostEndpoint.TryParse(OriginUrl.WithoutScheme(node.Settings.Cluster.Advertise), 0, out var advertised, out _)
            ? $"http://{advertised with { Port = httpPort }}"
            : "";
}
