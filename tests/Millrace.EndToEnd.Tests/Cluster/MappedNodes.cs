using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Millrace.EndToEnd.Harness;
using Millrace.Node.Tests.Harness;

namespace Millrace.EndToEnd.Cluster;

/// <summary>Nodes that find each other by Redis.</summary>
internal static class MappedNodes
{
    /// <param name="redis">Which they share.</param>
    /// <param name="node">Its <c>cluster.node</c>.</param>
    /// <param name="cluster">More of the section `cluster`, indented.</param>
    /// <param name="more">Other sections.</param>
    public static Task<MillraceServer> StartAsync(RedisProcess redis, string node, string cluster = "", string more = "") => MillraceServer.StartAsync($"""
        cluster:
          node: {node}
          map: redis
          advertise: "127.0.0.1:{MillraceServer.OwnRelayPort}"
          redis:
            endpoint: "127.0.0.1:{redis.Port.ToString(CultureInfo.InvariantCulture)}"
        {cluster}
        {more}
        """);

    /// <summary>Asks to publish live/NAME, and waits for a verdict.</summary>
    public static async Task<RtmpPeer> PublishAsync(MillraceServer server, string name)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, server.RtmpPort, TestContext.Current.CancellationToken);
        var publisher = new RtmpPeer(socket, server.Rtmp("live"), "live", name, isPublisher: true, isEnhanced: false);
        await Harness.Wait.UntilAsync(() => Task.FromResult(publisher.IsReady || publisher.HasEnded), TimeSpan.FromSeconds(5), () => $"no verdict on {name}\n{server.Process.Tail()}");
        return publisher;
    }
}
