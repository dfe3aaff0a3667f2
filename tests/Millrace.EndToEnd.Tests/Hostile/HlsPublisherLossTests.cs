using System.Diagnostics;
using System.Net;
using Millrace.EndToEnd.Harness;
using Millrace.EndToEnd.Hls;

namespace Millrace.EndToEnd.Hostile;

/// <summary>Publishers that stop while players wait for what comes next: each of these is answered in time.</summary>
public sealed class HlsPublisherLossTests
{
    private const int TargetSeconds = 1;

    /// <summary>RFC 8216bis 6.2.5.2: nobody is held for longer, in target durations.</summary>
    private const int HoldTargets = 3;

    /// <summary>Requests of each kind.</summary>
    private const int Players = 20;

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    [Theory(Timeout = 90_000)]
    [InlineData(true, "20s", "10s", false)]
    [InlineData(true, "1s", "10s", true)]
    [InlineData(false, "20s", "0", false)]
    [InlineData(false, "1s", "1s", true)]
    public async Task Blocked_requests_end_within_three_targets_and_with_their_stream(bool isKilled, string grace, string idle, bool ends)
    {
        using var folder = new TemporaryFolder();
        var clip = folder.File("clip.flv");
        await Ffmpeg.MakeClipAsync(clip, 20, [.. "-c:v libx264 -preset ultrafast -g 30 -sc_threshold 0 -c:a aac".Split(' ')]);
        await using var server = await MillraceServer.StartAsync($"publish:\n  grace: {grace}\n  idle_timeout: {idle}\nhls:\n  segment: {TargetSeconds}s\n  part: 200ms");
        await using var publisher = Ffmpeg.PublishFile(clip, server.Rtmp("live/clip"));
        using var client = new HlsClient(server, "live/clip");
        await client.UntilAsync(client.LowLatencyUrl, playlist => playlist.Renditions.Count == 2, Soon);
        string[] urls = [await client.RenditionUrlAsync("audio"), await client.RenditionUrlAsync("video")];
        (await client.UntilAsync(urls[1], playlist => playlist.Segments.Count > 1, Soon)).TargetSeconds.ShouldBe(TargetSeconds);

        var (ahead, hints) = (new List<Task<HlsAnswer>>(), new List<Task<HlsAnswer>>());
        foreach (var url in urls)
            ahead.AddRange(Ask(client, FarAhead(url, await client.PlaylistAsync(url))));
        // Each has a connection of its own, as none is answered soon: they wait when the publisher stops.
        await Ports.ReadAsync(server.HttpPort, ahead.Count, Soon);
        if (isKilled)
            publisher.Kill();
        else
            publisher.Freeze();
        await StillAsync(client, urls[1]);
        foreach (var url in urls)
        {
            var now = await client.PlaylistAsync(url);
            hints.AddRange(Ask(client, client.InFolder(now.Hint!)));
            ahead.AddRange(Ask(client, FarAhead(url, now)));
        }

        Task<HlsAnswer>[] all = [.. ahead, .. hints];
        await Task.WhenAll(all).WaitAsync(Soon, TestContext.Current.CancellationToken);
        foreach (var answer in all.Select(task => task.Result))
        {
            answer.Took.ShouldBeLessThan(TimeSpan.FromSeconds((HoldTargets * TargetSeconds) + 1));
            answer.Status.ShouldBeOneOf(HttpStatusCode.OK, HttpStatusCode.NotFound, HttpStatusCode.ServiceUnavailable);
        }

        // Those who asked for what the publisher's end has completed got that; the last to ask asked for more.
        var last = await ahead[^1];
        last.Status.ShouldBe(ends ? HttpStatusCode.OK : HttpStatusCode.ServiceUnavailable);
        last.Playlist.IsEnded.ShouldBe(ends);
        ahead.Select(task => task.Result).ShouldNotContain(answer => answer.Status == HttpStatusCode.NotFound);
    }

    /// <summary>Waits until what the publisher had sent has been packaged: the picture's playlist stays as it is for longer than a part.</summary>
    private static async Task StillAsync(HlsClient client, string url)
    {
        var (text, since) = ("", Stopwatch.GetTimestamp());
        await Wait.UntilAsync(
            async () =>
            {
                var now = (await client.PlaylistAsync(url)).Text;
                if (now != text)
                    (text, since) = (now, Stopwatch.GetTimestamp());
                return Stopwatch.GetElapsedTime(since) > TimeSpan.FromMilliseconds(400);
            },
            Soon,
            () => "the playlist still grows");
    }

    /// <summary>As far as is allowed: more than a segment of media has to come for it.</summary>
    private static string FarAhead(string url, HlsPlaylist playlist) => $"{url}?_HLS_msn={playlist.FirstNumber + playlist.Segments.Count + 1}";

    private static IEnumerable<Task<HlsAnswer>> Ask(HlsClient client, string url) => Enumerable.Range(0, Players).Select(_ => client.GetAsync(url)).ToList();
}
