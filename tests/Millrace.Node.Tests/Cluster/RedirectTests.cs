using System.Net;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;
using Millrace.Node.Tests.Relay;
using Millrace.Streams;

namespace Millrace.Node.Tests.Cluster;

/// <summary><c>cluster.elsewhere: redirect</c>: clients are sent to the node that has the stream.</summary>
public sealed class RedirectTests
{
    [Theory]
    [InlineData("/live/x.flv", "", false)]
    [InlineData("/live/x.flv", "token=a%20b", true)]
    [InlineData("/live/x/llhls.m3u8", "_HLS_legacy=YES&token=1", false)]
    [InlineData("/live/x/llhls.m3u8", "", true)]
    [InlineData("/live/x.m3u8", "", false)]
    public async Task An_HTTP_viewer_is_sent_to_the_owner_and_may_not_keep_the_answer(string path, string query, bool isKestrel)
    {
        await using var origin = await MappedNodes.StartAsync("origin");
        await using var edge = await MappedNodes.StartAsync("edge");
        await LiveSource.StartAsync(origin);
        var client = isKestrel ? edge.OpenKestrel() : edge.OpenHttp();

        client.Send(RawHttp.Get(query.Length > 0 ? $"{path}?{query}" : path));
        var answer = client.ReadHead();

        answer.Status.ShouldBe(307);
        answer.Field("location").ShouldBe($"http://127.0.0.1:{origin.Node.HttpPort}{path}?{(query.Length > 0 ? query + "&" : "")}redirected=1");
        answer.Field("cache-control").ShouldBe("no-store");
        answer.Field("access-control-allow-origin").ShouldBe("*");
        client.ReadBody(answer).ShouldBe("the stream is at node origin\n");
        edge.Node.Context.Upstreams.Count.ShouldBe(0);
        // The connection goes on.
        client.Send(RawHttp.Get("/live/nothing.flv"));
        client.ReadHead().Status.ShouldBe(404);
    }

    [Fact]
    public async Task Who_follows_gets_the_stream_and_its_playlists_there()
    {
        await using var origin = await MappedNodes.StartAsync("origin");
        await using var edge = await MappedNodes.StartAsync("edge");
        var source = await LiveSource.StartAsync(origin);

        using var flv = await edge.Page.GetAsync("/live/x.flv", HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        flv.StatusCode.ShouldBe(HttpStatusCode.OK);
        flv.RequestMessage!.RequestUri!.Port.ShouldBe(origin.Node.HttpPort);
        var playlist = edge.Page.GetStringAsync("/live/x/llhls.m3u8", TestContext.Current.CancellationToken);
        await source.Until(() => playlist.IsCompleted, "a playlist");
        (await playlist).ShouldContain("#EXT-X-STREAM-INF");
    }

    [Fact]
    public async Task An_RTMP_player_is_sent_to_the_owner_and_plays_there()
    {
        await using var origin = await MappedNodes.StartAsync("origin");
        await using var edge = await MappedNodes.StartAsync("edge");
        var source = await LiveSource.StartAsync(origin);

        var player = edge.Play(name: "x?token=1");
        await Wait.Until(() => player.HasEnded, "a verdict");

        player.Statuses.ShouldBe(["NetConnection.Connect.Rejected"]);
        player.Redirect.ShouldBe($"rtmp://127.0.0.1:{origin.Node.RtmpPort}/live/x?token=1&redirected=1");
        player.MediaCount.ShouldBe(0);
        await Wait.Until(() => edge.Log.Containing("default/live/x is at node origin: sent there").Count == 1, "the closing line");
        var there = origin.Play(name: "x?token=1&redirected=1");
        await source.Until(() => there.MediaCount > 5, "media at the owner");
    }

    [Fact]
    public async Task Whether_a_viewer_may_play_is_decided_before_he_is_told_where()
    {
        await using var origin = await MappedNodes.StartAsync("origin");
        await using var edge = await MappedNodes.StartAsync("edge", settings: static node => node with
        {
            Vhosts = [new VhostSettings { Name = VhostSettings.DefaultName, Access = new AccessSettings { Play = AccessMode.Token, PlayTokens = [new Secret("view")] } }],
        });
        await LiveSource.StartAsync(origin);

        foreach (var name in (string[])["x", "x?token=wrong"])
        {
            var bad = edge.Play(name: name);
            await Wait.Until(() => bad.HasEnded, "a verdict");
            (bad.Statuses.ShouldHaveSingleItem(), bad.Redirect).ShouldBe(("NetStream.Play.Failed", null));
        }

        var good = edge.Play(name: "x?token=view");
        await Wait.Until(() => good.HasEnded, "a verdict");
        good.Redirect.ShouldBe($"rtmp://127.0.0.1:{origin.Node.RtmpPort}/live/x?token=view&redirected=1");
    }

    [Fact]
    public async Task What_the_map_says_too_late_is_no_answer_to_the_next_request_of_the_connection()
    {
        using var redis = await RedisServer.StartAsync();
        await using var edge = await MappedNodes.StartAsync(
            "edge", redis, static cluster => cluster with { LookupTimeout = TimeSpan.FromSeconds(2), Heartbeat = TimeSpan.FromSeconds(60), Expiry = TimeSpan.FromMinutes(5) },
            static node => node with { Edge = node.Edge with { StartTimeout = TimeSpan.FromSeconds(1.5) } });
        await Wait.Until(() => edge.Node.Context.OriginMap!.State.IsConnected, "the map");
        redis.Freeze();
        var client = edge.OpenHttp();
        client.Send(RawHttp.Get("/live/x.flv"));
        var first = client.ReadHead();
        first.Status.ShouldBe(503);
        client.ReadBody(first);

        // Half a second later the look-up for the first is given up, and for this one as much later than it is answered.
        client.Send(RawHttp.Get("/live/y/llhls.m3u8"));
        var second = client.ReadHead();
        second.Status.ShouldBe(503);
        client.ReadBody(second);
        redis.Thaw();
        await Wait.Until(() => edge.Node.Context.OriginMap!.State.IsConnected, "the map");
        client.Send(RawHttp.Get("/live/z/llhls.m3u8"));
        client.ReadHead().Status.ShouldBe(404);
        edge.Node.Context.HlsAudience.Waiting.ShouldBe(0);
        edge.Node.Shards.Sum(static shard => shard.Faults).ShouldBe(0);
    }

    [Fact]
    public async Task Who_has_been_sent_here_already_is_served_here()
    {
        await using var origin = await MappedNodes.StartAsync("origin");
        await using var edge = await MappedNodes.StartAsync("edge");
        var source = await LiveSource.StartAsync(origin);

        var marked = edge.Play(name: "x?redirected=1");
        await source.Until(() => marked.MediaCount > 5, "media, fetched");

        // What is fetched already is served to all.
        var other = edge.Play();
        await source.Until(() => other.MediaCount > 5, "media for one who was not sent here");
        edge.Node.Context.Upstreams.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Two_entries_that_name_each_other_send_nobody_to_and_fro()
    {
        using var redis = await RedisServer.StartAsync();
        await using var first = await MappedNodes.StartAsync("first", redis, static cluster => cluster with { Redis = cluster.Redis with { Prefix = "a:" } });
        await using var second = await MappedNodes.StartAsync("second", redis, static cluster => cluster with { Redis = cluster.Redis with { Prefix = "b:" } });
        await Wait.Until(async () => await redis.GetAsync("a:node/first") is not null && await redis.GetAsync("b:node/second") is not null, "both are listed");
        await redis.ExecuteAsync("SET", "a:node/second", (await redis.GetAsync("b:node/second"))!);
        await redis.ExecuteAsync("SET", "b:node/first", (await redis.GetAsync("a:node/first"))!);
        await redis.ExecuteAsync("ZADD", "a:nodes", "9e15", "second");
        await redis.ExecuteAsync("ZADD", "b:nodes", "9e15", "first");
        await redis.ExecuteAsync("SET", "a:default/live/ghost", $"{RelayNodes.OriginOf(second)}/default/live/ghost");
        await redis.ExecuteAsync("SET", "b:default/live/ghost", $"{RelayNodes.OriginOf(first)}/default/live/ghost");

        using var http = new HttpClient(new HttpClientHandler { MaxAutomaticRedirections = 10 });
        using var answer = await http.GetAsync($"http://127.0.0.1:{first.Node.HttpPort}/live/ghost.flv", TestContext.Current.CancellationToken);

        answer.RequestMessage!.RequestUri!.ShouldBe(new Uri($"http://127.0.0.1:{second.Node.HttpPort}/live/ghost.flv?redirected=1"));
        answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_node_that_nobody_is_to_be_sent_to_is_fetched_from()
    {
        await using var origin = await MappedNodes.StartAsync("origin", change: static cluster => cluster with { Public = new PublicSettings { Rtmp = PublicSettings.None, Http = "http://media.example:8080" } });
        await using var edge = await MappedNodes.StartAsync("edge");
        var source = await LiveSource.StartAsync(origin);

        var http = edge.OpenHttp();
        http.Send(RawHttp.Get("/live/x.flv"));
        http.ReadHead().Field("location").ShouldBe("http://media.example:8080/live/x.flv?redirected=1");
        var player = edge.Play();
        await source.Until(() => player.MediaCount > 5, "media, fetched");
    }

    [Fact]
    public async Task Without_the_setting_everybody_is_served_here()
    {
        await using var origin = await MappedNodes.StartAsync("origin");
        await using var edge = await MappedNodes.StartAsync("edge", change: static cluster => cluster with { Elsewhere = StreamElsewhere.Proxy });
        var source = await LiveSource.StartAsync(origin);

        var player = edge.Play();
        await source.Until(() => player.MediaCount > 5, "media, fetched");
        edge.Node.Context.Upstreams.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Another_node_is_served_and_not_sent_on()
    {
        await using var origin = await MappedNodes.StartAsync("origin");
        await using var middle = await MappedNodes.StartAsync("middle");
        await using var below = await RelayNodes.StartAsync("below", middle);
        var source = await LiveSource.StartAsync(origin);

        var player = below.Play();
        await source.Until(() => player.MediaCount > 5, "media by way of the node in the middle");
        middle.Node.Context.Upstreams.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_WebSocket_is_served_here_for_browsers_follow_no_redirect_of_it()
    {
        await using var origin = await MappedNodes.StartAsync("origin");
        await using var edge = await MappedNodes.StartAsync("edge");
        var source = await LiveSource.StartAsync(origin);

        using var socket = new System.Net.WebSockets.ClientWebSocket();
        var connecting = socket.ConnectAsync(new Uri($"ws://127.0.0.1:{edge.Node.HttpPort}/live/x.flv"), TestContext.Current.CancellationToken);
        await source.Until(() => connecting.IsCompleted, "the handshake");
        await connecting;
    }

    [Fact]
    public async Task A_publisher_of_a_name_that_another_node_has_is_sent_there_and_others_are_taken()
    {
        await using var owner = await MappedNodes.StartAsync("owner");
        await using var other = await MappedNodes.StartAsync("other");
        await LiveSource.StartAsync(owner);

        var second = await other.PublishAsync();
        second.IsReady.ShouldBeFalse();
        second.Redirect.ShouldBe($"rtmp://127.0.0.1:{owner.Node.RtmpPort}/live/x?redirected=1");
        (await other.PublishAsync(name: "y")).IsReady.ShouldBeTrue();
        // Sent here by another node, he has nowhere else to go.
        (await other.PublishAsync(name: "x?redirected=1")).IsReady.ShouldBeTrue();
    }

    [Fact]
    public async Task A_publisher_who_comes_back_to_his_node_is_taken_whoever_else_has_the_name()
    {
        using var redis = await RedisServer.StartAsync();
        await using var first = await MappedNodes.StartAsync("first", redis);
        await using var second = await MappedNodes.StartAsync("second", redis);
        await UntilBothAreListed(second);
        var publisher = await first.PublishAsync();
        publisher.SendClip();
        await Wait.Until(async () => await redis.GetAsync("default/live/x") is not null, "the entry");

        (await second.PublishAsync()).Redirect.ShouldNotBeNull();
        publisher.Dispose();
        await Wait.Until(() => first.Node.Context.Registry.Find(new StreamName("default", "live", "x")) is { State: StreamState.Grace }, "he has gone");
        (await first.PublishAsync()).IsReady.ShouldBeTrue();
    }

    [Fact]
    public async Task Without_Redis_the_last_known_owner_is_named()
    {
        using var redis = await RedisServer.StartAsync();
        await using var origin = await MappedNodes.StartAsync("origin", redis);
        await using var edge = await MappedNodes.StartAsync("edge", redis);
        await UntilBothAreListed(edge);
        await LiveSource.StartAsync(origin);
        await Wait.Until(async () => await redis.GetAsync("default/live/x") is not null, "the entry");
        (await LocationAsync(edge)).ShouldNotBeNull();

        redis.Kill();
        await Wait.Until(() => !edge.Node.Context.OriginMap!.State.IsConnected, "the loss");
        string? location = null;
        await Wait.Until(async () =>
        {
            location = await LocationAsync(edge);
            return edge.Node.Context.OriginMap!.State.Stale > 0;
        }, "what was answered before holds no more");
        location.ShouldBe($"http://127.0.0.1:{origin.Node.HttpPort}/live/x.flv?redirected=1");
    }

    [Fact]
    public async Task A_Redis_that_hangs_delays_only_who_asks_for_what_is_not_here()
    {
        using var redis = await RedisServer.StartAsync();
        await using var edge = await MappedNodes.StartAsync("edge", redis, static cluster => cluster with { LookupTimeout = TimeSpan.FromSeconds(8), Heartbeat = TimeSpan.FromSeconds(60), Expiry = TimeSpan.FromMinutes(5) });
        await Wait.Until(() => edge.Node.Context.OriginMap!.State.IsConnected, "the map");
        redis.Freeze();
        // One of each for both shards, so that any of them would be held up.
        RawHttp[] waiting = [.. Enumerable.Range(0, 8).Select(_ => edge.OpenHttp())];
        foreach (var (client, number) in waiting.Select(static (client, number) => (client, number)))
            client.Send(RawHttp.Get(number % 2 == 0 ? $"/live/w{number}.flv" : $"/live/w{number}/llhls.m3u8"));
        var player = edge.Play(name: "w");
        await Wait.Until(() => edge.Node.Context.OriginMap!.State.Lookups >= 9, "they all wait for the map");

        // Who publishes waits as well, for his name may be another node's; one who was sent here does not.
        var source = await edge.PublishAsync(name: "own?redirected=1");
        source.IsReady.ShouldBeTrue();
        source.SendClip();
        var viewer = edge.Play(name: "own");
        await Wait.Until(() => viewer.MediaCount > 5, "media while the map hangs");

        player.HasEnded.ShouldBeFalse();
        waiting.ShouldAllBe(static client => client.Socket.Available == 0);
        redis.Thaw();
        waiting[0].ReadHead().Status.ShouldBe(404);
    }

    private static Task UntilBothAreListed(TestNode node) =>
        Wait.Until(async () => (await node.Node.Context.OriginMap!.NodesAsync(TestContext.Current.CancellationToken)).Count == 2, "both nodes are listed");

    private static async Task<string?> LocationAsync(TestNode node)
    {
        using var http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });
        using var answer = await http.GetAsync($"http://127.0.0.1:{node.Node.HttpPort}/live/x.flv", HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        return answer.Headers.Location?.OriginalString;
    }
}
