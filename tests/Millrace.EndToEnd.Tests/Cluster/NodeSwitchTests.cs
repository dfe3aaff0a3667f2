using System.Text.Json;
using Microsoft.Playwright;
using Millrace.EndToEnd.Harness;
using Millrace.EndToEnd.Hls;

namespace Millrace.EndToEnd.Cluster;

/// <summary>hls.js goes from node to node in the middle of a stream, as behind a balancer, and does not notice: only the host in its URLs changes.</summary>
public sealed class NodeSwitchTests
{
    private const double Seconds = 10;

    /// <summary>As long as the test can take.</summary>
    private static readonly int ClipSeconds = 60 + (LongRun.Switches * 12);

    /// <summary>What it may be short of real time, over the whole: it changes its speed to keep its distance from the live edge.</summary>
    private const double Speed = 0.9;

    private static readonly string Player = Path.Combine(Repository.Root, "console", "node_modules", "hls.js", "dist", "hls.min.js");

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Fact(Timeout = 600_000)]
    public Task Hls_js_switches_nodes_without_rebuffering() => OwnMachine.JudgeAsync(SwitchAsync);

    private static async Task SwitchAsync()
    {
        // Encoded beforehand: an encoder that falls behind beside a browser would be the player's stall, whatever node it asks.
        using var folder = new TemporaryFolder();
        var clip = folder.File("clip.flv");
        await Ffmpeg.MakeClipAsync(clip, ClipSeconds, "-c:v", "libx264", "-preset", "ultrafast", "-g", "30", "-b:v", "800k", "-c:a", "aac");
        await using var origin = await MillraceServer.StartAsync("hls:\n  segment: 2s\n  part: 500ms");
        await using var edge = await Edges.StartAsync(origin);
        await using var third = await Edges.StartAsync(edge);
        MillraceServer[] nodes = [origin, edge, third];
        await using var browser = await Browser.StartAsync();
        await using var publisher = Ffmpeg.PublishFile(clip, origin.Rtmp("live/clip"));
        using var client = new HlsClient(origin, "live/clip");
        await client.UntilAsync(client.LowLatencyUrl, playlist => playlist.Renditions.Count == 2, Soon);
        await client.UntilAsync(await client.RenditionUrlAsync("video"), playlist => playlist.Segments.Count > 1, Soon);

        var page = await OpenAsync(browser, client.LowLatencyUrl);
        await page.WaitForFunctionAsync("() => document.querySelector('video').currentTime > 1 && watched.playing", null, new() { Timeout = (float)Soon.TotalMilliseconds });
        await page.EvaluateAsync("watched.events.length = 0");
        var before = await StateAsync(page);
        for (var i = 1; i <= LongRun.Switches; i++)
        {
            await page.EvaluateAsync("host => watched.host = host", $"127.0.0.1:{nodes[i % nodes.Length].HttpPort}");
            await Task.Delay(TimeSpan.FromSeconds(Seconds), TestContext.Current.CancellationToken);
            var now = await StateAsync(page);
            TestContext.Current.TestOutputHelper?.WriteLine($"node {i % nodes.Length}: {now}");
            now.Events.ShouldBeEmpty($"switch {i}");
            (now.Time - before.Time).ShouldBeGreaterThan((now.Clock - before.Clock) * Speed, $"switch {i}");
            // Every request since the switch went to the node; those under way at its moment may have been answered by the last.
            now.Hosts.Last().ShouldBe($"127.0.0.1:{nodes[i % nodes.Length].HttpPort}");
            before = now;
        }

        foreach (var node in nodes)
            before.Hosts.ShouldContain($"127.0.0.1:{node.HttpPort}");
    }

    private static async Task<IPage> OpenAsync(Browser browser, string url)
    {
        // An empty page of the origin's host: from no host at all Chromium asks nothing of loopback addresses.
        var page = await browser.OpenAsync(new Uri(new Uri(url), "/none.flv").AbsoluteUri);
        await page.SetContentAsync("<video muted autoplay playsinline width=640></video>");
        await page.AddScriptTagAsync(new() { Path = Player });
        await page.EvaluateAsync(
            """
            url => {
              const video = document.querySelector('video');
              window.watched = { host: new URL(url).host, events: [], hosts: [], playing: false };
              const note = what => watched.events.push(`${video.currentTime.toFixed(2)} s: ${what}`);
              const hls = new Hls({
                lowLatencyMode: true,
                xhrSetup: (xhr, asked) => {
                  const moved = new URL(asked);
                  moved.host = watched.host;
                  xhr.open('GET', moved.href, true);
                  if (watched.hosts.at(-1) !== moved.host) watched.hosts.push(moved.host);
                },
              });
              hls.on(Hls.Events.ERROR, (_, data) => note(`${data.details} ${data.fatal ? 'fatal ' : ''}${data.response?.code ?? ''} ${data.url ?? data.frag?.url ?? ''}`));
              for (const name of ['waiting', 'stalled', 'seeking', 'emptied', 'error'])
                video.addEventListener(name, () => note(name));
              video.addEventListener('playing', () => { watched.playing = true; });
              hls.loadSource(url);
              hls.attachMedia(video);
            }
            """, url);
        return page;
    }

    private static async Task<PlayerState> StateAsync(IPage page) => JsonSerializer.Deserialize<PlayerState>(
        await page.EvaluateAsync<string>(
            "JSON.stringify({ time: document.querySelector('video').currentTime, clock: performance.now() / 1000, events: watched.events, hosts: watched.hosts })"),
        JsonSerializerOptions.Web)!;

    /// <summary>Where the player is, in seconds, at which time of the page, and what has happened since its start.</summary>
    private sealed record PlayerState(double Time, double Clock, string[] Events, string[] Hosts)
    {
        public override string ToString() => $"{Time:0.00} s at {Clock:0.00} s; {string.Join(" -> ", Hosts)}; {string.Join("; ", Events)}";
    }
}
