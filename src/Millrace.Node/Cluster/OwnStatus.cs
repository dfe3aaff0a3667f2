using System.Diagnostics;
using Millrace.Node.Metrics;
using Millrace.Node.Sessions;
using Millrace.Node.Settings;

namespace Millrace.Node.Cluster;

/// <summary>What this node says about itself. Any thread.</summary>
internal sealed class OwnStatus
{
    private static readonly DateTimeOffset Started = new(Process.GetCurrentProcess().StartTime);

    private readonly NodeContext _node;
    private readonly NodeLoad _load = new();
    private readonly NodeStatus _addresses;

    /// <param name="node">The node.</param>
    /// <param name="rtmpPort">Where it takes RTMP; 0 where it does not.</param>
    /// <param name="httpPort">Of its media port; 0 without one.</param>
    public OwnStatus(NodeContext node, int rtmpPort, int httpPort)
    {
        _node = node;
        var (cluster, tls) = (node.Settings.Cluster, node.Settings.Http.Tls);
        var own = cluster.Public;
        _addresses = new NodeStatus(node.Id, node.Settings.AdvertisedUrl(), AddressOf(own.Http, "http", httpPort), Started, 0, 0, 0)
        {
            Https = AddressOf(own.Https, "https", tls is { IsEnabled: true, Listen: [var first, ..] } ? first.Port : 0),
            Rtmp = AddressOf(own.Rtmp, "rtmp", rtmpPort),
        };
    }

    public NodeStatus Make() => _addresses with
    {
        Streams = _node.Registry.Streams.Count(stream => !stream.IsWaiting),
        Sessions = _node.Sessions.All.Count(session => session.Role is SessionRole.Publisher or SessionRole.Player),
        Cpu = _load.Cores(),
    };

    /// <summary>Where nothing else is said, the relay's address is the only one that we know by which others reach this machine.</summary>
    private string AddressOf(string setting, string scheme, int port)
    {
        if (setting.Length > 0)
            return setting == PublicSettings.None ? "" : setting.TrimEnd('/');
        return port > 0 && HostEndpoint.TryParse(OriginUrl.WithoutScheme(_node.Settings.Cluster.Advertise), 0, out var advertised, out _) ? $"{scheme}://{advertised with { Port = port }}" : "";
    }
}
