using Microsoft.Playwright;

namespace Millrace.EndToEnd.Harness;

/// <summary>Headless Chromium, the distribution's own, driven by Playwright.</summary>
internal sealed class Browser : IAsyncDisposable
{
    private const string Executable = "/usr/bin/chromium";

    private static readonly string[] Flags =
    [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
        "--autoplay-policy=no-user-gesture-required",
        // The certificates are the tests' own.
        "--ignore-certificate-errors",
    ];

    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;

    private Browser(IPlaywright playwright, IBrowser browser)
    {
        (_playwright, _browser) = (playwright, browser);
    }

    public static async Task<Browser> StartAsync()
    {
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = Executable, Headless = true, Args = Flags });
        return new Browser(playwright, browser);
    }

    /// <summary>A new page of 1280 × 720, with no cookies or cache of another one, whose console goes to the test's output.</summary>
    /// <param name="credentials">What it answers when a page asks for a name and password.</param>
    public async Task<IPage> OpenAsync(string url, HttpCredentials? credentials = null)
    {
        var page = await _browser.NewPageAsync(new() { ViewportSize = new() { Width = 1280, Height = 720 }, HttpCredentials = credentials });
        var output = TestContext.Current.TestOutputHelper;
        page.Console += (_, message) => output?.WriteLine($"page: {message.Text}");
        page.PageError += (_, error) => output?.WriteLine($"page error: {error}");
        await page.GotoAsync(url, new() { WaitUntil = WaitUntilState.DOMContentLoaded });
        return page;
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}
