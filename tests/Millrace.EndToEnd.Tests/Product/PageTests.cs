using Microsoft.Playwright;
using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd.Product;

/// <summary>The pages that the server brings along, as a person uses them.</summary>
public sealed class PageTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    private static long Now => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    [Fact(Timeout = 120_000)]
    public async Task Flv_is_the_automatic_choice_and_the_menu_switches_to_ll_hls_and_back_without_a_reload()
    {
        await using var server = await MillraceServer.StartAsync();
        await using var publisher = Ffmpeg.PublishClock(server.Rtmp("live/clock"));
        await server.LiveAsync("default/live/clock");
        await using var browser = await Browser.StartAsync();
        var page = await browser.OpenAsync(server.Http("live/clock"));
        var watch = new WatchPage(page);
        await watch.PlayingAsync("flv", Soon);
        (await watch.NumbersAsync()).Choice.ShouldBe("auto");
        await watch.MarkAsync();

        await ChooseAsync(page, "LL-HLS");
        await watch.PlayingAsync("ll-hls", Soon);
        await watch.SeesAsync(Now - 3_000, Soon);
        page.Url.ShouldEndWith("/live/clock?transport=hls");
        (await page.GetByRole(AriaRole.Button, new() { Name = "Way of receiving" }).InnerTextAsync()).ShouldBe("LL-HLS");

        await ChooseAsync(page, "Auto");
        await watch.PlayingAsync("flv", Soon);
        await watch.SeesAsync(Now - 2_000, Soon);
        page.Url.ShouldEndWith("/live/clock");
        (await watch.HasMarkAsync()).ShouldBeTrue("the page was loaded again");
    }

    [Fact(Timeout = 120_000)]
    public async Task The_status_page_asks_for_its_password_and_shows_the_stream()
    {
        await using var server = await MillraceServer.StartAsync("status:\n  username: admin\n  password: secret");
        await using var publisher = Ffmpeg.PublishClock(server.Rtmp("live/clock"));
        await server.LiveAsync("default/live/clock");
        await using var browser = await Browser.StartAsync();
        await new WatchPage(await browser.OpenAsync(server.Http("live/clock"))).PlayingAsync("flv", Soon);

        var wrong = await browser.OpenAsync(server.Http("status"), new() { Username = "admin", Password = "guess" });
        (await wrong.APIRequest.GetAsync(server.Http("status"))).Status.ShouldBe(401);
        (await wrong.Locator("#streams").CountAsync()).ShouldBe(0);

        var page = await browser.OpenAsync(server.Http("status"), new() { Username = "admin", Password = "secret" });
        var row = page.Locator("#streams tr").Filter(new() { HasText = "default/live/clock" });
        foreach (var cell in new[] { "live", "1280×720@30", "48000 Hz", "flv 1" })
            await row.GetByText(cell).First.WaitForAsync(new() { Timeout = (float)Soon.TotalMilliseconds });
        (await page.Locator("#state").InnerTextAsync()).ShouldBe("");
    }

    /// <summary>Opens the menu of ways and clicks one of them.</summary>
    private static async Task ChooseAsync(IPage page, string way)
    {
        await page.Mouse.MoveAsync(640, 420);
        await page.GetByRole(AriaRole.Button, new() { Name = "Way of receiving" }).ClickAsync();
        await page.Locator(".way-option").Filter(new() { HasTextRegex = new("^" + way) }).ClickAsync();
        await page.Keyboard.PressAsync("Escape");
    }
}
