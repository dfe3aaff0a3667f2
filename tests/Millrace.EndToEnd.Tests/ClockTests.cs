using Millrace.EndToEnd.Clock;
using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd;

/// <summary>The clock that all latency figures rest on.</summary>
public sealed class ClockTests
{
    private static long Now => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    [Fact]
    public void Every_single_wrong_bar_is_noticed()
    {
        var bars = ClockCode.Encode(1_763_654_321_987);
        ClockCode.Decode(bars).ShouldBe(1_763_654_321_987 % (1L << 28));
        for (var i = 0; i < bars.Length; i++)
        {
            bars[i] = !bars[i];
            ClockCode.Decode(bars).ShouldBeNull($"bar {i}");
            bars[i] = !bars[i];
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1500)]
    [InlineData(-3)]
    public void The_nearest_time_is_meant_on_both_sides_of_a_wrap(long latencyMillis)
    {
        foreach (var now in new[] { 6_500L << 28, (6_500L << 28) - 1, (6_500L << 28) + 1_000 })
        {
            var drawn = now - latencyMillis;
            ClockCode.Unwrap(drawn % (1L << 28), now).ShouldBe(drawn);
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task A_direct_path_has_little_latency_and_each_picture_is_read()
    {
        await using var direct = await ClockPlayer.ListenAsync();
        await using var publisher = Ffmpeg.PublishClock(direct.Url);
        await direct.SeesAsync(90, drawnAfterMillis: 0, TimeSpan.FromSeconds(20));

        var readings = direct.Readings().Skip(30).Select(reading => reading.LatencySeconds).Order().ToList();
        TestContext.Current.TestOutputHelper?.WriteLine($"direct: {readings[0]:0.000} – {readings[^1]:0.000} s");
        readings[0].ShouldBeGreaterThanOrEqualTo(0);
        readings[readings.Count / 2].ShouldBeLessThan(1);
    }

    [Fact(Timeout = 90_000)]
    public async Task A_screenshot_of_a_browser_shows_the_clock_and_its_sound_is_heard()
    {
        using var folder = new TemporaryFolder();
        var started = Now;
        await Ffmpeg.RecordClockAsync(folder.File("clock.mp4"), 8);
        var media = Convert.ToBase64String(await File.ReadAllBytesAsync(folder.File("clock.mp4"), TestContext.Current.CancellationToken));
        var page = folder.Write("page.html", $"""
            <body style="margin:0;background:#333">
            <video src="data:video/mp4;base64,{media}" autoplay muted loop style="width:800px;height:600px;object-fit:contain"></video>
            """);

        await using var browser = await Browser.StartAsync();
        var probe = new VideoProbe(await browser.OpenAsync("file://" + page));
        await probe.PlayingAsync(TimeSpan.FromSeconds(20));

        var reading = (await probe.ScreenshotAsync()).ShouldNotBeNull();
        reading.DrawnMillis.ShouldBeInRange(started, Now);
        (await probe.AudioBytesAsync()).ShouldBeGreaterThan(0);
        (await probe.LoudestAsync()).ShouldBeGreaterThan(0.01);
    }
}
