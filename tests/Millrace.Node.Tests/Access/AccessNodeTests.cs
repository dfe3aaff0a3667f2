using System.Net;
using Millrace.Node.Access;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;
using Millrace.Node.Tests.Hls;
using Millrace.Streams;

namespace Millrace.Node.Tests.Access;

/// <summary>A node that lets only those play and publish who show a token, by every protocol.</summary>
public sealed class AccessNodeTests
{
    private const string Wrong = "geheimer";

    private const string Handshake = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

    [Fact]
    public async Task By_rtmp_who_shows_no_token_or_a_wrong_one_is_refused_and_told_so()
    {
        await using var node = await StartAsync();
        var publisher = await node.PublishAsync(name: "x?token=push");
        publisher.IsReady.ShouldBeTrue();
        publisher.SendClip();

        var good = node.Play(name: "x?token=view");
        var byApp = node.Play(app: "live?key=view");
        await Wait.Until(() => good.MediaCount > 5 && byApp.MediaCount > 5, "media");
        foreach (var name in (string[])["x", $"x?token={Wrong}", "x?token=push"])
        {
            var bad = node.Play(name: name);
            await Wait.Until(() => bad.HasEnded, "refused");
            bad.Statuses.ShouldBe(["NetStream.Play.Failed"]);
            bad.MediaCount.ShouldBe(0);
        }

        foreach (var name in (string[])["y", $"y?token={Wrong}", "y?token=view"])
        {
            var bad = await node.PublishAsync(name: name);
            bad.IsReady.ShouldBeFalse();
            bad.Statuses.ShouldBe(["NetStream.Publish.Denied"]);
        }

        node.Node.Context.Access.Counters.Refused.ShouldBe(6);
        ShouldBeSecret(node);
    }

    [Fact]
    public async Task A_key_that_is_the_stream_name_is_what_its_publisher_shows()
    {
        await using var node = await StartAsync();
        var good = await node.PublishAsync(app: "live/cam", name: "push");
        good.IsReady.ShouldBeTrue();
        good.SendClip();
        await Wait.Until(() => node.Node.Context.Registry.Find(new StreamName("default", "live", "cam")) is { IsWaiting: false }, "the stream");
        var bad = await node.PublishAsync(app: "live/other", name: Wrong);
        bad.Statuses.ShouldBe(["NetStream.Publish.Denied"]);
        ShouldBeSecret(node);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task By_http_flv_a_token_comes_with_the_query_or_as_bearer_and_401_asks_for_one(bool isKestrel)
    {
        await using var node = await StartAsync();
        await using var source = new Publication(await node.PublishAsync(name: "x?token=push"));
        await source.LiveAsync(node);

        foreach (var (target, field, status) in Asked("/live/x.flv"))
        {
            var client = node.OpenHttp();
            client.Send(RawHttp.Get(isKestrel ? "http://localhost" + target : target, field));
            var answer = client.ReadHead();
            answer.Status.ShouldBe(status, $"{target} {field}");
            answer.Field("cache-control").ShouldBe("no-store");
            answer.Field("www-authenticate").ShouldBe(status == 401 ? "Bearer" : "");
            if (status == 200)
                client.ReadMedia(answer, 3).ShouldBe("FLV"u8.ToArray());
        }

        ShouldBeSecret(node);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_WebSocket_is_opened_only_by_a_token(bool isKestrel)
    {
        await using var node = await StartAsync();
        await using var source = new Publication(await node.PublishAsync(name: "x?token=push"));
        await source.LiveAsync(node);

        foreach (var (target, field, status) in Asked("/live/x.flv"))
        {
            var client = node.OpenHttp();
            client.Send(RawHttp.Get(isKestrel ? "http://localhost" + target : target, field + Handshake));
            client.ReadHead().Status.ShouldBe(status == 200 ? 101 : status, $"{target} {field}");
        }

        // FLV of whom was let in: the header is a message of its own, and tags follow.
        using var socket = new System.Net.WebSockets.ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{node.Node.HttpPort}/live/x.flv?token=view"), TestContext.Current.CancellationToken);
        var message = new byte[64];
        (await socket.ReceiveAsync(message, TestContext.Current.CancellationToken)).Count.ShouldBe(13);
        message.AsSpan(0, 3).SequenceEqual("FLV"u8).ShouldBeTrue();
        ShouldBeSecret(node);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task HEAD_says_of_a_token_what_GET_says_and_has_no_body(bool isKestrel)
    {
        await using var node = await StartAsync();
        await using var source = new Publication(await node.PublishAsync(name: "x?token=push"));
        await source.LiveAsync(node);

        foreach (var (target, field, status) in Asked("/live/x.flv").Concat(Asked("/live/x/llhls.m3u8")))
        {
            var client = node.OpenHttp();
            client.Send($"HEAD {(isKestrel ? "http://localhost" + target : target)} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{field}\r\n");
            client.ReadHead().Status.ShouldBe(status, $"{target} {field}");
            client.ReadToEnd().ShouldBeEmpty();
        }

        ShouldBeSecret(node);
    }

    [Fact]
    public async Task Over_HTTP_2_the_same_is_asked_for()
    {
        await using var hls = await ProtectedAsync(isKestrel: true);
        foreach (var path in (string[])["/live/x.flv", "/live/x/llhls.m3u8", "/live/x.m3u8"])
        {
            foreach (var (target, field, status) in Asked(path))
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, target) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
                if (field.Split(": ", 2) is [var name, var value])
                    request.Headers.TryAddWithoutValidation(name, value.TrimEnd());
                using var answer = await hls.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
                ((int)answer.StatusCode).ShouldBe(status, $"{target} {field}");
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task By_hls_the_first_token_brings_a_cookie_for_all_that_the_playlists_name(bool isKestrel)
    {
        await using var hls = await ProtectedAsync(isKestrel);
        foreach (var path in (string[])["/live/x/llhls.m3u8", "/live/x.m3u8", "/live/x/part_0_0_0_video_000000000000_llhls.m4s", "/live/x-000000000000-0.ts", "/live/nothing/llhls.m3u8"])
            (await StatusOf(hls.Http, path)).ShouldBe((401, "no-store"), path);
        (await StatusOf(hls.Http, $"/live/x/llhls.m3u8?token={Wrong}")).ShouldBe((403, "no-store"));

        using var master = await hls.Get("/live/x/llhls.m3u8?token=view");
        master.StatusCode.ShouldBe(HttpStatusCode.OK);
        var cookie = master.Headers.GetValues("Set-Cookie").ShouldHaveSingleItem();
        cookie.ShouldContain("; Path=/live/x; HttpOnly");
        cookie.EndsWith("; Secure; SameSite=None", StringComparison.Ordinal).ShouldBe(isKestrel);
        master.Headers.CacheControl!.Private.ShouldBeTrue();
        master.Headers.CacheControl.Public.ShouldBeFalse();
        var text = await master.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        text.ShouldNotContain("view");

        var shown = ("Cookie", cookie.Split(';')[0]);
        var chunklist = "/live/x/" + HlsNode.Uris(text).First();
        var playlist = await Ask(hls, chunklist, shown);
        playlist.ShouldNotContain("view");
        foreach (var uri in HlsNode.Uris(playlist).Take(2))
            await Ask(hls, "/live/x/" + uri, shown);
        (await StatusOf(hls.Http, chunklist)).ShouldBe((401, "no-store"));
        await Ask(hls, chunklist, ("Authorization", "Bearer view"));
        await Ask(hls, chunklist + "?token=view&_HLS_msn=1");
        ShouldBeSecret(hls.Node);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Other_arguments_neither_replace_the_cookie_of_a_viewer_nor_bring_one_that_opens_nothing(bool isKestrel)
    {
        await using var hls = await ProtectedAsync(isKestrel);
        using var master = await hls.Get("/live/x/llhls.m3u8?token=view");
        var shown = ("Cookie", master.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);
        var chunklist = "/live/x/" + HlsNode.Uris(await master.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).First();

        // The same words each time, by viewers who show different things.
        foreach (var field in ((string, string)[])[shown, ("Authorization", "Bearer second"), shown])
        {
            foreach (var query in (string[])["?_=1", "?redirected=1", "?token=", "?_=1&redirected=1"])
            {
                using var again = await hls.Get(chunklist + query, field);
                again.StatusCode.ShouldBe(HttpStatusCode.OK, query);
                again.Headers.Contains("Set-Cookie").ShouldBeFalse(query);
            }
        }

        using var changed = await hls.Get(chunklist + "?token=second&_=1", shown);
        changed.Headers.GetValues("Set-Cookie").ShouldHaveSingleItem().ShouldContain("=token%3Dsecond;");
    }

    [Fact]
    public async Task A_flat_ts_playlist_has_a_cookie_for_the_folder_of_its_segments()
    {
        await using var hls = await ProtectedAsync(isKestrel: false);
        using var playlist = await hls.Get("/live/x.m3u8?token=view");
        var cookie = playlist.Headers.GetValues("Set-Cookie").ShouldHaveSingleItem();
        cookie.ShouldEndWith("; Path=/live; HttpOnly");
        var uri = HlsNode.Uris(await playlist.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).First();
        await Ask(hls, "/live/" + uri, ("Cookie", cookie.Split(';')[0]));
    }

    [Fact]
    public async Task Whoever_watches_with_whatever_token_gets_the_same_bytes()
    {
        await using var hls = await ProtectedAsync(isKestrel: false);
        using var one = await hls.Get("/live/x.m3u8?token=view");
        using var other = await hls.Get("/live/x.m3u8?token=second");
        other.Headers.ETag.ShouldBe(one.Headers.ETag);
        (await other.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe(await one.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>Names in playlists carry no <c>?vhost=</c>: the stream is found by their key, and it is its rules that hold.</summary>
    [Fact]
    public async Task The_key_of_a_protected_vhosts_stream_opens_nothing_under_another_host()
    {
        await using var hls = await HlsNode.StartAsync(
            static settings => settings with
            {
                Vhosts = [new VhostSettings { Name = VhostSettings.DefaultName }, new VhostSettings { Name = "closed", Access = Settings }],
            },
            asks: false);
        var closed = await hls.Node.PublishAsync(name: "x?vhost=closed&token=push");
        closed.IsReady.ShouldBeTrue();
        foreach (var tag in TestClip.Start.Concat(TestClip.Media))
            closed.SendMedia(tag);
        using var master = await hls.Get("/live/x/llhls.m3u8?vhost=closed&token=view");
        var text = await master.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        var chunklist = "/live/x/" + HlsNode.Uris(text).First();

        using var open = await hls.Get("/live/x/llhls.m3u8");
        open.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await StatusOf(hls.Http, chunklist)).ShouldBe((401, "no-store"));
        await Ask(hls, chunklist, ("Cookie", master.Headers.GetValues("Set-Cookie").Single().Split(';')[0]));
    }

    [Fact]
    public async Task What_a_vhosts_playlist_names_is_opened_by_its_cookie_where_the_hosts_own_vhost_is_protected_too()
    {
        await using var hls = await HlsNode.StartAsync(
            static settings => settings with
            {
                Vhosts =
                [
                    new VhostSettings { Name = VhostSettings.DefaultName, Access = Settings with { Publish = AccessMode.Open, PublishTokens = [] } },
                    new VhostSettings { Name = "other", Access = new AccessSettings { Play = AccessMode.Token, PlayTokens = [new Secret("others")] } },
                ],
            },
            asks: false);
        var other = await hls.Node.PublishAsync(name: "x?vhost=other");
        other.SendClip();
        await Wait.Until(() => hls.Node.Node.Context.Registry.Find(new StreamName("other", "live", "x")) is { IsWaiting: false }, "the stream is live");
        using var master = await hls.Get("/live/x/llhls.m3u8?vhost=other&token=others");
        master.StatusCode.ShouldBe(HttpStatusCode.OK);
        var shown = ("Cookie", master.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);
        var chunklist = "/live/x/" + HlsNode.Uris(await master.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).First();

        foreach (var uri in HlsNode.Uris(await Ask(hls, chunklist, shown)).Take(2))
            await Ask(hls, "/live/x/" + uri, shown);
        (await StatusOf(hls.Http, chunklist)).ShouldBe((401, "no-store"));
        (await StatusOf(hls.Http, chunklist + "?token=view")).ShouldBe((403, "no-store"), "the token of its namesake");
    }

    [Fact]
    public async Task An_unprotected_node_answers_as_ever_whatever_is_shown()
    {
        await using var hls = await HlsNode.StartAsync();
        using var answer = await hls.Get("/live/x/llhls.m3u8?token=any", ("Authorization", "Bearer any"), ("Cookie", "millrace-00000000=token%3Da"));
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Headers.CacheControl!.Public.ShouldBeTrue();
        answer.Headers.Contains("Set-Cookie").ShouldBeFalse();
        hls.Node.Node.Context.Access.IsPlayOpen.ShouldBeTrue();
    }

    private static readonly AccessSettings Settings = new()
    {
        Play = AccessMode.Token,
        PlayTokens = [new Secret("view"), new Secret("second")],
        Publish = AccessMode.Token,
        PublishTokens = [new Secret("push")],
    };

    private static Task<TestNode> StartAsync() => TestNode.StartAsync(Protect);

    /// <summary>Its publisher needs no token: what is tested is who may play.</summary>
    private static Task<HlsNode> ProtectedAsync(bool isKestrel) => HlsNode.StartAsync(
        static settings => settings with { Vhosts = [new VhostSettings { Name = VhostSettings.DefaultName, Access = Settings with { Publish = AccessMode.Open, PublishTokens = [] } }] },
        asks: false, isKestrel: isKestrel);

    private static NodeSettings Protect(NodeSettings settings) =>
        settings with { Vhosts = [new VhostSettings { Name = VhostSettings.DefaultName, Access = Settings }] };

    private static IEnumerable<(string Target, string Field, int Status)> Asked(string target) =>
    [
        (target, "", 401),
        (target + "?token=", "", 401),
        (target, "Authorization: Basic dmlldw==\r\n", 401),
        (target + $"?token={Wrong}", "", 403),
        (target, $"Authorization: Bearer {Wrong}\r\n", 403),
        (target + "?token=view", "", 200),
        (target + "?key=second&x=1", "", 200),
        (target, "Authorization: Bearer view\r\n", 200),
        (target, $"Cookie: a=b; {AccessPapers.CookieNameOf(new StreamName("default", "live", "x"))}=token%3Dview\r\n", 200),
    ];

    private static async Task<(int Status, string Cache)> StatusOf(HttpClient http, string path)
    {
        using var answer = await http.GetAsync(path, TestContext.Current.CancellationToken);
        return ((int)answer.StatusCode, $"{answer.Headers.CacheControl}");
    }

    private static async Task<string> Ask(HlsNode hls, string path, params (string, string)[] fields)
    {
        using var answer = await hls.Get(path, fields);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, path);
        answer.Headers.CacheControl!.Public.ShouldBeFalse();
        return await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }

    private static void ShouldBeSecret(TestNode node)
    {
        foreach (var secret in (string[])["token=", "=view", "=push", "Bearer", Wrong])
            node.Log.Containing(secret).ShouldBeEmpty();
    }
}
