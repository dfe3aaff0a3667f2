using System.Text.Json;
using Microsoft.Playwright;
using Millrace.EndToEnd.Clock;

namespace Millrace.EndToEnd.Harness;

/// <summary>What the page says of itself: window.__millrace (console/README.md).</summary>
internal sealed record PageNumbers(
    string State, string? Transport, string Choice, double? LatencySeconds, double PlaybackRate, int Stalls, int Jumps, int DroppedFrames, int Run);

/// <summary>One look at the page: the clock in the picture, and the numbers right after it. Without a clock the reading is null.</summary>
internal readonly record struct PageSample(ClockReading? Clock, PageNumbers Numbers)
{
    /// <summary>The drawn latency, in seconds; infinite when there is no clock to be seen.</summary>
    public double LatencySeconds => Clock?.LatencySeconds ?? double.PositiveInfinity;

    public override string ToString() =>
        $"{LatencySeconds:0.00} s ({Numbers.State} {Numbers.Transport}, says {Numbers.LatencySeconds:0.00} s, ×{Numbers.PlaybackRate:0.00}, stalls {Numbers.Stalls}, jumps {Numbers.Jumps}, run {Numbers.Run})";
}

/// <summary>The page with a player on it.</summary>
internal sealed class WatchPage(IPage page)
{
    private readonly VideoProbe _video = new(page);

    public async Task<PageNumbers> NumbersAsync() =>
        JsonSerializer.Deserialize<PageNumbers>(await page.EvaluateAsync<string>("JSON.stringify(window.__millrace)"), JsonSerializerOptions.Web)!;

    /// <summary>Looks once a second.</summary>
    public async Task<List<PageSample>> WatchAsync(int samples)
    {
        var seen = new List<PageSample>();
        using var each = new PeriodicTimer(TimeSpan.FromSeconds(1));
        while (seen.Count < samples && await each.WaitForNextTickAsync(TestContext.Current.CancellationToken))
            seen.Add(new PageSample(await _video.ScreenshotAsync(), await NumbersAsync()));
        return seen;
    }

    /// <summary>Waits until the page plays by this transport.</summary>
    public async Task PlayingAsync(string transport, TimeSpan deadline)
    {
        await page.WaitForFunctionAsync(
            "transport => window.__millrace?.state === 'playing' && window.__millrace.transport === transport", transport, new() { Timeout = (float)deadline.TotalMilliseconds });
        await _video.PlayingAsync(deadline);
    }

    /// <summary>Waits for a picture that was drawn after a moment (Unix milliseconds).</summary>
    public async Task SeesAsync(long drawnAfterMillis, TimeSpan deadline)
    {
        ClockReading? last = null;
        await Wait.UntilAsync(
            async () => (last = await _video.ScreenshotAsync()) is { } reading && reading.DrawnMillis > drawnAfterMillis,
            deadline,
            () => last is null ? "no clock to be seen" : $"the clock stands {drawnAfterMillis - last.Value.DrawnMillis} ms before the awaited moment");
    }

    /// <inheritdoc cref="VideoProbe.KeptAsync"/>
    public Task<double> KeptAsync() => _video.KeptAsync();

    /// <summary>Marks this load of the page: a page that is loaded again has no mark.</summary>
    public Task MarkAsync() => page.EvaluateAsync("() => { window.__mark = true; }");

    public Task<bool> HasMarkAsync() => page.EvaluateAsync<bool>("() => window.__mark === true");

    /// <summary>The protocols by which everything whose address has this in it came: h2, http/1.1 (ALPN). What came from the cache has none.</summary>
    public async Task<IReadOnlySet<string>> ProtocolsAsync(string part) => (await page.EvaluateAsync<string[]>(
        "part => performance.getEntriesByType('resource').filter(entry => entry.name.includes(part) && entry.transferSize > 0).map(entry => entry.nextHopProtocol)", part)).ToHashSet();
}
