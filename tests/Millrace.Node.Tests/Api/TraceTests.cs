using System.Net;
using System.Text.Json;
using Millrace.Node.Sessions;
using Millrace.Node.Tests.Harness;
using Millrace.Node.Tests.Relay;

namespace Millrace.Node.Tests.Api;

/// <summary>What GET /v1/trace says of a session, and /v1/streams of a stream that is fetched.</summary>
public sealed class TraceTests
{
    [Fact]
    public async Task A_viewer_is_traced_through_every_node_to_the_publisher()
    {
        await using var origin = await RelayNodes.StartAsync("origin");
        await using var middle = await RelayNodes.StartAsync("middle", origin);
        await using var edge = await RelayNodes.StartAsync("edge", middle);
        var source = await LiveSource.StartAsync(origin);
        _ = edge.Play();
        var viewer = await PlayerOf(edge, source);
        JsonElement trace = default;
        await source.Until(async () =>
        {
            trace = await GetAsync(edge, $"/v1/trace/{viewer.Id}");
            return trace.TryGetProperty("latencyMs", out _) && trace.GetProperty("path")[1].TryGetProperty("latencyMs", out _);
        }, "the way of a unit, each link measured");

        trace.GetProperty("session").GetString().ShouldBe(viewer.Id);
        trace.GetProperty("stream").GetString().ShouldBe("default/live/x");
        trace.GetProperty("timeline").GetString().ShouldBe((await GetAsync(origin, "/v1/streams/default/live/x")).GetProperty("timeline").GetString());
        trace.GetProperty("era").GetInt32().ShouldBe(0);
        var publisher = origin.Node.Context.Sessions.All.Single(session => session.Role == SessionRole.Publisher);
        trace.GetProperty("publisher").GetProperty("protocol").GetString().ShouldBe("rtmp");
        trace.GetProperty("publisher").GetProperty("remote").GetString().ShouldBe(publisher.Remote.ToString());
        var path = trace.GetProperty("path");
        path.EnumerateArray().Select(hop => hop.GetProperty("node").GetString()).ShouldBe(["origin", "middle", "edge"]);
        // One machine, one clock: what differs is how it was measured.
        foreach (var hop in path.EnumerateArray())
            Math.Abs(hop.GetProperty("clockOffsetMs").GetDouble()).ShouldBeLessThan(500);
        path[0].TryGetProperty("roundTripMs", out _).ShouldBeFalse();
        path[1].GetProperty("roundTripMs").GetDouble().ShouldBeGreaterThan(0);
        path[2].GetProperty("roundTripMs").GetDouble().ShouldBeGreaterThan(0);
        var sum = path[0].GetProperty("latencyMs").GetDouble() + path[1].GetProperty("latencyMs").GetDouble();
        path[2].TryGetProperty("latencyMs", out _).ShouldBeFalse();
        trace.GetProperty("latencyMs").GetDouble().ShouldBeInRange(0, sum + 1);
        trace.GetProperty("ageMs").GetDouble().ShouldBeInRange(0, Wait.Deadline.TotalMilliseconds);
        trace.GetProperty("upstream").GetProperty("node").GetString().ShouldBe("middle");
        var last = trace.GetProperty("viewer");
        last.GetProperty("protocol").GetString().ShouldBe("rtmp");
        last.GetProperty("remote").GetString().ShouldBe(viewer.Remote.ToString());
        last.GetProperty("windowMs").GetDouble().ShouldBe(0);
        last.GetProperty("lagBytes").GetInt64().ShouldBeGreaterThanOrEqualTo(0);
        last.GetProperty("lagMs").GetDouble().ShouldBeGreaterThanOrEqualTo(0);
        last.GetProperty("socketBytes").GetInt64().ShouldBeGreaterThanOrEqualTo(0);
        last.GetProperty("roundTripMs").GetDouble().ShouldBeGreaterThan(0);
        last.GetProperty("skips").GetInt64().ShouldBe(0);
    }

    [Fact]
    public async Task At_the_authority_the_path_of_a_viewer_has_one_node()
    {
        await using var node = await RelayNodes.StartAsync("origin");
        var source = await LiveSource.StartAsync(node);
        _ = node.Play();
        var viewer = await PlayerOf(node, source);

        var trace = await GetAsync(node, $"/v1/trace/{viewer.Id}");

        trace.GetProperty("path").EnumerateArray().Select(hop => hop.GetProperty("node").GetString()).ShouldBe(["origin"]);
        trace.GetProperty("latencyMs").GetDouble().ShouldBe(0);
        trace.GetProperty("publisher").GetProperty("protocol").GetString().ShouldBe("rtmp");
        trace.TryGetProperty("upstream", out _).ShouldBeFalse();
        trace.TryGetProperty("ageMs", out _).ShouldBeFalse();
        trace.GetProperty("viewer").GetProperty("roundTripMs").GetDouble().ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_viewer_whom_Kestrel_serves_has_no_socket_of_its_own()
    {
        await using var node = await RelayNodes.StartAsync("origin");
        var source = await LiveSource.StartAsync(node);
        node.OpenHttp().Send(RawHttp.Get("http://localhost/live/x.flv"));
        var viewer = await PlayerOf(node, source);

        var last = (await GetAsync(node, $"/v1/trace/{viewer.Id}")).GetProperty("viewer");

        last.GetProperty("protocol").GetString().ShouldBe("http-flv");
        last.GetProperty("windowMs").GetDouble().ShouldBe(0);
        last.TryGetProperty("socketBytes", out _).ShouldBeFalse();
        last.TryGetProperty("roundTripMs", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task A_relay_can_be_traced_from_both_of_its_ends()
    {
        await using var origin = await RelayNodes.StartAsync("origin");
        await using var edge = await RelayNodes.StartAsync("edge", origin);
        var source = await LiveSource.StartAsync(origin);
        _ = edge.Play();
        await PlayerOf(edge, source);
        var above = origin.Node.Context.Sessions.All.Single(session => session.Role == SessionRole.Relay);
        var below = edge.Node.Context.Sessions.All.Single(session => session.Role == SessionRole.Relay);
        JsonElement sender = default;
        await source.Until(async () =>
        {
            sender = (await GetAsync(origin, $"/v1/trace/{above.Id}")).GetProperty("viewer");
            return sender.TryGetProperty("roundTripMs", out _);
        }, "a heartbeat that was answered");

        sender.GetProperty("node").GetString().ShouldBe("edge");
        sender.GetProperty("protocol").GetString().ShouldBe("relay");
        var receiver = await GetAsync(edge, $"/v1/trace/{below.Id}");
        receiver.TryGetProperty("viewer", out _).ShouldBeFalse();
        receiver.GetProperty("path").EnumerateArray().Select(hop => hop.GetProperty("node").GetString()).ShouldBe(["origin", "edge"]);
    }

    [Fact]
    public async Task An_unknown_session_is_404_with_a_reason()
    {
        await using var node = await RelayNodes.StartAsync("origin");

        var answer = await node.Api.GetAsync("/v1/trace/ffffffff", TestContext.Current.CancellationToken);

        answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe("""{"error":"no session ffffffff"}""");
    }

    [Fact]
    public async Task A_stream_that_is_fetched_says_where_it_comes_from()
    {
        await using var origin = await RelayNodes.StartAsync("origin");
        await using var edge = await RelayNodes.StartAsync("edge", origin);
        var source = await LiveSource.StartAsync(origin);
        _ = edge.Play();
        JsonElement stream = default;
        await source.Until(async () =>
        {
            var list = (await GetAsync(edge, "/v1/streams")).GetProperty("streams");
            stream = list.GetArrayLength() == 1 ? list[0] : default;
            return stream.ValueKind == JsonValueKind.Object && stream.TryGetProperty("upstream", out var found) && found.TryGetProperty("lagMs", out _);
        }, "a stream whose way has been measured");

        var upstream = stream.GetProperty("upstream");
        upstream.GetProperty("origin").GetString().ShouldBe(RelayNodes.OriginOf(origin));
        upstream.GetProperty("node").GetString().ShouldBe("origin");
        upstream.GetProperty("state").GetString().ShouldBe("live");
        upstream.GetProperty("switches").GetInt64().ShouldBe(0);
        upstream.GetProperty("since").GetDateTimeOffset().ShouldBe(DateTimeOffset.UtcNow, TimeSpan.FromMinutes(1));
        upstream.GetProperty("roundTripMs").GetDouble().ShouldBeGreaterThan(0);
        Math.Abs(upstream.GetProperty("clockOffsetMs").GetDouble()).ShouldBeLessThan(500);
        stream.GetProperty("path").EnumerateArray().Select(hop => hop.GetProperty("node").GetString()).ShouldBe(["origin", "edge"]);
        var own = await GetAsync(origin, "/v1/streams/default/live/x");
        own.TryGetProperty("upstream", out _).ShouldBeFalse();
        own.TryGetProperty("path", out _).ShouldBeFalse();
    }

    private static async Task<NodeSession> PlayerOf(TestNode node, LiveSource source)
    {
        NodeSession? player = null;
        await source.Until(() => (player = node.Node.Context.Sessions.All.FirstOrDefault(session => session is { Role: SessionRole.Player, Traffic.BytesOut: > 10_000 })) is not null,
            "a player with media");
        return player!;
    }

    private static async Task<JsonElement> GetAsync(TestNode node, string path)
    {
        using var document = JsonDocument.Parse(await node.Api.GetStringAsync(path));
        return document.RootElement.Clone();
    }
}
