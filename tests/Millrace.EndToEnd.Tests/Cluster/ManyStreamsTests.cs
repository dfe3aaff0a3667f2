using System.Net;
using System.Net.Sockets;
using Millrace.EndToEnd.Harness;
using Millrace.Node.Tests.Harness;

namespace Millrace.EndToEnd.Cluster;

/// <summary>One edge with many streams, and with many viewers of one.</summary>
public sealed class ManyStreamsTests
{
    /// <summary>Five pictures a second of each stream: it is the streams that count.</summary>
    private const int FrameMillis = 200;

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    [Fact(Timeout = 300_000)]
    public async Task Each_stream_is_fetched_once_for_its_viewers_and_let_go_with_them()
    {
        await using var origin = await MillraceServer.StartAsync();
        await using var line = new RelayLine(origin.RelayPort);
        await using var edge = await Edges.StartAsync(line.Port, "  linger: 2s");
        var publishers = await InBatchesAsync(Enumerable.Range(0, LongRun.Many), i => PublishAsync(origin, $"s{i}"));
        using var source = new NumberedSource(FrameMillis, [.. publishers]);
        await Wait.UntilAsync(() => Task.FromResult(source.Sent > 5), Soon, () => "pictures");
        publishers.ShouldAllBe(static publisher => !publisher.HasEnded);

        var viewers = await InBatchesAsync(Enumerable.Range(0, 2 * publishers.Count), i => FlvViewer.PlayAsync(edge, $"s{i / 2}"));
        foreach (var viewer in viewers)
            await viewer.HasBytesAsync(5_000, Soon);

        line.Connections.ShouldBe(publishers.Count, "one upstream for two viewers, and never another");
        (await origin.SessionsAsync("relay")).ShouldBe(publishers.Count);
        viewers.ShouldAllBe(static viewer => !viewer.HasEnded);
        viewers.ForEach(static viewer => viewer.Dispose());
        await Wait.UntilAsync(async () => await origin.SessionsAsync("relay") == 0, Soon, () => "upstreams stay\n" + edge.Process.Tail());
        publishers.ForEach(static publisher => publisher.Dispose());
    }

    [Fact(Timeout = 300_000)]
    public async Task One_stream_is_fetched_once_for_all_its_viewers()
    {
        await using var origin = await MillraceServer.StartAsync();
        await using var line = new RelayLine(origin.RelayPort);
        await using var edge = await Edges.StartAsync(line.Port);
        using var publisher = await PublishAsync(origin, "one");
        using var source = new NumberedSource(publisher);
        await Wait.UntilAsync(() => Task.FromResult(source.Sent > 50), Soon, () => "pictures");

        var viewers = await InBatchesAsync(Enumerable.Range(0, LongRun.Many), _ => FlvViewer.PlayAsync(edge, "one"));
        foreach (var viewer in viewers)
            await viewer.HasBytesAsync(20_000, Soon);

        line.Connections.ShouldBe(1);
        viewers.ShouldAllBe(static viewer => !viewer.HasEnded);
        viewers.ForEach(static viewer => viewer.Dispose());
    }

    private static async Task<List<T>> InBatchesAsync<T>(IEnumerable<int> numbers, Func<int, Task<T>> begin)
    {
        const int AtOnce = 100;
        var begun = new List<T>();
        foreach (var batch in numbers.Chunk(AtOnce))
            begun.AddRange(await Task.WhenAll(batch.Select(begin)));
        return begun;
    }

    private static async Task<RtmpPeer> PublishAsync(MillraceServer server, string name)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, server.RtmpPort, TestContext.Current.CancellationToken);
        var peer = new RtmpPeer(socket, $"rtmp://127.0.0.1:{server.RtmpPort}/live", "live", name, isPublisher: true, isEnhanced: false);
        await Wait.UntilAsync(() => Task.FromResult(peer.IsReady), Soon, () => "the publisher is not accepted\n" + server.Process.Tail());
        return peer;
    }
}
