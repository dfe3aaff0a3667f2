using System.Security.Cryptography;
using System.Text;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;

namespace Millrace.Node.Tests.Hls;

/// <summary>The shard's writer and the endpoint on Kestrel answer the same request in the same way.</summary>
public sealed class TwoWritersTests
{
    private static readonly string[] Targets =
    [
        "/live/x/llhls.m3u8", "/live/x/llhls.m3u8?_HLS_legacy=YES", "VIDEO", "VIDEO?_HLS_skip=YES", "VIDEO?_HLS_skip=v2", "VIDEO?_HLS_legacy=YES",
        "VIDEO?_HLS_msn=1", "VIDEO?_HLS_msn=1&_HLS_part=2&_HLS_skip=YES", "VIDEO?_HLS_msn=99", "VIDEO?_HLS_part=1", "VIDEO?_HLS_msn=-1", "VIDEO?_HLS_skip=maybe", "VIDEO?x=%zz&&=",
        "SEGMENT", "PART", "INIT", "/live/x/seg_0_77_video_KEY_llhls.m4s", "/live/x/part_0_1_99_video_KEY_llhls.m4s", "/live/x/chunklist_0_video_000000000000_llhls.m3u8",
        "/live/x.m3u8", "/live/x/playlist.m3u8", "/live/x/index.m3u8", "TS", "/live/x-KEY-99.ts", "/live/x-0.key", "/live/none/llhls.m3u8", "/live/none.m3u8", "/x/llhls.m3u8",
        "/live/none.flv", "/x.flv", "/live/..%2fx/llhls.m3u8", "/live/%2e%2e/llhls.m3u8", "/live/x%00/llhls.m3u8", "/live/%ff%fe/llhls.m3u8", "//llhls.m3u8", "/.ts",
        "/live/x/llhls.m3u8?vhost=other", "/live/LONG/llhls.m3u8",
    ];

    private static readonly string[] Fields =
    [
        "", "Accept-Encoding: gzip, deflate, br\r\n", "Accept-Encoding: gzip;q=0, *\r\n", "Accept-Encoding: *;q=0.1\r\n", "If-None-Match: *\r\n", "If-None-Match: \"other\"\r\n", "If-None-Match: TAG\r\n",
        "If-None-Match: W/TAG, \"other\"\r\nAccept-Encoding: gzip\r\n", "Range: bytes=0-9\r\n", "Range: bytes=-7\r\n", "Range: bytes=5-4\r\n", "Range: bytes=9999999-\r\n", "Range: bytes=1-2,4-5\r\n",
        "Range: bytes=3-\r\nIf-Range: TAG\r\n", "Range: bytes=3-\r\nIf-Range: \"other\"\r\n", "Range: bytes=3-\r\nIf-None-Match: TAG\r\n", "Range: bytes=0-1\r\nAccept-Encoding: gzip\r\n", "Range: seconds=1-2\r\n",
        "Origin: https://example.org\r\nCookie: a=b\r\n", "Content-Length: 0\r\n",
    ];

    /// <summary>A shard joins no fields: it hands the connection over.</summary>
    private static readonly string[] RepeatedFields =
    [
        "Accept-Encoding: br\r\nAccept-Encoding: gzip\r\n", "If-None-Match: \"a\"\r\nIf-None-Match: TAG\r\n",
    ];

    [Theory]
    [InlineData("GET")]
    [InlineData("HEAD")]
    public async Task An_answer_is_the_same_whoever_writes_it(string method)
    {
        await using var hls = await HlsNode.StartAsync(static settings => settings with { Http = settings.Http with { Cors = new CorsSettings { AllowOrigin = "*" } } });
        var names = await NamesOf(hls);
        var others = OnShards(hls);
        foreach (var fields in Fields.Concat(RepeatedFields))
        {
            await Wait.Until(() => OnShards(hls) == others, "the last two connections have gone");
            // What is unusual goes to Kestrel for good, so each set of fields has a shard's connection of its own.
            using var shard = hls.Node.OpenHttp();
            using var kestrel = hls.Node.OpenKestrel();
            foreach (var target in Targets.Select(target => Fill(target, names)))
            {
                if (target.Contains("%00", StringComparison.Ordinal))
                    continue;
                var request = $"{method} {target} HTTP/1.1\r\nHost: localhost\r\n{Fill(fields, names)}\r\n";
                var byShard = Ask(shard, request, method);
                var byKestrel = Ask(kestrel, request, method);

                byShard.Head.Comparable.ShouldBe(byKestrel.Head.Comparable, request);
                byShard.Body.ShouldBe(byKestrel.Body, request);
                if (byShard.Head.Status is 200 or 304)
                    names["TAG"] = byShard.Head.Field("etag") is { Length: > 0 } tag ? tag : names["TAG"];
            }

            OnShards(hls).ShouldBe(RepeatedFields.Contains(fields) ? others : others + 1, $"who answered: {fields}");
        }
    }

    public static TheoryData<string> Sequences =>
    [
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\n\r\nGET /live/none.flv HTTP/1.1\r\nHost: localhost\r\n\r\nGET SEGMENT HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET VIDEO HTTP/1.0\r\n\r\n",
        "GET VIDEO HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0, 0\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\nContent-Length: +0\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost : localhost\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\nX: a\r\n Content-Length: 40\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\nHost: other\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: local host\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: a/b\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost:\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost:8080\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost:\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost:abc\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost:99999\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: a:1:2\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: :80\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: [x\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: [::1]\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: [::]\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: [:]\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: []\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: [::1]80\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: [::1]:\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: [::1%1]\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: ~\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\n\r\n",
        "GET VIDEO HTTP/1.1\nHost: localhost\n\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\nX: \u00e4\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-1\u00e4\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        "GET  VIDEO HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET VIDEO  HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET VIDEO HTTP/1.1 \r\nHost: localhost\r\n\r\n",
        "GET VIDEO HTTP/1.2\r\nHost: localhost\r\n\r\n",
        "get VIDEO HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GETT VIDEO HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "OPTIONS VIDEO HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "POST VIDEO HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc",
        "DELETE SEGMENT HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET http://localhostVIDEO HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /live/x%00/llhls.m3u8 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "\r\nGET VIDEO HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET VIDEO HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET VIDEO HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "GET VIDEO HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\nX(y): 1\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\nX@y: 1\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\n\"X\": 1\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\nX\vy: 1\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\nX\ty: 1\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\nX\u00e4: 1\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\nX\u007f: 1\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\n: 1\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\nX\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\nX: a\vb\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\nX: a\u007fb\r\n\r\n",
        "G(T VIDEO HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\nConnection: close, keep-alive\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, close\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n",
        "GET VIDEO HTTP/1.0\r\nConnection: close, keep-alive\r\n\r\n",
        "GET VIDEO HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
        "GET VIDEO HTTP/1.0\r\nConnection: keep-alive, x\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\nConnection: xclose\r\n\r\n",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\n\r\nGET VIDEO HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello",
        "GET VIDEO HTTP/1.1\r\nHost: localhost\r\n\r\nGET SEGMENT HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "GET VIDEO?LONG HTTP/1.1\r\nHost: localhost\r\n\r\n",
        $"GET VIDEO?{new string('x', 12_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n",
        $"GET /live/{new string('y', 12_000)}/llhls.m3u8 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ];

    /// <summary>
    /// Malformed requests, and such as two readers could see two borders in (request smuggling): a good request follows, and
    /// both have to find it, or none.
    /// </summary>
    [Theory]
    [MemberData(nameof(Sequences))]
    public async Task Both_see_the_same_requests_in_the_same_bytes(string sequence)
    {
        await using var hls = await HlsNode.StartAsync();
        var names = await NamesOf(hls);
        var bytes = Encoding.Latin1.GetBytes(Fill(sequence, names) + "GET /live/last.flv HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        foreach (var isWhole in (bool[])[true, false])
        {
            using var shard = hls.Node.OpenHttp();
            using var kestrel = hls.Node.OpenKestrel();
            foreach (var client in (RawHttp[])[shard, kestrel])
                Send(client, bytes, isWhole);

            Answers(shard).ShouldBe(Answers(kestrel), $"{sequence}, {(isWhole ? "whole" : "byte by byte")}");
        }
    }

    [Fact]
    public async Task A_HEAD_that_waits_is_answered_by_both_without_a_body()
    {
        await using var hls = await HlsNode.StartAsync();
        var (_, segment, parts) = await hls.Newest();
        using var shard = hls.Node.OpenHttp();
        using var kestrel = hls.Node.OpenKestrel();
        foreach (var client in (RawHttp[])[shard, kestrel])
            client.Send($"HEAD {hls.Video}?_HLS_msn={segment}&_HLS_part={parts} HTTP/1.1\r\nHost: localhost\r\n\r\n" + RawHttp.Get("/live/last.flv", "Connection: close\r\n"));
        await hls.UntilWaiting(2);

        hls.Send(6);

        foreach (var client in (RawHttp[])[shard, kestrel])
        {
            var head = client.ReadHead();
            head.Status.ShouldBe(200);
            head.Field("content-type").ShouldBe(HlsNode.PlaylistType);
            int.Parse(head.Field("content-length")).ShouldBeGreaterThan(0);
            var next = client.ReadHead();
            next.Status.ShouldBe(404);
            client.ReadBody(next).ShouldContain("not live");
            client.ReadToEnd().ShouldBeEmpty();
        }
    }

    /// <summary>The limit of a head's bytes is a whole one's here, and that of its line and that of its fields on Kestrel.</summary>
    [Theory]
    [InlineData(-1, false)]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(100, true)]
    public async Task A_head_is_refused_from_the_limits_next_byte_on(int beyond, bool isRefused)
    {
        const int Limit = 2_048;
        await using var hls = await HlsNode.StartAsync(static settings => settings with { Limits = new LimitSettings { RequestHeadBytes = Limit } });
        foreach (var isLongTarget in (bool[])[true, false])
        {
            var head = isLongTarget ? $"GET {hls.Video}?LONG HTTP/1.1\r\nHost: localhost\r\n\r\n" : $"GET {hls.Video} HTTP/1.1\r\nHost: localhost\r\nX: LONG\r\n\r\n";
            head = head.Replace("LONG", new string('x', Limit + beyond + 4 - head.Length), StringComparison.Ordinal);
            var bytes = Encoding.ASCII.GetBytes(head + RawHttp.Get("/live/last.flv", "Connection: close\r\n"));
            foreach (var isWhole in (bool[])[true, false])
            {
                using var shard = hls.Node.OpenHttp();
                Send(shard, bytes, isWhole);

                var answer = shard.ReadHead();
                answer.Status.ShouldBe(isRefused ? 431 : 200);
                shard.ReadBody(answer);
                if (!isRefused)
                    shard.ReadHead().Status.ShouldBe(404);
                else
                    shard.ReadToEnd().ShouldBeEmpty();
            }
        }
    }

    private static int OnShards(HlsNode hls) => hls.Node.Node.Shards.Sum(static shard => shard.ConnectionCount);

    private static void Send(RawHttp client, byte[] bytes, bool isWhole)
    {
        try
        {
            if (isWhole)
                client.Send(bytes);
            for (var i = 0; i < bytes.Length && !isWhole; i++)
                client.Send(bytes.AsSpan(i, 1));
        }
        catch (System.Net.Sockets.SocketException)
        {
            // Refused and closed before the last byte.
        }
    }

    private static (RawAnswer Head, byte[] Body) Ask(RawHttp client, string request, string method)
    {
        client.Send(request);
        var head = client.ReadHead();
        var hasBody = method != "HEAD" && head.Status is not 304;
        return (head, hasBody ? client.ReadBytes(int.Parse(head.Field("content-length"))) : []);
    }

    /// <summary>Heads and bodies, as one text. What is no request is refused in each one's own words.</summary>
    private static string Answers(RawHttp client)
    {
        var text = new StringBuilder();
        while (client.HasMore())
        {
            var head = client.ReadHead();
            var length = head.Field("content-length") is { Length: > 0 } field ? int.Parse(field) : 0;
            var body = client.ReadBytes(length);
            text.AppendLine(head is { Status: 400 } && head.Field("connection") == "close" ? "400 and the end" : $"{head.Comparable}\n{Convert.ToHexString(SHA256.HashData(body))}");
        }

        return text.ToString();
    }

    private static async Task<Dictionary<string, string>> NamesOf(HlsNode hls)
    {
        var (playlist, segment, _) = await hls.Newest();
        var ts = await hls.Text("/live/x.m3u8");
        return new Dictionary<string, string>
        {
            ["VIDEO"] = hls.Video,
            ["SEGMENT"] = $"/live/x/{HlsNode.Uris(playlist).First()}",
            ["PART"] = $"/live/x/part_0_{segment - 1}_0_video_{hls.Key}_llhls.m4s",
            ["INIT"] = $"/live/x/init_0_0_0_video_{hls.Key}_llhls.m4s",
            ["TS"] = $"/live/{HlsNode.Uris(ts).First()}",
            ["KEY"] = hls.Key,
            ["LONG"] = new string('a', 600),
            ["TAG"] = "\"none\"",
        };
    }

    private static string Fill(string template, Dictionary<string, string> names) =>
        names.Aggregate(template, static (text, name) => text.Replace(name.Key, name.Value, StringComparison.Ordinal));
}
