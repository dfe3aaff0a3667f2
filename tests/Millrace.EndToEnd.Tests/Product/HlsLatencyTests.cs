using Millrace.EndToEnd.Clock;
using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd.Product;

/// <summary>LL-HLS on the page, by hls.js, with the settings as they are shipped.</summary>
public sealed class HlsLatencyTests
{
    /// <summary>From the encoder's clock to the screen, the screenshot's own time included.</summary>
    private const double AllowedSeconds = 3;

    /// <summary>How far the latency that the page reads out may be from what the picture says.</summary>
    private const double AllowedErrorSeconds = 0.5;

    /// <summary>Of what was shown the page keeps a minute, and more only while parts are on their way.</summary>
    private const double KeptSeconds = 65;

    /// <summary>One page after the other: while a second one opens beside the encoder, two cores cannot draw the first.</summary>
    [Theory(Timeout = 900_000)]
    [InlineData(false, "http/1.1")]
    [InlineData(true, "h2")]
    public Task It_stays_live_without_a_stall_by_http_1_and_by_http_2_with_tls(bool isSecure, string protocol) =>
        OwnMachine.JudgeAsync(() => StaysLiveAsync(isSecure, protocol));

    private static async Task StaysLiveAsync(bool isSecure, string protocol)
    {
        const string Path = "live/clock?transport=hls";
        using var certificate = new SelfSigned();
        await using var server = await MillraceServer.StartAsync(environment: certificate.Settings);
        await using var direct = await ClockPlayer.ListenAsync();
        await using var publisher = OtherEncoders.PublishSmall(direct.Url, server.Rtmp("live/clock"));
        await server.LiveAsync("default/live/clock");
        await using var browser = await Browser.StartAsync();
        var page = await OpenAsync(browser, isSecure ? certificate.Https(Path) : server.Http(Path));

        var seen = await page.WatchAsync(LongRun.Looks);

        var control = Median(direct.Readings().Select(reading => reading.LatencySeconds));
        Write(protocol, seen, control);
        ShouldBeLive(protocol, seen, control);
        (await page.KeptAsync()).ShouldBeInRange(20, KeptSeconds);
        (await page.ProtocolsAsync("_llhls.m4s")).ShouldBe([protocol]);
    }

    private static async Task<WatchPage> OpenAsync(Browser browser, string url)
    {
        var page = new WatchPage(await browser.OpenAsync(url));
        await page.PlayingAsync("ll-hls", TimeSpan.FromSeconds(20));
        return page;
    }

    private static void Write(string name, List<PageSample> seen, double control)
    {
        var latencies = Latencies(seen);
        var errors = Errors(seen, control);
        var output = TestContext.Current.TestOutputHelper;
        output?.WriteLine(
            $"{name}: {latencies[0]:0.000} / {Median(latencies):0.000} / {latencies[^1]:0.000} s (least, median, most); direct {control:0.000} s; "
            + $"read-out off by {errors[0]:0.000} / {Median(errors):0.000} / {errors[^1]:0.000} s");
        foreach (var sample in seen)
            output?.WriteLine($"  {sample}");
    }

    private static void ShouldBeLive(string name, List<PageSample> seen, double control)
    {
        Latencies(seen)[^1].ShouldBeLessThanOrEqualTo(AllowedSeconds, name);
        seen.Zip(seen.Skip(1)).ShouldAllBe(pair => pair.Second.Clock!.Value.DrawnMillis > pair.First.Clock!.Value.DrawnMillis);
        seen[^1].Numbers.Stalls.ShouldBe(0, name);
        seen[^1].Numbers.Run.ShouldBe(seen[0].Numbers.Run, name);
        // The median: a publisher that begins with a backlog sets the dates too late, and they are corrected by at most 1 %.
        Math.Abs(Median(Errors(seen, control))).ShouldBeLessThanOrEqualTo(AllowedErrorSeconds, name);
    }

    /// <summary>From the least to the most, as the errors are.</summary>
    private static List<double> Latencies(List<PageSample> seen) => [.. seen.Select(sample => sample.LatencySeconds).Order()];

    private static List<double> Errors(List<PageSample> seen, double control) => [.. seen.Select(sample => Error(sample, control)).Order()];

    /// <summary>The latency read out less the drawn one: it begins at the server, without the encoder and its way there.</summary>
    private static double Error(PageSample sample, double control) =>
        (sample.Numbers.LatencySeconds ?? double.PositiveInfinity) - (sample.LatencySeconds - control);

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }
}
