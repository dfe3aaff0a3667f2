using System.Net;
using System.Net.Sockets;
using Millrace.EndToEnd.Harness;
using Millrace.Node.Tests.Harness;

namespace Millrace.EndToEnd.Cluster;

/// <summary>
/// Two origins, one edge with the publisher, another with the viewers: whatever happens to the origin that both use, nobody is disconnected, and as
/// both origins are below one authority nobody misses a picture.
/// </summary>
public sealed class FailoverTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Theory(Timeout = 180_000)]
    [InlineData("killed")]
    [InlineData("frozen")]
    [InlineData("cut off")]
    public async Task Nobody_notices_that_an_origin_has_gone(string fault)
    {
        await using var first = await MillraceServer.StartAsync();
        await using var second = await MillraceServer.StartAsync();
        await using var upLine = new RelayLine(first.RelayPort);
        await using var downLine = new RelayLine(first.RelayPort);
        await using var near = await EdgeAsync("near", upLine.Port, second.RelayPort);
        await using var far = await EdgeAsync("far", downLine.Port, second.RelayPort);
        using var publisher = await PublishAsync(near);
        using var source = new NumberedSource(publisher);
        await first.LiveAsync("default/live/x");

        using var crowd = new Crowd();
        await crowd.FillAsync(far, LongRun.IsAsked ? 200 : 40);
        await using var hls = new HlsCrowd(far, LongRun.IsAsked ? 50 : 8);
        await crowd.HasMediaAsync(100);
        await Wait.UntilAsync(() => Task.FromResult(hls.Followers.TrueForAll(static follower => follower.Parts > 3)), Soon, () => "parts for all of them");

        switch (fault)
        {
            case "killed":
                first.Process.Kill();
                break;
            case "frozen":
                first.Process.Freeze();
                break;
            default:
                upLine.Freeze();
                downLine.Freeze();
                break;
        }

        var parts = hls.Followers.ConvertAll(static follower => follower.Parts);
        await second.LiveAsync("default/live/x");
        await crowd.HasMediaAsync(crowd.Rtmp.Max(static viewer => viewer.MediaCount) + 200);
        await Wait.UntilAsync(
            () => Task.FromResult(hls.Followers.Zip(parts).All(static pair => pair.First.Parts > pair.Second + 6)), Soon, () => "HLS stands still\n" + far.Process.Tail());
        first.Process.Thaw();
        upLine.Restore();
        downLine.Restore();

        publisher.HasEnded.ShouldBeFalse();
        crowd.ShouldAllBeThere();
        foreach (var viewer in crowd.Rtmp)
        {
            var numbers = NumberedSource.NumbersOf(viewer);
            numbers.ShouldBe([.. Enumerable.Range(numbers[0], numbers.Count)], "no picture is missing");
        }

        hls.Followers.SelectMany(static follower => follower.Errors).ShouldBeEmpty();
    }

    private static Task<MillraceServer> EdgeAsync(string id, params int[] ports) => MillraceServer.StartAsync($"""
        cluster:
          node: {id}
        hls:
          segment: 2s
          part: 200ms
        vhosts:
          - name: default
            mode: remote
            origin: ["millrace://127.0.0.1:{ports[0]}", "millrace://127.0.0.1:{ports[1]}"]
        """);

    private static async Task<RtmpPeer> PublishAsync(MillraceServer server)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, server.RtmpPort, TestContext.Current.CancellationToken);
        var peer = new RtmpPeer(socket, $"rtmp://127.0.0.1:{server.RtmpPort}/live", "live", "x", isPublisher: true, isEnhanced: false);
        await Wait.UntilAsync(() => Task.FromResult(peer.IsReady), Soon, () => "the publisher is not accepted\n" + server.Process.Tail());
        return peer;
    }

    /// <summary>As many RTMP as FLV viewers.</summary>
    private sealed class Crowd : IDisposable
    {
        public List<RtmpPeer> Rtmp { get; } = [];

        public List<FlvViewer> Flv { get; } = [];

        public async Task FillAsync(MillraceServer server, int count)
        {
            for (var i = 0; i < count; i++)
            {
                Rtmp.Add(await Viewers.RtmpAsync(server, "x"));
                Flv.Add(await FlvViewer.PlayAsync(server, "x"));
            }
        }

        public async Task HasMediaAsync(int count)
        {
            var bytes = Flv.ConvertAll(static viewer => viewer.Bytes);
            foreach (var viewer in Rtmp)
                await viewer.HasMediaAsync(count, Soon);
            foreach (var (viewer, before) in Flv.Zip(bytes))
                await viewer.HasBytesAsync(before + 10_000, Soon);
        }

        public void ShouldAllBeThere()
        {
            Rtmp.ShouldAllBe(static viewer => !viewer.HasEnded);
            Flv.ShouldAllBe(static viewer => !viewer.HasEnded);
        }

        public void Dispose()
        {
            Rtmp.ForEach(static viewer => viewer.Dispose());
            Flv.ForEach(static viewer => viewer.Dispose());
        }
    }

    private sealed class HlsCrowd(MillraceServer server, int count) : IAsyncDisposable
    {
        public List<HlsFollower> Followers { get; } = [.. Enumerable.Range(0, count).Select(_ => new HlsFollower(server, "x"))];

        public async ValueTask DisposeAsync()
        {
            foreach (var follower in Followers)
                await follower.DisposeAsync();
        }
    }
}
