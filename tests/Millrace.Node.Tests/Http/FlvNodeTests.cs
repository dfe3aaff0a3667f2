using System.Net.WebSockets;
using Millrace.Media.Flv;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;

namespace Millrace.Node.Tests.Http;

/// <summary>HTTP-FLV by a shard and by Kestrel: whoever answers, the answer is the same.</summary>
public sealed class FlvNodeTests
{
    private const int ComparedBytes = 60_000;

    [Theory]
    [InlineData("/live/x.flv", "", 200)]
    [InlineData("/live/x.flv?flv=legacy", "", 200)]
    [InlineData("/live/x.flv?wait=5s", "", 200)]
    [InlineData("/live/none.flv", "", 404)]
    [InlineData("/live/none.flv?wait=50ms", "", 404)]
    [InlineData("/x.flv", "", 400)]
    [InlineData("/live/../x.flv", "", 400)]
    [InlineData("/live/a%2Fb.flv", "", 400)]
    [InlineData("/live/x.flv?wait=61s", "", 400)]
    [InlineData("/live/x.flv?wait=soon", "", 400)]
    [InlineData("/live/none.flv", "Connection: close\r\n", 404)]
    [InlineData("/live/x.flv", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 12\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", 400)]
    public async Task A_shard_and_Kestrel_give_the_same_answer(string target, string fields, int status)
    {
        await using var node = await TestNode.StartAsync();
        (await node.PublishAsync()).SendClip(200);
        await UntilLive(node);
        using var shard = node.OpenHttp();
        using var kestrel = node.OpenKestrel();
        foreach (var client in (RawHttp[])[shard, kestrel])
            client.Send(RawHttp.Get(target, fields));

        var byShard = shard.ReadHead();
        var byKestrel = kestrel.ReadHead();

        byShard.Status.ShouldBe(status);
        byKestrel.Comparable.ShouldBe(byShard.Comparable);
        if (status == 200)
            kestrel.ReadMedia(byKestrel, ComparedBytes).ShouldBe(shard.ReadMedia(byShard, ComparedBytes));
        else
            kestrel.ReadBody(byKestrel).ShouldBe(shard.ReadBody(byShard));
    }

    [Theory]
    [InlineData("/live/x.flv", 200)]
    [InlineData("/live/none.flv", 404)]
    [InlineData("/x.flv", 400)]
    public async Task HEAD_has_the_head_of_GET_and_no_body_whoever_answers(string target, int status)
    {
        await using var node = await TestNode.StartAsync();
        (await node.PublishAsync()).SendClip();
        await UntilLive(node);
        using var shard = node.OpenHttp();
        using var kestrel = node.OpenKestrel();
        using var get = node.OpenHttp();
        // Of version 1.0, for a head without a body says nothing of chunks.
        get.Send($"GET {target} HTTP/1.0\r\nHost: localhost\r\n\r\n");
        var answers = new List<string> { get.ReadHead().Comparable };
        foreach (var client in (RawHttp[])[shard, kestrel])
        {
            client.Send($"HEAD {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            answers.Add(client.ReadHead().Comparable);
            client.ReadToEnd().ShouldBeEmpty();
        }

        answers.ShouldAllBe(answer => answer == answers[0]);
        answers[0].ShouldStartWith($"{status}\n");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_waiting_viewer_gets_the_stream_from_its_first_unit(bool isKestrel)
    {
        await using var node = await TestNode.StartAsync();
        using var viewer = isKestrel ? node.OpenKestrel() : node.OpenHttp();
        viewer.Send(RawHttp.Get("/live/x.flv?wait=20s"));
        await Wait.Until(() => node.Log.Containing("http-flv player").Count == 1, "the viewer waits");

        (await node.PublishAsync()).SendClip();

        var answer = viewer.ReadHead();
        answer.Status.ShouldBe(200);
        answer.Field("content-type").ShouldBe("video/x-flv");
        var tags = TestClip.Parse(viewer.ReadMedia(answer, 30_000));
        tags.First(tag => tag.Type == FlvTagType.Video && !tag.IsSequenceHeader).IsVideoKey.ShouldBeTrue();
        tags.First(tag => tag.Type == FlvTagType.Video && !tag.IsSequenceHeader).Time.ShouldBeLessThan(100u);
    }

    [Fact]
    public async Task A_wait_that_ended_leaves_no_session_and_the_connection_goes_on()
    {
        await using var node = await TestNode.StartAsync();
        using var viewer = node.OpenHttp();
        for (var i = 0; i < 3; i++)
        {
            viewer.Send(RawHttp.Get("/live/none.flv?wait=30ms"));
            var answer = viewer.ReadHead();
            answer.Status.ShouldBe(404);
            viewer.ReadBody(answer);
        }

        node.Node.Context.Sessions.Count.ShouldBe(0);
        node.Log.Containing("closed: the stream did not come in time").Count.ShouldBe(3);
    }

    [Theory]
    [InlineData("")]
    [InlineData("https://example.org")]
    public async Task The_CORS_header_is_what_the_setting_says(string origin)
    {
        await using var node = await TestNode.StartAsync(settings => settings with { Http = settings.Http with { Cors = new CorsSettings { AllowOrigin = origin } } });
        foreach (var client in (RawHttp[])[node.OpenHttp(), node.OpenKestrel()])
        {
            client.Send(RawHttp.Get("/live/none.flv"));
            client.ReadHead().Field("access-control-allow-origin").ShouldBe(origin);
        }
    }

    [Fact]
    public async Task Requests_that_come_together_are_answered_in_order()
    {
        await using var node = await TestNode.StartAsync();
        using var client = node.OpenHttp();
        const string Head = "HEAD /live/none.flv HTTP/1.1\r\nHost: a\r\n\r\n";
        client.Send(Head + RawHttp.Get("/live/a.flv") + Head + RawHttp.Get("/live/b.flv") + RawHttp.Get("/~/clock"));

        client.ReadHead().Status.ShouldBe(404);
        client.ReadBody(client.ReadHead()).ShouldBe("live/a is not live\n");
        client.ReadHead().Status.ShouldBe(404);
        client.ReadBody(client.ReadHead()).ShouldBe("live/b is not live\n");
        // The last is not the shard's: the connection goes to Kestrel with the request still in the socket.
        client.ReadHead().Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_head_that_comes_byte_by_byte_is_answered()
    {
        await using var node = await TestNode.StartAsync();
        using var client = node.OpenHttp();
        foreach (var c in RawHttp.Get("/live/none.flv"))
            client.Send([(byte)c]);

        client.ReadHead().Status.ShouldBe(404);
    }

    [Theory]
    [InlineData("", "no request in time")]
    [InlineData("GET /live/x.flv HT", "the request's head did not come in time")]
    public async Task A_head_that_does_not_come_in_time_ends_the_connection(string start, string reason)
    {
        await using var node = await TestNode.StartAsync(settings => settings with { Limits = new LimitSettings { RequestTimeout = TimeSpan.FromMilliseconds(150) } });
        using var client = node.OpenHttp();
        client.Send(start);

        client.ReadToEnd().ShouldBeEmpty();
        await Wait.Until(() => node.Log.Containing($"closed: {reason}").Count == 1, "the closing line");
    }

    [Fact]
    public async Task A_client_that_ends_within_a_head_is_closed_at_once()
    {
        await using var node = await TestNode.StartAsync();
        using var client = node.OpenHttp();
        client.Send("GET /live/x.flv HT");
        client.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);

        client.ReadToEnd().ShouldBeEmpty();
        await Wait.Until(() => node.Log.Containing("within a request's head").Count == 1, "the closing line");
    }

    [Theory]
    [InlineData("POST /live/x.flv HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 405)]
    [InlineData("GET http://a/live/none.flv HTTP/1.1\r\nHost: a\r\n\r\n", 404)]
    [InlineData("GET /live/none.flv HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400)]
    [InlineData("GET /live/none.flv HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400)]
    [InlineData("GET /live/none.flv HTTP/1.1\r\n\r\n", 400)]
    [InlineData("no request\r\n\r\n", 400)]
    public async Task What_is_not_plain_is_answered_by_Kestrel(string request, int status)
    {
        await using var node = await TestNode.StartAsync();
        using var client = node.OpenHttp();
        client.Send(request);

        client.ReadHead().Status.ShouldBe(status);
    }

    [Fact]
    public async Task Clients_that_reset_while_they_are_handed_over_do_not_end_the_listener()
    {
        await using var node = await TestNode.StartAsync();
        for (var i = 0; i < 200; i++)
        {
            using var client = new RawHttp(node.Node.HttpPort);
            client.Send(RawHttp.Get("/~/clock"));
            client.Socket.LingerState = new System.Net.Sockets.LingerOption(true, 0);
        }

        (await node.Page.GetAsync("/~/clock")).IsSuccessStatusCode.ShouldBeTrue();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_WebSocket_gets_the_header_and_then_one_message_for_each_tag(bool isKestrel)
    {
        await using var node = await TestNode.StartAsync();
        (await node.PublishAsync()).SendClip();
        await UntilLive(node);
        using var raw = isKestrel ? node.OpenKestrel() : node.OpenHttp();
        raw.Send(RawHttp.Get("/live/x.flv", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
        var answer = raw.ReadHead();
        answer.Status.ShouldBe(101);
        answer.Field("sec-websocket-accept").ShouldBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");

        ReadFrame(raw).Length.ShouldBe(FlvFileHeader.Length);
        for (var i = 0; i < 30; i++)
        {
            var tag = ReadFrame(raw);
            tag.Length.ShouldBe(FlvTagHeader.Length + ((tag[1] << 16) | (tag[2] << 8) | tag[3]) + FlvTagHeader.TrailerLength);
        }
    }

    [Theory]
    [InlineData("*", "")]
    [InlineData("https://example.org", "true")]
    public async Task A_browser_that_asks_first_may_show_a_bearer_token_and_cookies_where_its_origin_is_named(string allowed, string credentials)
    {
        await using var node = await TestNode.StartAsync(settings => settings with
        {
            Http = settings.Http with { Cors = new CorsSettings { AllowOrigin = allowed } },
            Vhosts = [new VhostSettings { Name = VhostSettings.DefaultName, Access = new AccessSettings { Play = AccessMode.Token, PlayTokens = [new Secret("view")] } }],
        });
        foreach (var path in (string[])["/live/x.flv", "/live/x/llhls.m3u8"])
        {
            using var client = node.OpenHttp();
            client.Send($"OPTIONS {path} HTTP/1.1\r\nHost: a\r\nOrigin: https://example.org\r\nAccess-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: authorization\r\n\r\n");
            var answer = client.ReadHead();
            answer.Status.ShouldBe(204, path);
            answer.Field("access-control-allow-origin").ShouldBe(allowed);
            answer.Field("access-control-allow-headers").ShouldContain("Authorization");
            answer.Field("access-control-allow-credentials").ShouldBe(credentials);
            // So that a shard answers what follows.
            answer.Field("connection").ShouldBe("close");
        }

        node.Node.Context.Access.Counters.Refused.ShouldBe(0);
    }

    [Fact]
    public async Task A_WebSocket_client_plays_and_says_goodbye()
    {
        await using var node = await TestNode.StartAsync();
        (await node.PublishAsync()).SendClip();
        await UntilLive(node);
        using var client = new ClientWebSocket();
        await client.ConnectAsync(new Uri($"ws://127.0.0.1:{node.Node.HttpPort}/live/x.flv"), TestContext.Current.CancellationToken);
        var flv = new List<byte>();
        var buffer = new byte[256 * 1024];
        for (var messages = 0; messages < 20; messages++)
        {
            var received = await client.ReceiveAsync(buffer.AsMemory(), TestContext.Current.CancellationToken);
            received.MessageType.ShouldBe(WebSocketMessageType.Binary);
            flv.AddRange(buffer.AsSpan(0, received.Count));
        }

        TestClip.Parse([.. flv]).ShouldContain(tag => tag.IsVideoKey);
        await client.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", TestContext.Current.CancellationToken);
        await Wait.Until(() => node.Log.Containing("closed: the viewer closed the WebSocket").Count == 1, "the closing line");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_viewer_that_was_too_slow_goes_on_at_a_key_frame(bool isKestrel)
    {
        await using var node = await TestNode.StartAsync(settings => settings with { Streams = new StreamSettings { WireBytes = 300_000, LogBytes = 300_000 }, Publish = new PublishSettings { Grace = TimeSpan.Zero } });
        var publisher = await node.PublishAsync();
        publisher.SendClip();
        await UntilLive(node);
        using var viewer = isKestrel ? node.OpenKestrel() : node.OpenHttp();
        viewer.Send(RawHttp.Get("/live/x.flv"));
        var answer = viewer.ReadHead();
        answer.Status.ShouldBe(200);
        var frames = new SyntheticFrames(publisher);
        // More than all buffers between here and there hold.
        await Task.Run(() => frames.Send(1_500, 20_000), TestContext.Current.CancellationToken);
        await Wait.Until(() => node.Node.Context.Registry.Streams.Single().HeldWireBytes <= 600_000, "blocks that nobody needs are given back");
        publisher.Unpublish();
        publisher.Dispose();

        var tags = TestClip.Parse(viewer.ReadMedia(answer, int.MaxValue));

        tags.Count.ShouldBeLessThan(1_500);
        viewer.Dispose();
        await Wait.Until(() => node.Log.Containing("http-flv player").Count == 2, "the closing line");
        node.Log.Containing("http-flv player")[1].ShouldNotContain(" 0 skips");
    }

    private static byte[] ReadFrame(RawHttp raw)
    {
        var head = raw.ReadBytes(2);
        head[0].ShouldBe((byte)0x82);
        var length = (int)head[1];
        length.ShouldBeLessThan(127);
        if (length == 126)
        {
            var more = raw.ReadBytes(2);
            length = (more[0] << 8) | more[1];
        }

        return raw.ReadBytes(length);
    }

    private static Task UntilLive(TestNode node) =>
        Wait.Until(() => node.Node.Context.Registry.Streams.Any(stream => !stream.IsWaiting && stream.Timeline.Era!.Tracks.Length > 2), "the stream is live");
}
