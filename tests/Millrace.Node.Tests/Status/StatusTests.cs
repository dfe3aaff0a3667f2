using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;

namespace Millrace.Node.Tests.Status;

/// <summary>The status page and what it counts, as clients see it.</summary>
public sealed class StatusTests
{
    private static readonly string[] Paths = ["/status", "/status/", "/status/format/html", "/status/format/json", "/status/format/jsonp", "/status/format/prometheus"];

    [Fact]
    public async Task Without_a_name_and_a_password_there_is_no_status_page()
    {
        await using var node = await TestNode.StartAsync();
        foreach (var path in Paths)
            (await GetAsync(node, path, "admin:")).StatusCode.ShouldBe(HttpStatusCode.NotFound, path);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("admin:")]
    [InlineData("admin:geheiM")]
    [InlineData("Admin:geheim")]
    [InlineData("admin")]
    [InlineData("")]
    [InlineData(":geheim")]
    public async Task Whoever_has_not_the_password_is_asked_for_it(string? credentials)
    {
        await using var node = await StartAsync();
        foreach (var path in Paths)
        {
            using var answer = await GetAsync(node, path, credentials);
            answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized, path);
            answer.Headers.WwwAuthenticate.Single().Scheme.ShouldBe("Basic");
            (await answer.Content.ReadAsStringAsync()).ShouldNotContain("hostName");
        }
    }

    [Theory]
    [InlineData("Basic")]
    [InlineData("Basic %%%")]
    [InlineData("Bearer YWRtaW46Z2VoZWlt")]
    public async Task Other_credentials_are_refused(string authorization)
    {
        await using var node = await StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/status");
        request.Headers.TryAddWithoutValidation("Authorization", authorization);

        (await node.Page.SendAsync(request)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Theory]
    [InlineData("/status", "text/html")]
    [InlineData("/status/format/html", "text/html")]
    [InlineData("/status/format/json", "application/json")]
    [InlineData("/status/format/jsonp?callback=a.b", "text/javascript")]
    [InlineData("/status/format/prometheus", "text/plain")]
    public async Task Every_form_is_served_and_never_cached(string path, string type)
    {
        await using var node = await StartAsync();
        using var answer = await GetAsync(node, path);

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Content.Headers.ContentType!.MediaType.ShouldBe(type);
        answer.Headers.CacheControl!.NoStore.ShouldBeTrue();
        (await answer.Content.ReadAsByteArrayAsync()).Length.ShouldBe((int)answer.Content.Headers.ContentLength!);
    }

    [Fact]
    public async Task The_page_needs_nothing_from_elsewhere()
    {
        await using var node = await StartAsync();
        using var answer = await GetAsync(node, "/status");
        var page = await answer.Content.ReadAsStringAsync();

        page.ShouldContain("/status/format/json");
        page.ShouldNotContain("src=");
        page.ShouldNotContain("href=");
        page.ShouldNotContain("@import");
        page.ShouldNotContain("innerHTML");
        answer.Headers.GetValues("Content-Security-Policy").Single().ShouldStartWith("default-src 'none'");
    }

    [Theory]
    [InlineData("?callback=show.it", "/**/show.it(")]
    [InlineData("", "/**/ngx_http_vhost_traffic_status_jsonp_callback(")]
    public async Task JSONP_calls_the_function_that_was_named(string query, string start)
    {
        await using var node = await StartAsync();
        var text = await (await GetAsync(node, "/status/format/jsonp" + query)).Content.ReadAsStringAsync();

        text.ShouldStartWith(start);
        text.ShouldEndWith(");\n");
        using var json = JsonDocument.Parse(text[start.Length..^3]);
        json.RootElement.GetProperty("hostName").GetString().ShouldBe(Environment.MachineName);
    }

    [Theory]
    [InlineData("alert(1)//")]
    [InlineData("%3Cscript%3E")]
    public async Task A_callback_that_is_no_name_is_refused(string callback)
    {
        await using var node = await StartAsync();

        (await GetAsync(node, "/status/format/jsonp?callback=" + callback)).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task The_JSON_has_the_shape_of_nginx_module_vts()
    {
        await using var node = await StartAsync();
        (await node.Page.GetAsync("/~/clock")).Dispose();
        using var status = await ReadAsync(node);
        var root = status.RootElement;

        root.EnumerateObject().Select(property => property.Name).ShouldBe(
        [
            "hostName", "moduleVersion", "nginxVersion", "loadMsec", "nowMsec", "connections", "sharedZones", "serverZones",
            "filterZones", "upstreamZones", "cacheZones", "streams",
        ]);
        root.GetProperty("nginxVersion").GetString()!.ShouldStartWith("millrace/");
        root.GetProperty("nowMsec").GetInt64().ShouldBeGreaterThan(root.GetProperty("loadMsec").GetInt64());
        root.GetProperty("connections").EnumerateObject().Select(property => property.Name)
            .ShouldBe(["active", "reading", "writing", "waiting", "accepted", "handled", "requests"]);
        root.GetProperty("sharedZones").EnumerateObject().Select(property => property.Name).ShouldBe(["name", "maxSize", "usedSize", "usedNode"]);
        var zone = root.GetProperty("serverZones").GetProperty("*");
        zone.EnumerateObject().Select(property => property.Name).ShouldBe(
        [
            "requestCounter", "inBytes", "outBytes", "responses", "requestMsecCounter", "requestMsec", "requestMsecs",
            "requestBuckets", "overCounts",
        ]);
        zone.GetProperty("responses").EnumerateObject().Select(property => property.Name).ShouldBe(
            ["1xx", "2xx", "3xx", "4xx", "5xx", "miss", "bypass", "expired", "stale", "updating", "revalidated", "hit", "scarce"]);
    }

    [Fact]
    public async Task Every_way_to_a_stream_is_counted_in_its_zone_while_it_goes_on()
    {
        await using var node = await LiveAsync();
        using var shard = node.OpenHttp();
        shard.Send(RawHttp.Get("/live/x.flv"));
        var answer = shard.ReadHead();
        shard.ReadMedia(answer, 20_000);
        using var kestrel = node.OpenHttp();
        kestrel.Send(RawHttp.Get("http://localhost/live/x.flv"));
        kestrel.ReadMedia(kestrel.ReadHead(), 20_000);
        using var webSocket = new ClientWebSocket();
        await webSocket.ConnectAsync(new Uri($"ws://127.0.0.1:{node.Node.HttpPort}/live/x.flv"), TestContext.Current.CancellationToken);
        await webSocket.ReceiveAsync(new byte[1_000].AsMemory(), TestContext.Current.CancellationToken);
        var player = node.Play();
        await Wait.Until(() => player.MediaCount > 0, "media");
        using var missing = node.OpenHttp();
        missing.Send(RawHttp.Get("/live/none.flv"));
        missing.ReadBody(missing.ReadHead());
        // What is sent is counted after its peer may have it.
        await Wait.Until(() => node.Node.Context.Traffic.Read().Sum(row => row.Totals.Requests) == 6, "all are counted");
        await Wait.Until(() => node.Node.Context.Sessions.All.Where(session => session.Protocol == "http-flv").Sum(session => session.Traffic!.BytesOut) > 40_000, "and their bytes");

        using var status = await ReadAsync(node);

        var zones = status.RootElement.GetProperty("filterZones").GetProperty("default");
        var flv = zones.GetProperty("live::flv");
        Responses(flv).ShouldBe([0, 2, 0, 1, 0]);
        flv.GetProperty("outBytes").GetInt64().ShouldBeGreaterThan(40_000);
        flv.GetProperty("inBytes").GetInt64().ShouldBeGreaterThan(0);
        Responses(zones.GetProperty("live::ws-flv")).ShouldBe([1, 0, 0, 0, 0]);
        zones.GetProperty("live::ws-flv").GetProperty("outBytes").GetInt64().ShouldBeGreaterThan(0);
        // One publisher and one player.
        Responses(zones.GetProperty("live::rtmp")).ShouldBe([0, 2, 0, 0, 0]);
        zones.GetProperty("live::rtmp").GetProperty("inBytes").GetInt64().ShouldBeGreaterThan(30_000);
        zones.GetProperty("live::rtmp").GetProperty("outBytes").GetInt64().ShouldBeGreaterThan(1_000);
        var server = status.RootElement.GetProperty("serverZones");
        server.GetProperty("*").GetRawText().ShouldBe(server.GetProperty("default").GetRawText());
        server.GetProperty("*").GetProperty("requestCounter").GetInt64().ShouldBe(6);
        var connections = status.RootElement.GetProperty("connections");
        connections.GetProperty("reading").GetInt64().ShouldBe(1);
        connections.GetProperty("writing").GetInt64().ShouldBe(4);
        var stream = status.RootElement.GetProperty("streams").EnumerateArray().Single(stream => stream.GetProperty("name").GetString() == "default/live/x");
        stream.GetProperty("viewers").GetProperty("total").GetInt32().ShouldBe(4);
    }

    [Fact]
    public async Task Bytes_are_counted_once_whenever_they_are_looked_at()
    {
        await using var node = await LiveAsync();
        var before = await OutBytesAsync(node);
        for (var i = 0; i < 3; i++)
        {
            using var viewer = node.OpenHttp();
            viewer.Send(RawHttp.Get("/live/x.flv"));
            viewer.ReadMedia(viewer.ReadHead(), 20_000);
            var seen = 0L;
            // What has been sent is counted after the viewer may have it.
            await Wait.Until(async () => (seen = await OutBytesAsync(node)) >= before + 20_000, "what he has read is counted");
            var session = node.Node.Context.Sessions.All.Single(session => session.Protocol == "http-flv");
            viewer.Dispose();
            await Wait.Until(() => node.Node.Context.Sessions.Count == 1, "the viewer has gone");

            var after = await OutBytesAsync(node);
            after.ShouldBe(before + session.Traffic!.BytesOut);
            seen.ShouldBeLessThanOrEqualTo(after);
            before = after;
        }

        async Task<long> OutBytesAsync(TestNode node)
        {
            using var status = await ReadAsync(node);
            return status.RootElement.GetProperty("filterZones").GetProperty("default").TryGetProperty("live::flv", out var zone)
                ? zone.GetProperty("outBytes").GetInt64()
                : 0;
        }
    }

    [Fact]
    public async Task Names_that_clients_invent_make_no_zones()
    {
        await using var node = await StartAsync();
        for (var i = 0; i < 20; i++)
        {
            using var client = node.OpenHttp();
            client.Send($"GET /app{i}/x.flv HTTP/1.1\r\nHost: host{i}.example\r\n\r\n");
            client.ReadBody(client.ReadHead());
            (await node.Page.GetAsync($"/page{i}/x")).Dispose();
        }

        await Wait.Until(() => node.Node.Context.Traffic.Read().Sum(row => row.Totals.Requests) == 40, "all are counted");
        using var status = await ReadAsync(node);

        var filters = status.RootElement.GetProperty("filterZones");
        filters.EnumerateObject().Select(zone => zone.Name).ShouldBe(["default"]);
        filters.GetProperty("default").EnumerateObject().Select(zone => zone.Name).ShouldBe(["page", "other::flv"]);
        Responses(filters.GetProperty("default").GetProperty("other::flv")).ShouldBe([0, 0, 0, 20, 0]);
    }

    [Fact]
    public async Task What_Kestrel_answers_is_counted_to_the_byte()
    {
        await using var node = await StartAsync();
        using var clock = await node.Page.GetAsync("/~/clock");
        var length = (await clock.Content.ReadAsByteArrayAsync()).Length;
        using (await node.Page.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/status")))
        {
            // Refused, with the length of a body that is not sent.
        }

        // An answer is counted when it is complete, which its client may learn a moment earlier.
        await Wait.Until(() => node.Node.Context.Traffic.Read().Sum(row => row.Totals.Requests) == 2, "both are counted");

        using var status = await ReadAsync(node);

        var page = status.RootElement.GetProperty("filterZones").GetProperty("default").GetProperty("page");
        Responses(page).ShouldBe([0, 1, 0, 1, 0]);
        page.GetProperty("outBytes").GetInt64().ShouldBe(length);
    }

    [Fact]
    public async Task A_refused_publisher_is_a_4xx_of_no_zone_of_its_own()
    {
        await using var node = await StartAsync(settings => settings with { Publish = settings.Publish with { Token = new Secret("token") } });
        var peer = await node.PublishAsync(name: "x?token=wrong");
        await Wait.Until(() => peer.HasEnded, "refused");

        using var status = await ReadAsync(node);

        Responses(status.RootElement.GetProperty("filterZones").GetProperty("default").GetProperty("other::rtmp")).ShouldBe([0, 0, 0, 1, 0]);
    }

    [Fact]
    public async Task The_Prometheus_forms_have_the_zones_under_both_names()
    {
        await using var node = await LiveAsync();
        using var viewer = node.OpenHttp();
        viewer.Send(RawHttp.Get("/live/x.flv"));
        viewer.ReadMedia(viewer.ReadHead(), 20_000);

        var vts = await (await GetAsync(node, "/status/format/prometheus")).Content.ReadAsStringAsync();
        var own = await node.Api.GetStringAsync("/metrics");

        vts.ShouldContain("nginx_vts_server_requests_total{host=\"*\",code=\"2xx\"} 2\n");
        vts.ShouldContain("nginx_vts_filter_requests_total{filter=\"default\",filter_name=\"live::flv\",code=\"2xx\"} 1\n");
        vts.ShouldContain("nginx_vts_main_connections{status=\"active\"} 3\n");
        own.ShouldContain("millrace_requests_total{vhost=\"default\",app=\"live\",format=\"flv\",status=\"2xx\"} 1\n");
        own.ShouldContain("millrace_traffic_bytes_total{vhost=\"default\",app=\"live\",format=\"rtmp\",direction=\"in\"} ");
    }

    [Fact]
    public async Task The_status_is_served_over_TLS_too()
    {
        using var files = new TestCertificate();
        await using var node = await StartAsync(settings => settings with { Http = settings.Http with { Tls = files.Settings } });
        using var handler = new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.Subject == "CN=localhost" } };
        using var client = new HttpClient(handler) { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using var request = Request($"https://127.0.0.1:{node.Node.HttpsPort}/status/format/json", "admin:geheim");
        request.Version = HttpVersion.Version20;

        (await client.SendAsync(request)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private static long[] Responses(JsonElement zone) =>
        [.. ((string[])["1xx", "2xx", "3xx", "4xx", "5xx"]).Select(name => zone.GetProperty("responses").GetProperty(name).GetInt64())];

    private static Task<TestNode> StartAsync(Func<NodeSettings, NodeSettings>? change = null) => TestNode.StartAsync(settings =>
    {
        settings = settings with { Status = new StatusSettings { Username = "admin", Password = new Secret("geheim") } };
        return change is null ? settings : change(settings);
    });

    private static async Task<TestNode> LiveAsync()
    {
        var node = await StartAsync();
        (await node.PublishAsync()).SendClip();
        await Wait.Until(() => node.Node.Context.Registry.Streams.Any(stream => !stream.IsWaiting && stream.Timeline.Era!.Tracks.Length > 2), "the stream is live");
        return node;
    }

    private static HttpRequestMessage Request(string address, string? credentials)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (credentials is not null)
            request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials)));
        return request;
    }

    private static Task<HttpResponseMessage> GetAsync(TestNode node, string path, string? credentials = "admin:geheim") =>
        node.Page.SendAsync(Request(path, credentials));

    private static async Task<JsonDocument> ReadAsync(TestNode node) =>
        JsonDocument.Parse(await (await GetAsync(node, "/status/format/json")).Content.ReadAsStringAsync());
}
