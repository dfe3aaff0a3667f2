using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Millrace.Node.Tests.Harness;

namespace Millrace.Node.Tests.Api;

public sealed partial class ApiTests
{
    [Fact]
    public async Task Health_has_the_agreed_shape()
    {
        await using var node = await LiveNode();

        using var health = await GetAsync(node, "/health");

        var root = health.RootElement;
        root.GetProperty("status").GetString().ShouldBe("ok");
        root.GetProperty("activeStreams").GetInt32().ShouldBe(1);
        root.GetProperty("memory").GetProperty("used").GetDouble().ShouldBeGreaterThan(0);
        root.GetProperty("memory").GetProperty("total").GetDouble().ShouldBeGreaterThan(0);
        root.GetProperty("cpu").GetProperty("user").GetDouble().ShouldBeGreaterThan(0);
        root.GetProperty("cpu").GetProperty("system").GetDouble().ShouldBeGreaterThanOrEqualTo(0);
        root.GetProperty("uptime").GetDouble().ShouldBeGreaterThan(0);
        root.GetProperty("timestamp").GetDateTimeOffset().ShouldBeGreaterThan(DateTimeOffset.UtcNow.AddMinutes(-1));
    }

    [Fact]
    public async Task Metrics_are_Prometheus_text()
    {
        await using var node = await LiveNode();
        _ = node.Play();
        await Wait.Until(() => node.Node.Context.Sessions.Count == 2, "a player");

        using var reply = await node.Api.GetAsync("/metrics");

        reply.Content.Headers.ContentType!.ToString().ShouldBe("text/plain; version=0.0.4; charset=utf-8");
        var text = await reply.Content.ReadAsStringAsync();
        text.ShouldEndWith("\n");
        var types = new Dictionary<string, string>();
        var samples = new Dictionary<string, double>();
        foreach (var line in text.TrimEnd('\n').Split('\n'))
        {
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
                types.Add(line.Split(' ')[2], line.Split(' ')[3]);
            if (line.StartsWith('#'))
                continue;
            var sample = SamplePattern().Match(line);
            sample.Success.ShouldBeTrue(line);
            types.ShouldContainKey(sample.Groups["name"].Value);
            samples.Add(sample.Groups["name"].Value + sample.Groups["labels"].Value, double.Parse(sample.Groups["value"].Value, CultureInfo.InvariantCulture));
        }

        types.Values.ShouldAllBe(type => type == "gauge" || type == "counter");
        samples["millrace_streams{state=\"live\"}"].ShouldBe(1);
        samples["media_server_active_streams"].ShouldBe(1);
        samples["millrace_sessions{protocol=\"rtmp\",role=\"publisher\"}"].ShouldBe(1);
        samples["millrace_sessions{protocol=\"rtmp\",role=\"player\"}"].ShouldBe(1);
        samples["millrace_connections"].ShouldBe(2);
    }

    [Fact]
    public async Task Streams_are_listed_and_found_by_vhost_app_and_name()
    {
        await using var node = await LiveNode();

        using var list = await GetAsync(node, "/v1/streams");
        using var one = await GetAsync(node, "/v1/streams/default/live/x");

        list.RootElement.GetProperty("streams").GetArrayLength().ShouldBe(1);
        var stream = one.RootElement;
        stream.GetProperty("name").GetString().ShouldBe("default/live/x");
        stream.GetProperty("state").GetString().ShouldBe("live");
        stream.GetProperty("publisher").GetProperty("protocol").GetString().ShouldBe("rtmp");
        var tracks = stream.GetProperty("tracks").EnumerateArray().ToList();
        tracks.Select(track => track.GetProperty("kind").GetString()).ShouldBe(["video", "audio"], ignoreOrder: true);
        var video = tracks.Single(track => track.GetProperty("kind").GetString() == "video");
        video.GetProperty("width").GetInt32().ShouldBe(640);
        video.GetProperty("height").GetInt32().ShouldBe(360);
    }

    [Theory]
    [InlineData("/v1/streams/default/live/none", HttpStatusCode.NotFound)]
    [InlineData("/v1/streams/live", HttpStatusCode.BadRequest)]
    [InlineData("/v1/streams/default/live", HttpStatusCode.BadRequest)]
    [InlineData("/v1/sessions/none", HttpStatusCode.NotFound)]
    public async Task What_is_not_there_is_an_error_with_a_reason(string path, HttpStatusCode status)
    {
        await using var node = await LiveNode();
        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Delete])
        {
            using var reply = await node.Api.SendAsync(new HttpRequestMessage(method, path));
            reply.StatusCode.ShouldBe(status);
            using var body = JsonDocument.Parse(await reply.Content.ReadAsStringAsync());
            body.RootElement.GetProperty("error").GetString().ShouldNotBeNullOrEmpty();
        }
    }

    [Fact]
    public async Task A_publisher_can_be_disconnected_by_its_stream()
    {
        await using var node = await TestNode.StartAsync();
        var publisher = await node.PublishAsync();
        publisher.SendClip();
        await UntilLive(node);

        (await node.Api.DeleteAsync("/v1/streams/default/live/x")).StatusCode.ShouldBe(HttpStatusCode.NoContent);

        await Wait.Until(() => publisher.HasEnded, "the publisher is let go");
        await Wait.Until(() => node.Log.Containing("closed: kicked by the API").Count == 1, "the closing line");
        (await node.Api.DeleteAsync("/v1/streams/default/live/x")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("rtmp")]
    [InlineData("http-flv")]
    [InlineData("kestrel")]
    public async Task A_session_is_listed_and_can_be_disconnected(string kind)
    {
        await using var node = await LiveNode();
        if (kind == "rtmp")
        {
            _ = node.Play();
        }
        else
        {
            var viewer = node.OpenHttp();
            viewer.Send(RawHttp.Get(kind == "kestrel" ? "http://localhost/live/x.flv" : "/live/x.flv"));
        }

        await Wait.Until(() => node.Node.Context.Sessions.Count == 2, "the viewer");
        using var list = await GetAsync(node, "/v1/sessions?stream=default/live/x");
        var session = list.RootElement.GetProperty("sessions").EnumerateArray().Single(session => session.GetProperty("role").GetString() == "player");
        var id = session.GetProperty("id").GetString();
        session.GetProperty("protocol").GetString().ShouldBe(kind == "kestrel" ? "http-flv" : kind);
        using var one = await GetAsync(node, $"/v1/sessions/{id}");
        one.RootElement.GetProperty("stream").GetString().ShouldBe("default/live/x");

        (await node.Api.DeleteAsync($"/v1/sessions/{id}")).StatusCode.ShouldBe(HttpStatusCode.NoContent);

        await Wait.Until(() => node.Log.Containing($"player {id} closed: kicked by the API").Count == 1, "the closing line");
        node.Node.Context.Sessions.Count.ShouldBe(1);
    }

    [Fact]
    public async Task The_OpenAPI_document_lists_every_route_with_schemas()
    {
        await using var node = await TestNode.StartAsync();

        using var document = await GetAsync(node, "/openapi/v1.json");

        var paths = document.RootElement.GetProperty("paths");
        foreach (var path in (string[])["/health", "/metrics", "/v1/streams", "/v1/streams/{path}", "/v1/sessions", "/v1/sessions/{id}", "/v1/cluster", "/v1/trace/{session}"])
            paths.TryGetProperty(path, out _).ShouldBeTrue(path);
        paths.GetProperty("/v1/streams/{path}").TryGetProperty("delete", out _).ShouldBeTrue();
        var schemas = document.RootElement.GetProperty("components").GetProperty("schemas");
        foreach (var schema in (string[])["HealthReply", "StreamList", "StreamReply", "SessionList", "SessionReply", "ClusterReply", "TraceReply"])
            schemas.TryGetProperty(schema, out _).ShouldBeTrue(schema);
        paths.GetProperty("/health").GetProperty("get").GetProperty("responses").GetProperty("200").GetRawText().ShouldContain("HealthReply");
    }

    [Fact]
    public async Task The_media_port_does_not_serve_the_API()
    {
        await using var node = await TestNode.StartAsync();
        foreach (var path in (string[])["/health", "/metrics", "/v1/streams"])
            (await node.Page.GetAsync(path)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        // openapi/v1.json could be a stream: there is the page, or nothing, but not the document.
        (await node.Page.GetAsync("/openapi/v1.json")).Content.Headers.ContentType?.MediaType.ShouldNotBe("application/json");
    }

    [GeneratedRegex("""^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?<labels>\{[a-z_]+="[^"\\]*"(,[a-z_]+="[^"\\]*")*\})? (?<value>\S+)$""")]
    private static partial Regex SamplePattern();

    private static async Task<TestNode> LiveNode()
    {
        var node = await TestNode.StartAsync();
        (await node.PublishAsync()).SendClip();
        await UntilLive(node);
        return node;
    }

    private static Task UntilLive(TestNode node) =>
        Wait.Until(() => node.Node.Context.Registry.Streams.Any(stream => !stream.IsWaiting), "the stream is live");

    private static async Task<JsonDocument> GetAsync(TestNode node, string path) =>
        JsonDocument.Parse(await node.Api.GetStringAsync(path));
}
