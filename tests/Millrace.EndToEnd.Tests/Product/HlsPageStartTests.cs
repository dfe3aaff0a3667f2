using System.Diagnostics;
using Millrace.EndToEnd.Harness;
using Millrace.EndToEnd.Hls;

namespace Millrace.EndToEnd.Product;

/// <summary>How LL-HLS begins on the page, however young the stream is.</summary>
public sealed class HlsPageStartTests
{
    private const double AllowedSeconds = 3;

    /// <summary>Looks at the page, one a second: as long as the default segment, and longer.</summary>
    private const int Samples = 8;

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    /// <summary>The age in parts of half a second. The first segment has two of them, PART-HOLD-BACK is three.</summary>
    [Theory(Timeout = 300_000)]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(14)]
    public Task A_stream_of_any_age_is_shown_without_a_stall_from_its_first_picture_on(int parts) => OwnMachine.JudgeAsync(() => OpenAsync(parts));

    private static async Task OpenAsync(int parts)
    {
        await using var server = await MillraceServer.StartAsync();
        await using var browser = await Browser.StartAsync();
        await using var publisher = OtherEncoders.PublishSmall(server.Rtmp("live/clock"));
        await server.LiveAsync("default/live/clock");
        if (parts > 0)
            await UntilAsync(server, parts);

        var opened = Stopwatch.GetTimestamp();
        var page = new WatchPage(await browser.OpenAsync(server.Http("live/clock?transport=hls")));
        await page.PlayingAsync("ll-hls", Soon);
        var playing = Stopwatch.GetElapsedTime(opened).TotalSeconds;
        var seen = await page.WatchAsync(Samples);

        var output = TestContext.Current.TestOutputHelper;
        output?.WriteLine($"opened at {parts} parts, has played a second after {playing:0.00} s");
        foreach (var sample in seen)
            output?.WriteLine($"  {sample}");
        seen.ShouldAllBe(sample => sample.Numbers.Stalls == 0 && sample.Numbers.State == "playing");
        seen.ShouldAllBe(sample => sample.LatencySeconds <= AllowedSeconds);
        seen.Zip(seen.Skip(1)).ShouldAllBe(pair => pair.Second.Clock!.Value.DrawnMillis > pair.First.Clock!.Value.DrawnMillis);
    }

    private static async Task UntilAsync(MillraceServer server, int parts)
    {
        using var client = new HlsClient(server, "live/clock");
        await client.UntilAsync(client.LowLatencyUrl, playlist => playlist.Renditions.Count == 2, Soon);
        var url = await client.RenditionUrlAsync("video");
        await client.UntilAsync(url, playlist => playlist.Segments.Sum(segment => segment.Parts.Count) + playlist.OpenParts.Count >= parts, Soon);
    }
}
