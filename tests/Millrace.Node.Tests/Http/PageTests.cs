using System.Net;
using System.Text.Json;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;

namespace Millrace.Node.Tests.Http;

public sealed class PageTests
{
    [Fact]
    public async Task Every_address_of_the_page_serves_the_same_document_or_none_when_it_was_not_built()
    {
        await using var node = await TestNode.StartAsync();
        var wasBuilt = typeof(MediaNode).Assembly.GetManifestResourceNames().Contains("console/index.html");
        var bodies = new HashSet<string>();
        foreach (var path in (string[])["/", "/index.html?stream=live/x", "/live/x", "/a/b/c", "/live/cam.1"])
        {
            using var reply = await node.Page.GetAsync(path);
            reply.StatusCode.ShouldBe(wasBuilt ? HttpStatusCode.OK : HttpStatusCode.NotFound, path);
            bodies.Add(await reply.Content.ReadAsStringAsync());
        }

        bodies.Count.ShouldBe(1);
        (bodies.Single().Length > 0).ShouldBe(wasBuilt);
    }

    [Theory]
    [InlineData("/live")]
    [InlineData("/~/none")]
    [InlineData("/v1/x")]
    [InlineData("/live/x.ts")]
    [InlineData("/favicon.ico")]
    public async Task What_is_no_page_is_not_found(string path)
    {
        await using var node = await TestNode.StartAsync();

        (await node.Page.GetAsync(path)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task The_list_names_live_streams_and_the_port_to_push_to()
    {
        await using var node = await TestNode.StartAsync();
        (await node.PublishAsync(name: "x?token=geheim")).SendClip();
        await Wait.Until(() => node.Node.Context.Registry.Streams.Any(stream => !stream.IsWaiting), "the stream is live");

        var text = await node.Page.GetStringAsync("/~/streams");

        text.ShouldNotContain("geheim");
        using var list = JsonDocument.Parse(text);
        list.RootElement.GetProperty("rtmpPort").GetInt32().ShouldBe(node.Node.RtmpPort);
        var stream = list.RootElement.GetProperty("streams").EnumerateArray().Single();
        stream.GetProperty("name").GetString().ShouldBe("live/x");
        stream.GetProperty("video").GetString()!.ShouldContain("640x360");
        stream.GetProperty("viewers").GetInt32().ShouldBe(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_list_says_whether_streams_may_be_had_that_it_does_not_name(bool fetches)
    {
        await using var node = await TestNode.StartAsync(settings => settings with
        {
            Vhosts = [new VhostSettings { Name = VhostSettings.DefaultName, Apps = [new AppSettings { Name = "far", Mode = fetches ? VhostMode.Remote : VhostMode.Local, Origin = ["millrace://127.0.0.1:1"] }] }],
        });

        using var list = JsonDocument.Parse(await node.Page.GetStringAsync("/~/streams", TestContext.Current.CancellationToken));

        list.RootElement.GetProperty("fetches").GetBoolean().ShouldBe(fetches);
    }

    [Fact]
    public async Task The_list_can_be_turned_off()
    {
        await using var node = await TestNode.StartAsync(settings => settings with { Page = new PageSettings { List = false } });

        (await node.Page.GetAsync("/~/streams")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task The_clock_is_unix_time_in_microseconds()
    {
        await using var node = await TestNode.StartAsync();
        var before = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1_000;

        using var clock = JsonDocument.Parse(await node.Page.GetStringAsync("/~/clock"));

        clock.RootElement.GetProperty("nowMicros").GetInt64().ShouldBeInRange(before - 1_000_000, (DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1_000) + 1_000_000);
    }
}
