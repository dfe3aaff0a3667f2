using System.Net;
using System.Net.Sockets;
using Millrace.EndToEnd.Harness;
using Millrace.Node.Tests.Harness;

namespace Millrace.EndToEnd.Cluster;

/// <summary>Publishers that send what the test gives them.</summary>
internal static class Publishers
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    /// <summary>Publishes live/NAME, and returns when it is accepted.</summary>
    public static async Task<RtmpPeer> RtmpAsync(MillraceServer server, string name)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, server.RtmpPort, TestContext.Current.CancellationToken);
        var peer = new RtmpPeer(socket, $"rtmp://127.0.0.1:{server.RtmpPort}/live", "live", name, isPublisher: true, isEnhanced: false);
        await Wait.UntilAsync(() => Task.FromResult(peer.IsReady), Deadline, () => "the publisher is not accepted\n" + server.Process.Tail());
        return peer;
    }
}
