using System.Diagnostics;
using System.Net;
using Millrace.EndToEnd.Harness;
using Millrace.EndToEnd.Hls;

namespace Millrace.EndToEnd.Cluster;

/// <summary>An edge fetches what somebody plays, once, as long as somebody plays it, and asks for nothing else.</summary>
public sealed class PullOnPlayTests
{
    private const double LingerSeconds = 2;
    private const double NegativeCacheSeconds = 1;

    private static readonly string Clip = Path.Combine(Repository.TestMedia, "bbb-360p.flv");

    private static readonly HttpClient Http = new();

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    /// <param name="warm">Packaging is kept warm at the edge where there is something to package, which is no reason to fetch it.</param>
    [Theory(Timeout = 120_000)]
    [InlineData("demand")]
    [InlineData("always")]
    public async Task Many_first_viewers_of_all_protocols_make_one_upstream_that_goes_when_the_last_has_left(string warm)
    {
        // Who plays HLS may ask again for three target durations.
        await using var origin = await MillraceServer.StartAsync("hls:\n  segment: 1s");
        await using var line = new RelayLine(origin.RelayPort);
        await using var edge = await Edges.StartAsync(line.Port, "  linger: 2s", $"hls:\n  warm: {warm}");
        await using var publisher = Ffmpeg.PublishFile(Clip, origin.Rtmp("live/bbb"), loop: true);
        await origin.LiveAsync("default/live/bbb");
        line.Connections.ShouldBe(0, "nobody watches");

        var viewers = (await Task.WhenAll(Enumerable.Range(0, 4).SelectMany(_ => FirstViewers(edge)))).OfType<IDisposable>().ToList();
        line.Connections.ShouldBe(1);
        (await origin.SessionsAsync("relay")).ShouldBe(1);

        viewers.ForEach(viewer => viewer.Dispose());
        using (var another = await Viewers.RtmpAsync(edge, "bbb"))
            await another.HasMediaAsync(10, Soon);
        var left = Stopwatch.GetTimestamp();
        await Wait.UntilAsync(async () => await origin.SessionsAsync("relay") == 0, Soon, () => "the upstream stays\n" + edge.Process.Tail());
        Stopwatch.GetElapsedTime(left).TotalSeconds.ShouldBeGreaterThanOrEqualTo(LingerSeconds);
        line.Connections.ShouldBe(1, "whoever came in time found the stream still there");
    }

    [Fact(Timeout = 120_000)]
    public async Task Asking_for_a_missing_name_all_the_time_costs_the_origin_a_request_a_second()
    {
        const int Clients = 20, PerSecond = 500, Seconds = 4;
        await using var origin = await MillraceServer.StartAsync();
        await using var line = new RelayLine(origin.RelayPort);
        await using var edge = await Edges.StartAsync(line.Port);
        string[] paths = ["live/none.flv", "live/none/llhls.m3u8", "live/none.m3u8"];

        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(async () =>
        {
            using var each = new PeriodicTimer(TimeSpan.FromSeconds((double)Clients / PerSecond));
            for (var i = 0; i < PerSecond * Seconds / Clients && await each.WaitForNextTickAsync(TestContext.Current.CancellationToken); i++)
                await RefusedAsync(edge, paths[i % paths.Length]);
        })));

        var took = Stopwatch.GetElapsedTime(started).TotalSeconds;
        TestContext.Current.TestOutputHelper?.WriteLine($"{PerSecond * Seconds} requests in {took:0.0} s, {line.Connections} upstream");
        line.Connections.ShouldBeInRange(2, (int)(took / NegativeCacheSeconds) + 2);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_missing_name_is_refused_quickly_and_found_when_it_is_published()
    {
        const double AllowedSeconds = 0.3;
        await using var origin = await MillraceServer.StartAsync();
        await using var edge = await Edges.StartAsync(origin);
        await using var third = await Edges.StartAsync(edge);
        foreach (var path in (string[])["{0}.flv", "{0}/llhls.m3u8", "{0}.m3u8"])
        {
            // Once before, so that no code has to be compiled.
            foreach (var name in (string[])["live/first", "live/bbb"])
            {
                var control = await RefusedAsync(origin, path.Replace("{0}", name, StringComparison.Ordinal));
                var took = await RefusedAsync(third, path.Replace("{0}", name, StringComparison.Ordinal));
                TestContext.Current.TestOutputHelper?.WriteLine($"{path} {name}: {took.TotalMilliseconds:0} ms, at the origin {control.TotalMilliseconds:0} ms");
                if (name == "live/bbb")
                    took.TotalSeconds.ShouldBeLessThan(control.TotalSeconds + AllowedSeconds);
            }
        }

        using var patient = await Viewers.RtmpAsync(third, "bbb");
        await using var publisher = Ffmpeg.PublishFile(Clip, origin.Rtmp("live/bbb"), loop: true);
        await origin.LiveAsync("default/live/bbb");
        await patient.HasMediaAsync(10, Soon);
        using var client = new HlsClient(third, "live/bbb");
        await client.UntilAsync(client.LowLatencyUrl, playlist => playlist.Renditions.Count == 2, Soon);
        using var viewer = await FlvViewer.PlayAsync(third, "bbb");
        await viewer.HasBytesAsync(10_000, Soon);
    }

    /// <summary>One of each protocol; each task ends when it has media, or a playlist.</summary>
    private static IEnumerable<Task<IDisposable?>> FirstViewers(MillraceServer edge)
    {
        yield return Task.Run(async () =>
        {
            var viewer = await Viewers.RtmpAsync(edge, "bbb");
            await viewer.HasMediaAsync(3, Soon);
            return (IDisposable?)viewer;
        });
        yield return Task.Run(async () =>
        {
            var viewer = await FlvViewer.PlayAsync(edge, "bbb");
            await viewer.HasBytesAsync(1_000, Soon);
            return (IDisposable?)viewer;
        });
        yield return Task.Run(async () => (IDisposable?)await Viewers.WebSocketAsync(edge, "bbb"));
        foreach (var path in (string[])["live/bbb/llhls.m3u8", "live/bbb.m3u8"])
        {
            yield return Task.Run(async () =>
            {
                using var client = new HlsClient(edge, "live/bbb");
                (await client.GetAsync(edge.Http(path))).Status.ShouldBe(HttpStatusCode.OK, path);
                return (IDisposable?)null;
            });
        }
    }

    private static async Task<TimeSpan> RefusedAsync(MillraceServer server, string path)
    {
        var started = Stopwatch.GetTimestamp();
        using var response = await Http.GetAsync(server.Http(path), TestContext.Current.CancellationToken);
        response.StatusCode.ShouldBe(HttpStatusCode.NotFound, path);
        return Stopwatch.GetElapsedTime(started);
    }
}
