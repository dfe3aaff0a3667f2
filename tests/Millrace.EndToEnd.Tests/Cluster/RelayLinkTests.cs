using Millrace.EndToEnd.Harness;
using Millrace.EndToEnd.Hls;

namespace Millrace.EndToEnd.Cluster;

/// <summary>The line between an edge and its origin breaks, and the origin itself: nobody who watches at the edge is disconnected.</summary>
public sealed class RelayLinkTests
{
    private static readonly string Clip = Path.Combine(Repository.TestMedia, "bbb-360p.flv");

    /// <summary>Longer than relay.timeout: both ends take the other for dead.</summary>
    private static readonly TimeSpan Frozen = TimeSpan.FromSeconds(1.5);

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    [Fact(Timeout = 120_000)]
    public async Task A_line_that_is_cut_and_one_that_is_frozen_cost_no_picture()
    {
        await using var origin = await MillraceServer.StartAsync("publish:\n  grace: 1s\nhls:\n  segment: 1s\n  part: 300ms");
        await using var line = new RelayLine(origin.RelayPort);
        await using var edge = await Edges.StartAsync(line.Port, "  negative_cache: 100ms");
        await using var control = Ffmpeg.Digest(origin.Rtmp("live/bbb"));
        await using var rtmp = Ffmpeg.Digest(edge.Rtmp("live/bbb"));
        await using var flv = Ffmpeg.Digest(edge.Http("live/bbb.flv?wait=20s"));
        await Ports.ConnectedAsync(origin.RtmpPort, 1, Soon);
        await Ports.ConnectedAsync(edge.RtmpPort, 1, Soon);
        await Ports.ConnectedAsync(edge.HttpPort, 1, Soon);
        await using var publisher = Ffmpeg.PublishFile(Clip, origin.Rtmp("live/bbb"));
        using var client = new HlsClient(edge, "live/bbb");
        await client.UntilAsync(client.TsUrl, playlist => playlist.Segments.Count > 0, Soon);
        await using var ts = Ffmpeg.Digest(client.TsUrl);

        var connections = line.Connections;
        line.Cut();
        await Wait.UntilAsync(() => Task.FromResult(line.Connections > connections), Soon, () => "it was not tried again\n" + edge.Process.Tail());
        line.Restore();
        await FetchedAsync(origin, edge);

        connections = line.Connections;
        line.Freeze();
        await Task.Delay(Frozen, TestContext.Current.CancellationToken);
        line.Connections.ShouldBeGreaterThan(connections, "it is still taken to be alive\n" + edge.Process.Tail());
        line.Restore();
        await FetchedAsync(origin, edge);
        publisher.HasExited.ShouldBeFalse("there was nothing left to miss");

        var expected = await FrameDigest.CollectAsync(control, Soon);
        expected.VideoFrames.Count.ShouldBe((await FrameDigest.OfFileAsync(Clip)).VideoFrames.Count);
        foreach (var player in (ChildProcess[])[rtmp, flv, ts])
        {
            var seen = await FrameDigest.CollectAsync(player, Soon);
            seen.ShouldBeStretchOf(expected, expected.VideoFrames.Count);
            seen.AudioFrames[^1].Md5.ShouldBe(expected.AudioFrames[^1].Md5);
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task Viewers_stay_while_the_origin_stands_still()
    {
        await using var origin = await MillraceServer.StartAsync();
        await using var edge = await Edges.StartAsync(origin);
        await using var publisher = Ffmpeg.PublishFile(Clip, origin.Rtmp("live/bbb"), loop: true);
        await origin.LiveAsync("default/live/bbb");
        using var rtmp = await Viewers.RtmpAsync(edge, "bbb");
        using var flv = await FlvViewer.PlayAsync(edge, "bbb");
        await rtmp.HasMediaAsync(100, Soon);
        await flv.HasBytesAsync(100_000, Soon);

        origin.Process.Freeze();
        await Task.Delay(2 * Frozen, TestContext.Current.CancellationToken);
        (await edge.SessionsAsync("relay")).ShouldBe(0, "the origin is dead\n" + edge.Process.Tail());
        var (messages, bytes) = (rtmp.MediaCount, flv.Bytes);
        origin.Process.Thaw();

        await rtmp.HasMediaAsync(messages + 300, Soon);
        await flv.HasBytesAsync(bytes + 150_000, Soon);
        rtmp.HasEnded.ShouldBeFalse();
        flv.HasEnded.ShouldBeFalse();
        rtmp.Media.Zip(rtmp.Media.Skip(1)).ShouldAllBe(pair => pair.First.Type != pair.Second.Type || pair.First.Time <= pair.Second.Time);
    }

    [Fact(Timeout = 120_000)]
    public async Task Viewers_stay_while_the_origin_is_away_and_see_it_come_back()
    {
        await using var first = await MillraceServer.StartAsync();
        await using var line = new RelayLine(first.RelayPort);
        await using var edge = await Edges.StartAsync(line.Port);
        var publisher = Ffmpeg.PublishFile(Clip, first.Rtmp("live/bbb"), loop: true);
        try
        {
            await first.LiveAsync("default/live/bbb");
            using var rtmp = await Viewers.RtmpAsync(edge, "bbb");
            using var flv = await FlvViewer.PlayAsync(edge, "bbb");
            await rtmp.HasMediaAsync(100, Soon);
            await flv.HasBytesAsync(100_000, Soon);

            first.Process.Kill();
            await publisher.DisposeAsync();
            await using var second = await MillraceServer.StartAsync();
            line.Restore(second.RelayPort);
            publisher = Ffmpeg.PublishFile(Clip, second.Rtmp("live/bbb"), loop: true);
            await second.LiveAsync("default/live/bbb");

            await rtmp.HasMediaAsync(rtmp.MediaCount + 300, Soon);
            await flv.HasBytesAsync(flv.Bytes + 200_000, Soon);
            rtmp.HasEnded.ShouldBeFalse();
            flv.HasEnded.ShouldBeFalse();
        }
        finally
        {
            await publisher.DisposeAsync();
        }
    }

    /// <summary>Waits until the link is there again and all that was missed has come: both say the same end of the stream.</summary>
    private static async Task FetchedAsync(MillraceServer origin, MillraceServer edge)
    {
        using var above = new HlsClient(origin, "live/bbb");
        using var below = new HlsClient(edge, "live/bbb");
        var path = new Uri(await below.RenditionUrlAsync("video")).PathAndQuery.TrimStart('/');
        await Wait.UntilAsync(
            async () => (await below.PlaylistAsync(edge.Http(path))).Hint == (await above.PlaylistAsync(origin.Http(path))).Hint,
            Soon, () => "the edge lags behind\n" + edge.Process.Tail());
    }
}
