using Microsoft.Playwright;
using Millrace.EndToEnd.Clock;
using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd.Product;

/// <summary>The main job: ffmpeg pushes, a person sees and hears it live in a browser.</summary>
public sealed class LiveLatencyTests
{
    /// <summary>What the page may add to the encoder's own latency.</summary>
    private const double AllowedSeconds = 2;

    [Fact(Timeout = 300_000)]
    public Task The_page_shows_a_published_clock_live() => OwnMachine.JudgeAsync(ClockAsync);

    [Fact(Timeout = 900_000)]
    public async Task The_demo_plays_live_and_leaves_nothing_behind()
    {
        await using var demo = await DemoRun.StartAsync();
        var children = demo.Children();
        children.Values.Order().ShouldBe(["ffmpeg", "millrace"]);
        await OwnMachine.JudgeAsync(DemoAsync);

        (await demo.StopAsync()).ShouldBe(128 + 15);
        DemoRun.StillRunning(children).ShouldBeEmpty();
    }

    private static async Task ClockAsync()
    {
        await using var server = await MillraceServer.StartAsync();
        await using var direct = await ClockPlayer.ListenAsync();
        await using var publisher = Ffmpeg.PublishClock(direct.Url, server.Rtmp("live/clock"));
        await server.LiveAsync("default/live/clock");
        await using var browser = await Browser.StartAsync();

        await IsLiveAsync(await browser.OpenAsync(server.Http("?stream=live/clock")), direct, samples: 20);
    }

    private static async Task DemoAsync()
    {
        await using var direct = await ClockPlayer.ListenAsync();
        await using var encoder = Ffmpeg.PublishClock(direct.Url);
        await using var browser = await Browser.StartAsync();
        var page = await browser.OpenAsync(DemoRun.Page);
        await IsLiveAsync(page, direct, samples: LongRun.Looks);
        await PhotographAsync(page);
    }

    /// <summary>Picture and sound play; the picture is at most so much later than the encoder's own, and goes on with each sample.</summary>
    private static async Task IsLiveAsync(IPage page, ClockPlayer direct, int samples)
    {
        var probe = new VideoProbe(page);
        await probe.PlayingAsync(TimeSpan.FromSeconds(20));
        await probe.TapForSoundAsync();

        var soundBefore = await probe.AudioBytesAsync();
        var seen = await WatchAsync(probe, samples);

        var control = Median(direct.Readings().Select(reading => reading.LatencySeconds));
        var latencies = seen.Select(reading => reading.LatencySeconds).Order().ToList();
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"page {latencies[0]:0.000} / {Median(latencies):0.000} / {latencies[^1]:0.000} s (least, median, most); direct {control:0.000} s");
        // Nine of ten: the browser decodes and takes screenshots in software, on a machine that others use too.
        latencies[latencies.Count * 9 / 10].ShouldBeLessThanOrEqualTo(control + AllowedSeconds);
        seen.Zip(seen.Skip(1)).ShouldAllBe(pair => pair.Second.DrawnMillis > pair.First.DrawnMillis);
        (await probe.ReportedLatencyAsync()).ShouldNotBeNull().ShouldBeInRange(0, AllowedSeconds + 1);
        (await probe.AudioBytesAsync()).ShouldBeGreaterThan(soundBefore);
        (await probe.LoudestAsync()).ShouldBeGreaterThan(0.01);
    }

    /// <summary>The page with the player's controls showing, as a person sees who moves the mouse.</summary>
    private static async Task PhotographAsync(IPage page)
    {
        await page.Mouse.MoveAsync(400, 300);
        await page.Mouse.MoveAsync(640, 420, new() { Steps = 5 });
        await page.WaitForFunctionAsync("() => getComputedStyle(document.querySelector('.controls')).opacity === '1'");
        await page.ScreenshotAsync(new() { Path = Path.Combine(Repository.Root, "out", "screenshots", "page.png"), FullPage = true });
    }

    private static async Task<List<ClockReading>> WatchAsync(VideoProbe probe, int samples)
    {
        var seen = new List<ClockReading>();
        // One a second.
        using var each = new PeriodicTimer(TimeSpan.FromSeconds(1));
        while (seen.Count < samples && await each.WaitForNextTickAsync(TestContext.Current.CancellationToken))
        {
            seen.Add((await probe.ScreenshotAsync()).ShouldNotBeNull($"no clock in screenshot {seen.Count}"));
        }

        return seen;
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }
}
