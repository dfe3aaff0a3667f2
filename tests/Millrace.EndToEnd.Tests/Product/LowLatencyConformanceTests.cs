using Millrace.Conformance.Crawl;
using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd.Product;

/// <summary>
/// The crawler of tests/Millrace.Conformance against the product: a clip whose key frames are irregular, a
/// publisher that is stopped, killed and comes back, and the end of the stream.
/// </summary>
public sealed class LowLatencyConformanceTests
{
    private static readonly string Clip = Path.Combine(Repository.TestMedia, "bbb-360p.flv");

    [Fact(Timeout = 330_000)]
    public async Task Every_rule_of_low_latency_hls_holds_for_an_irregular_source_whose_publisher_comes_and_goes()
    {
        using var tls = new SelfSigned();
        // Short segments, so that what must stay fetchable after its removal is seen to stay and to go.
        await using var server = await MillraceServer.StartAsync("hls:\n  segment: 2s\n  segments: 10\npublish:\n  grace: 8s", tls.Settings);
        var publisher = Ffmpeg.PublishFile(Clip, server.Rtmp("live/bbb"), loop: true);
        try
        {
            await server.LiveAsync("default/live/bbb");
            var options = new CrawlerOptions
            {
                Insecure = true,
                UntilEnd = true,
                Disturbances =
                [
                    new Disturbance(0.25, "stopped for longer than a request may wait", FreezeAsync),
                    new Disturbance(0.5, "killed and back", ComeBackAsync),
                    new Disturbance(0.9, "ended", EndAsync),
                ],
            };
            var report = await Crawler.RunAsync(new Uri(tls.Https("live/bbb/llhls.m3u8")), LongRun.Conformance, options, TestContext.Current.CancellationToken);

            TestContext.Current.TestOutputHelper!.WriteLine(report.ToTable());
            report.Failures.ShouldBeEmpty(report.ToTable());
        }
        finally
        {
            await publisher.DisposeAsync();
        }

        async Task FreezeAsync(CancellationToken stop)
        {
            publisher.Freeze();
            await Task.Delay(TimeSpan.FromSeconds(8), stop);
            publisher.Thaw();
        }

        async Task ComeBackAsync(CancellationToken stop)
        {
            await publisher.DisposeAsync();
            await Task.Delay(TimeSpan.FromSeconds(3), stop);
            publisher = Ffmpeg.PublishFile(Clip, server.Rtmp("live/bbb"), loop: true);
            await server.LiveAsync("default/live/bbb");
        }

        Task EndAsync(CancellationToken stop)
        {
            publisher.Kill();
            return Task.CompletedTask;
        }
    }
}
