using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd.Hls;

/// <summary>A publisher that comes back within the grace.</summary>
public sealed class HlsReconnectTests
{
    private const int ClipSeconds = 6;

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Fact(Timeout = 120_000)]
    public async Task Numbers_go_on_behind_one_discontinuity_and_so_do_players()
    {
        using var folder = new TemporaryFolder();
        var clip = folder.File("clip.flv");
        await Ffmpeg.MakeClipAsync(clip, ClipSeconds, [.. "-c:v libx264 -preset veryfast -g 30 -sc_threshold 0 -c:a aac".Split(' ')]);
        await using var server = await MillraceServer.StartAsync("publish:\n  grace: 4s\nhls:\n  segment: 1s\n  part: 200ms\n  segments: 60");
        using var client = new HlsClient(server, "live/clip");
        string[] urls;
        HlsPlaylist[] before;
        await using (var first = Ffmpeg.PublishFile(clip, server.Rtmp("live/clip")))
        {
            await client.UntilAsync(client.TsUrl, playlist => playlist.Segments.Count > 2, Soon);
            urls = [client.TsUrl, await client.RenditionUrlAsync("video"), await client.RenditionUrlAsync("audio")];
            before = await Task.WhenAll(urls.Select(client.PlaylistAsync));
            first.Kill();
        }

        await using var ts = Ffmpeg.Digest(client.TsUrl);
        await using var lowLatency = Ffmpeg.Digest(client.LowLatencyUrl);
        await Ports.ConnectedAsync(server.HttpPort, 3, Soon);
        await using var second = Ffmpeg.PublishFile(clip, server.Rtmp("live/clip"));
        (await second.ExitAsync(Soon)).ShouldBe(0, second.Tail());

        foreach (var (url, old) in urls.Zip(before))
        {
            var playlist = await client.UntilAsync(url, playlist => playlist.IsEnded, Soon);
            playlist.Discontinuities.ShouldBe(1, playlist.Text);
            playlist.FirstNumber.ShouldBe(0);
            playlist.Segments.Count.ShouldBeGreaterThanOrEqualTo(old.Segments.Count + ClipSeconds - 1, playlist.Text);
            playlist.Segments.Take(old.Segments.Count).Select(segment => segment.Uri).ShouldBe(old.Segments.Select(segment => segment.Uri));
        }

        var source = (await FrameDigest.OfFileAsync(clip)).VideoFrames.Select(frame => frame.Md5).ToList();
        foreach (var player in (ChildProcess[])[ts, lowLatency])
        {
            var seen = (await FrameDigest.CollectAsync(player, Soon)).VideoFrames.Select(frame => frame.Md5).ToList();
            seen.Take(60).ShouldBe(source.Take(60), "of the first publication");
            seen.TakeLast(source.Count).ShouldBe(source, "of the second");
        }
    }
}
