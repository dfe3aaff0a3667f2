using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd.Product;

/// <summary>What a viewer of LL-HLS does not have to notice: the page is never loaded again.</summary>
public sealed class HlsChangeTests
{
    private const double AllowedSeconds = 3;

    /// <summary>Less than publish.grace.</summary>
    private static readonly TimeSpan Away = TimeSpan.FromSeconds(2.5);

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    private static long Now => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    [Theory(Timeout = 300_000)]
    [InlineData("says goodbye")]
    [InlineData("is killed")]
    public Task A_publisher_that_comes_back_goes_on_in_the_same_page(string how) => OwnMachine.JudgeAsync(() => ComesBackAsync(how));

    [Theory(Timeout = 300_000)]
    [InlineData("H.264 of another size and profile")]
    [InlineData("AAC of another rate, in mono")]
    [InlineData("VP9 without sound")]
    public Task A_stream_that_comes_back_in_another_codec_goes_on_in_the_same_page(string codec) => OwnMachine.JudgeAsync(() => ComesBackInAsync(codec));

    private static async Task ComesBackAsync(string how)
    {
        await using var server = await MillraceServer.StartAsync();
        await using var first = Ffmpeg.PublishClock(server.Rtmp("live/clock"));
        await server.LiveAsync("default/live/clock");
        await using var browser = await Browser.StartAsync();
        var page = await OpenAsync(browser, server);
        var run = (await page.NumbersAsync()).Run;

        if (how == "is killed")
            first.Kill();
        else
            first.Terminate();
        await first.ExitAsync(Soon);
        await Task.Delay(Away, TestContext.Current.CancellationToken);
        var returned = Now;
        await using var second = Ffmpeg.PublishClock(server.Rtmp("live/clock"));

        await PlaysOnAsync(page, returned);
        (await page.NumbersAsync()).Run.ShouldBe(run, "the page has connected anew");
    }

    private static async Task ComesBackInAsync(string codec)
    {
        await using var server = await MillraceServer.StartAsync();
        await using var first = Ffmpeg.PublishClock(server.Rtmp("live/clock"));
        await server.LiveAsync("default/live/clock");
        await using var browser = await Browser.StartAsync();
        var page = await OpenAsync(browser, server);

        first.Terminate();
        await first.ExitAsync(Soon);
        var returned = Now;
        await using IAsyncDisposable second = codec switch
        {
            "H.264 of another size and profile" => OtherEncoders.PublishSmall(server.Rtmp("live/clock")),
            "AAC of another rate, in mono" => OtherEncoders.PublishMono(server.Rtmp("live/clock")),
            _ => new Vp9Publisher(server.RtmpPort, "live", "clock"),
        };

        await PlaysOnAsync(page, returned);
    }

    private static async Task<WatchPage> OpenAsync(Browser browser, MillraceServer server)
    {
        var page = new WatchPage(await browser.OpenAsync(server.Http("live/clock?transport=hls")));
        await page.PlayingAsync("ll-hls", Soon);
        await page.MarkAsync();
        return page;
    }

    /// <summary>The page shows what was drawn after the return, live, for as long as it is looked at.</summary>
    private static async Task PlaysOnAsync(WatchPage page, long returned)
    {
        await page.SeesAsync(returned, Soon);
        TestContext.Current.TestOutputHelper?.WriteLine($"back on the screen {Now - returned} ms after the publisher began anew");
        var seen = await page.WatchAsync(8);
        foreach (var sample in seen)
            TestContext.Current.TestOutputHelper?.WriteLine($"  {sample}");
        (await page.HasMarkAsync()).ShouldBeTrue("the page was loaded again");
        seen.ShouldAllBe(sample => sample.LatencySeconds <= AllowedSeconds);
        seen.Zip(seen.Skip(1)).ShouldAllBe(pair => pair.Second.Clock!.Value.DrawnMillis > pair.First.Clock!.Value.DrawnMillis);
        seen.ShouldAllBe(sample => sample.Numbers.State == "playing" && sample.Numbers.Transport == "ll-hls");
    }
}
