using System.Globalization;
using System.Net;
using System.Text.Json;
using Millrace.Node.Cluster;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Cluster;
using Millrace.Node.Tests.Harness;
using Millrace.Node.Tests.Hls;
using Millrace.Node.Tests.Relay;

namespace Millrace.Node.Tests.Api;

/// <summary>What GET /v1/cluster and /metrics say of a node among others.</summary>
public sealed class ClusterTests
{
    [Fact]
    public async Task A_node_on_its_own_has_its_id_its_listeners_and_a_map_of_its_own()
    {
        await using var node = await RelayNodes.StartAsync("alone", [], settings => settings with
        {
            Cluster = settings.Cluster with { Advertise = "alone.example:9000" },
            Relay = settings.Relay with { Secret = new Secret("s") },
        });
        await LiveSource.StartAsync(node);

        var cluster = await GetAsync(node);

        var self = cluster.GetProperty("node");
        self.GetProperty("id").GetString().ShouldBe("alone");
        self.GetProperty("version").GetString().ShouldNotBeNullOrEmpty();
        self.GetProperty("relay").EnumerateArray().Select(listener => listener.GetString()).ShouldBe([$"127.0.0.1:{node.Node.RelayPort}"]);
        self.GetProperty("advertise").GetString().ShouldBe("alone.example:9000");
        self.GetProperty("secret").GetBoolean().ShouldBeTrue();
        cluster.GetRawText().ShouldNotContain("\"s\"");
        cluster.GetProperty("upstreams").GetArrayLength().ShouldBe(0);
        cluster.GetProperty("pushes").GetArrayLength().ShouldBe(0);
        cluster.GetProperty("downstreams").GetArrayLength().ShouldBe(0);
        cluster.GetProperty("missing").GetInt32().ShouldBe(0);
        cluster.GetProperty("map").GetProperty("kind").GetString().ShouldBe("memory");
        cluster.GetProperty("map").GetProperty("connected").GetBoolean().ShouldBeTrue();
        var known = cluster.GetProperty("nodes").EnumerateArray().Single(found => found.GetProperty("id").GetString() == "alone");
        known.GetProperty("relay").GetString().ShouldBe("millrace://alone.example:9000");
        known.GetProperty("http").GetString().ShouldBe($"http://alone.example:{node.Node.HttpPort}");
        known.GetProperty("streams").GetInt32().ShouldBe(1);
        known.GetProperty("sessions").GetInt32().ShouldBe(1);
        known.GetProperty("cpu").GetDouble().ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task Both_ends_of_a_link_report_it()
    {
        await using var origin = await RelayNodes.StartAsync("origin");
        await using var edge = await RelayNodes.StartAsync("edge", origin);
        var source = await LiveSource.StartAsync(origin);
        _ = edge.Play();
        await UntilLag(edge, source);

        var up = (await GetAsync(edge)).GetProperty("upstreams")[0];
        var down = (await GetAsync(origin)).GetProperty("downstreams")[0];

        up.GetProperty("stream").GetString().ShouldBe("default/live/x");
        up.GetProperty("origin").GetString().ShouldBe(RelayNodes.OriginOf(origin));
        up.GetProperty("state").GetString().ShouldBe("live");
        up.GetProperty("lagMs").GetDouble().ShouldBeGreaterThanOrEqualTo(0);
        down.GetProperty("node").GetString().ShouldBe("edge");
        down.GetProperty("stream").GetString().ShouldBe("default/live/x");
        down.GetProperty("session").GetString().ShouldNotBeNullOrEmpty();
        down.GetProperty("bytes").GetInt64().ShouldBeGreaterThan(10_000);
        down.GetProperty("lagBytes").GetInt64().ShouldBeGreaterThanOrEqualTo(0);
        (await GetAsync(edge)).GetProperty("downstreams").GetArrayLength().ShouldBe(0);
        (await GetAsync(origin)).GetProperty("upstreams").GetArrayLength().ShouldBe(0);
        var metrics = await MetricsAsync(edge);
        metrics["millrace_relay_upstreams{state=\"live\"}"].ShouldBe(1);
        metrics["millrace_relay_lag_streams"].ShouldBe(1);
        metrics["millrace_relay_lag_max_seconds"].ShouldBe(metrics["millrace_relay_lag_sum_seconds"]);
        metrics["millrace_relay_connects_total"].ShouldBe(1);
        metrics["millrace_relay_connect_failures_total"].ShouldBe(0);
        metrics["millrace_relay_downstreams"].ShouldBe(0);
        (await MetricsAsync(origin))["millrace_relay_downstreams"].ShouldBe(1);
    }

    [Fact]
    public async Task An_origin_that_goes_is_a_failure_and_a_switch()
    {
        var first = await RelayNodes.StartAsync("first");
        await using var second = await RelayNodes.StartAsync("second");
        await using var edge = await RelayNodes.StartAsync("edge", first, second);
        var source = await LiveSource.StartAsync(first, second);
        _ = edge.Play();
        await UntilLag(edge, source);

        await first.DisposeAsync();

        JsonElement up = default;
        await source.Until(async () =>
        {
            up = (await GetAsync(edge)).GetProperty("upstreams") is { } all && all.GetArrayLength() == 1 ? all[0] : default;
            return up.ValueKind == JsonValueKind.Object && up.GetProperty("switches").GetInt64() == 1 && up.GetProperty("state").GetString() == "live";
        }, "the stream goes on from the second origin");
        up.GetProperty("origin").GetString().ShouldBe(RelayNodes.OriginOf(second));
        up.GetProperty("node").GetString().ShouldBe("second");
        var metrics = await MetricsAsync(edge);
        metrics["millrace_relay_switches_total{direction=\"in\"}"].ShouldBe(1);
        metrics["millrace_relay_connect_failures_total"].ShouldBeGreaterThanOrEqualTo(1);
        metrics["millrace_relay_connects_total"].ShouldBeGreaterThanOrEqualTo(2);
    }

    [Fact]
    public async Task What_is_published_here_shows_where_it_is_sent_and_that_it_has_gone_over()
    {
        var first = await RelayNodes.StartAsync("first");
        var second = await RelayNodes.StartAsync("second");
        await using var edge = await RelayNodes.StartAsync("edge", [RelayNodes.OriginOf(first), RelayNodes.OriginOf(second)], static settings => settings with
        {
            Vhosts = [settings.Vhosts[0] with { Forward = ["rtmp://127.0.0.1:1"] }],
        });
        var source = await LiveSource.StartAsync(edge);
        await source.Until(async () => StatesOf(await GetAsync(edge)).SequenceEqual([("first", "live", 0), (null, "pending", 0)]), "the first has it, the forward nobody");

        await first.DisposeAsync();
        await source.Until(async () => StatesOf(await GetAsync(edge)).SequenceEqual([("second", "live", 1), (null, "pending", 0)]), "the second has it");

        var pushes = (await GetAsync(edge)).GetProperty("pushes").EnumerateArray().ToList();
        pushes.Select(static push => push.GetProperty("stream").GetString()).ShouldBe(["default/live/x", "default/live/x"]);
        pushes.Select(static push => push.GetProperty("origin").GetString()).ShouldBe([RelayNodes.OriginOf(second), "rtmp://127.0.0.1:1"]);
        pushes.Select(static push => push.GetProperty("forward").GetBoolean()).ShouldBe([false, true]);
        var metrics = await MetricsAsync(edge);
        metrics["millrace_relay_pushes{state=\"live\"}"].ShouldBe(1);
        metrics["millrace_relay_pushes{state=\"lost\"}"].ShouldBe(0);
        metrics["millrace_relay_forwards{state=\"pending\"}"].ShouldBe(1);
        metrics["millrace_relay_switches_total{direction=\"out\"}"].ShouldBe(1);
        metrics["millrace_relay_switches_total{direction=\"in\"}"].ShouldBe(0);

        await second.DisposeAsync();
        await source.Until(async () => (await MetricsAsync(edge))["millrace_relay_pushes{state=\"lost\"}"] == 1, "none has it");
    }

    [Fact]
    public async Task Names_that_no_origin_knows_are_counted_as_long_as_that_holds()
    {
        await using var origin = await RelayNodes.StartAsync("origin");
        await using var edge = await RelayNodes.StartAsync("edge", [RelayNodes.OriginOf(origin)],
            settings => settings with { Edge = new EdgeSettings { NegativeCache = TimeSpan.FromHours(1) } });

        foreach (var name in (string[])["a", "b", "a"])
            (await edge.Page.GetAsync($"/live/{name}.flv", TestContext.Current.CancellationToken)).StatusCode.ShouldBe(HttpStatusCode.NotFound);

        (await GetAsync(edge)).GetProperty("missing").GetInt32().ShouldBe(2);
        var metrics = await MetricsAsync(edge);
        metrics["millrace_relay_missing_names"].ShouldBe(2);
        // The origin works: it has answered.
        metrics["millrace_relay_connects_total"].ShouldBe(2);
        metrics["millrace_relay_connect_failures_total"].ShouldBe(0);
        edge.Node.Context.Upstreams.CountMissing(NodeClock.Micros + TimeSpan.FromHours(2).ToMicros()).ShouldBe(0);
    }

    [Fact]
    public async Task Objects_that_are_fetched_are_counted_once_however_many_ask()
    {
        await using var hls = await HlsNode.StartAsync(frames: 300);
        await using var edge = await RelayNodes.StartAsync("edge", [RelayNodes.OriginOf(hls.Node)], settings => settings with { Hls = HlsNode.Short });
        // The edge has the segment that is open; all that are listed before are the origin's.
        var playlist = await edge.Page.GetStringAsync(hls.Video, TestContext.Current.CancellationToken);
        var oldest = $"/live/x/{HlsNode.Uris(playlist).First()}";

        var bodies = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => edge.Page.GetByteArrayAsync(oldest, TestContext.Current.CancellationToken)));

        var metrics = await MetricsAsync(edge);
        metrics["millrace_relay_fetches_total{result=\"ok\"}"].ShouldBe(1);
        metrics["millrace_relay_fetches_total{result=\"failed\"}"].ShouldBe(0);
        metrics["millrace_relay_fetched_bytes_total"].ShouldBe(bodies[0].Length);
        bodies[0].ShouldBe(await hls.Bytes(oldest));
    }

    [Fact]
    public async Task Redis_is_asked_for_all_nodes_and_its_loss_shows()
    {
        using var redis = await RedisServer.StartAsync();
        await using var first = await OfRedis("first", redis);
        await using var second = await OfRedis("second", redis);
        await Wait.Until(async () => (await GetAsync(first)).TryGetProperty("nodes", out var nodes) && nodes.GetArrayLength() == 2, "both nodes stand in the map");
        var cluster = await GetAsync(first);
        cluster.GetProperty("map").GetProperty("kind").GetString().ShouldBe("redis");
        cluster.GetProperty("nodes").EnumerateArray().Select(node => node.GetProperty("id").GetString()).ShouldBe(["first", "second"]);
        (await MetricsAsync(first))["millrace_origin_map_connected{kind=\"redis\"}"].ShouldBe(1);

        redis.Kill();

        await Wait.Until(async () => (await MetricsAsync(first))["millrace_origin_map_connected{kind=\"redis\"}"] == 0, "the loss");
        await Wait.Until(async () => (await MetricsAsync(first))["millrace_origin_map_failures_total"] > 0, "a failed attempt");
        var map = (await GetAsync(first)).GetProperty("map");
        map.GetProperty("connected").GetBoolean().ShouldBeFalse();
        map.GetProperty("lastError").GetString().ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public async Task A_node_that_stops_leaves_the_map()
    {
        await using var stays = await RelayNodes.StartAsync("stays");
        var goes = await RelayNodes.StartAsync("goes");
        (await NodesAsync(stays)).ShouldContain("goes");

        await goes.DisposeAsync();

        (await NodesAsync(stays)).ShouldNotContain("goes");
    }

    private static Task<TestNode> OfRedis(string id, RedisServer redis) => RelayNodes.StartAsync(id, [], settings => settings with
    {
        Cluster = settings.Cluster with
        {
            Map = OriginMapKind.Redis,
            Heartbeat = TimeSpan.FromMilliseconds(100),
            Redis = new RedisSettings { Endpoint = FormattableString.Invariant($"127.0.0.1:{redis.Port}") },
        },
    });

    private static async Task<IEnumerable<string>> NodesAsync(TestNode node) =>
        (await node.Node.Context.OriginMap!.NodesAsync(TestContext.Current.CancellationToken)).Select(static status => status.Id);

    private static Task UntilLag(TestNode edge, LiveSource source) =>
        source.Until(async () => (await MetricsAsync(edge))["millrace_relay_lag_streams"] == 1, "the way of a unit");

    private static IEnumerable<(string? Node, string State, int Switches)> StatesOf(JsonElement cluster) => cluster.GetProperty("pushes").EnumerateArray()
        .Select(static push => (push.TryGetProperty("node", out var node) ? node.GetString() : null, push.GetProperty("state").GetString()!, push.GetProperty("switches").GetInt32()));

    private static async Task<JsonElement> GetAsync(TestNode node)
    {
        using var document = JsonDocument.Parse(await node.Api.GetStringAsync("/v1/cluster"));
        return document.RootElement.Clone();
    }

    private static async Task<Dictionary<string, double>> MetricsAsync(TestNode node)
    {
        var text = await node.Api.GetStringAsync("/metrics");
        return text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(static line => line[0] != '#')
            .ToDictionary(static line => line[..line.LastIndexOf(' ')], static line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
    }
}
