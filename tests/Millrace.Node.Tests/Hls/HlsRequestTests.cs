using System.Net;
using System.Net.Sockets;
using System.Text;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;

namespace Millrace.Node.Tests.Hls;

/// <summary>Conditions, ranges, methods, and names that nobody should ask for.</summary>
public sealed class HlsRequestTests
{
    private static readonly string[] Nonsense =
    [
        "/live/../x/llhls.m3u8",
        "/live/%2e%2e/llhls.m3u8",
        "/live/..%2fx/llhls.m3u8",
        "/live/x%00/llhls.m3u8",
        "/live/%ff%fe/llhls.m3u8",
        "/llhls.m3u8",
        "//llhls.m3u8",
        "/live//llhls.m3u8",
        "/live/x/chunklist_0_video_000000000000_llhls.m3u8",
        "/live/x/chunklist_00_video_KEY_llhls.m3u8",
        "/live/x/chunklist_7_video_KEY_llhls.m3u8",
        "/live/x/chunklist_0_data_KEY_llhls.m3u8",
        "/live/x/chunklist_0_video_KEY_llhls.m3u8/",
        "/live/x/chunklist_-1_video_KEY_llhls.m3u8",
        "/live/x/seg_0_00_video_KEY_llhls.m4s",
        "/live/x/seg_0_99999999999999999999_video_KEY_llhls.m4s",
        "/live/x/seg_0_9223372036854775807_video_KEY_llhls.m4s",
        "/live/x/part_0_1_2147483647_video_KEY_llhls.m4s",
        "/live/x/part_0_1_2147483648_video_KEY_llhls.m4s",
        "/live/x/init_0_9223372036854775807_0_video_KEY_llhls.m4s",
        "/live/x/init_0_0_99_video_KEY_llhls.m4s",
        "/live/x/_____llhls.m4s",
        "/live/x/.ts",
        "/live/x-KEY-99.ts",
        "/live/x-KEY-.ts",
        "/live/x-0.ts",
        "/live/x/index.m3u8",
        "/live/-.key",
        "/live/x-KEY-0.key",
        "/.m3u8",
    ];

    [Fact]
    public async Task What_the_client_has_already_is_not_sent_again()
    {
        await using var hls = await HlsNode.StartAsync();
        var (text, _, _) = await hls.Newest();
        foreach (var path in (string[])[hls.Video, $"/live/x/{HlsNode.Uris(text).First()}", $"/live/x/init_0_0_0_video_{hls.Key}_llhls.m4s"])
        {
            using var first = await hls.Get(path);
            var tag = first.Headers.ETag!.Tag;
            foreach (var (condition, status) in new[] { (tag, 304), ("W/" + tag, 304), ("\"a\", " + tag, 304), ("*", 304), ("\"other\"", 200), ("garbage,,", 200) })
            {
                using var answer = await hls.Get(path, ("If-None-Match", condition));
                ((int)answer.StatusCode).ShouldBe(status, $"{path} {condition}");
                answer.Headers.ETag!.Tag.ShouldBe(tag);
            }
        }

        using var zipped = await hls.Get(hls.Video, ("Accept-Encoding", "gzip"));
        using var plain = await hls.Get(hls.Video);
        zipped.Headers.ETag.ShouldNotBe(plain.Headers.ETag);
    }

    [Fact]
    public async Task A_range_of_a_segment_is_what_the_whole_has_there()
    {
        await using var hls = await HlsNode.StartAsync();
        var path = $"/live/x/{HlsNode.Uris((await hls.Newest()).Text).First()}";
        var whole = await hls.Bytes(path);
        foreach (var (range, from, count) in new[]
        {
            ("bytes=0-0", 0, 1), ("bytes=0-", 0, whole.Length), ("bytes=10-19", 10, 10), ($"bytes={whole.Length - 1}-", whole.Length - 1, 1), ("bytes=-5", whole.Length - 5, 5),
            ("bytes=-99999999", 0, whole.Length), ("bytes=100-99999999999", 100, whole.Length - 100), ("BYTES=1-2", 1, 2),
        })
        {
            using var answer = await hls.Get(path, ("Range", range));
            answer.StatusCode.ShouldBe(HttpStatusCode.PartialContent, range);
            answer.Content.Headers.ContentRange!.ToString().ShouldBe($"bytes {from}-{from + count - 1}/{whole.Length}");
            (await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).ShouldBe(whole[from..(from + count)], range);
        }

        foreach (var range in (string[])[$"bytes={whole.Length}-", "bytes=99999999999-", "bytes=-0"])
        {
            using var answer = await hls.Get(path, ("Range", range));
            answer.StatusCode.ShouldBe(HttpStatusCode.RequestedRangeNotSatisfiable, range);
            answer.Content.Headers.ContentRange!.ToString().ShouldBe($"bytes */{whole.Length}");
        }

        foreach (var range in (string[])["bytes=5-4", "bytes=1-2,4-5", "bytes=a-b", "bytes=--1", "bytes=", "lines=1-2", "bytes=1", "bytes=99999999999999999999-"])
            (await hls.Get(path, ("Range", range))).StatusCode.ShouldBe(HttpStatusCode.OK, range);
        using var other = await hls.Get(path, ("Range", "bytes=0-1"), ("If-Range", "\"other\""));
        other.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Other_methods_are_refused()
    {
        await using var hls = await HlsNode.StartAsync();
        foreach (var method in (string[])["POST", "PUT", "DELETE"])
        {
            using var answer = await hls.Ask(new HttpMethod(method), hls.Video);
            answer.StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
            answer.Content.Headers.Allow.ShouldBe(["GET", "HEAD", "OPTIONS"]);
        }
    }

    [Fact]
    public async Task OPTIONS_answers_a_browser_that_asks_first()
    {
        await using var hls = await HlsNode.StartAsync(settings => settings with { Http = settings.Http with { Cors = new CorsSettings { AllowOrigin = "*" } } });
        using var answer = await hls.Ask(HttpMethod.Options, hls.Video, ("Origin", "https://example.org"), ("Access-Control-Request-Headers", "range"));
        answer.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        answer.Headers.GetValues("Access-Control-Allow-Headers").Single().ShouldContain("Range");
        (await hls.Get(hls.Video)).Headers.GetValues("Access-Control-Allow-Origin").ShouldBe(["*"]);
    }

    [Fact]
    public async Task Names_that_nobody_should_ask_for_are_not_found()
    {
        await using var hls = await HlsNode.StartAsync();
        foreach (var path in Nonsense)
        {
            using var client = hls.Node.OpenHttp();
            client.Send(RawHttp.Get(path.Replace("KEY", hls.Key, StringComparison.Ordinal)));
            client.ReadHead().Status.ShouldBeOneOf(400, 404);
        }

        (await hls.Newest()).Segment.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task Long_names_are_refused()
    {
        await using var hls = await HlsNode.StartAsync();
        foreach (var length in (int[])[3_000, 8_000])
        {
            using var client = hls.Node.OpenHttp();
            client.Send(RawHttp.Get($"/live/{new string('a', length)}/llhls.m3u8"));
            client.ReadHead().Status.ShouldBeOneOf(400, 404);
        }

        (await hls.Newest()).Segment.ShouldBeGreaterThan(0);
    }

    [Theory]
    [InlineData(17_000, 40_000)]
    [InlineData(17_000, 1_000)]
    [InlineData(40_000, 40_000)]
    [InlineData(40_000, 1_000)]
    public async Task A_head_that_is_too_long_is_called_so_whether_it_comes_in_one_piece_or_in_many(int length, int piece)
    {
        await using var hls = await HlsNode.StartAsync();
        length.ShouldBeGreaterThan((int)hls.Node.Node.Context.Settings.Limits.RequestHeadBytes);
        var bytes = Encoding.ASCII.GetBytes(RawHttp.Get($"/live/{new string('a', length)}/llhls.m3u8"));
        using var client = hls.Node.OpenHttp();
        try
        {
            for (var sent = 0; sent < bytes.Length; sent += piece)
                client.Send(bytes.AsSpan(sent, Math.Min(piece, bytes.Length - sent)));
        }
        catch (SocketException)
        {
            // Refused and closed before the last byte.
        }

        client.ReadHead().Status.ShouldBeOneOf(414, 431);
        (await hls.Newest()).Segment.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task The_first_request_of_a_young_stream_waits_until_there_is_something_to_play()
    {
        await using var hls = await HlsNode.StartAsync(frames: 5, asks: false);
        var master = hls.Get("/live/x/llhls.m3u8");
        await Wait.Until(() => hls.Live?.HlsFormats.Any() == true || master.IsCompleted, "the packager has started");
        hls.Send(20);
        using var answer = await master;
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldContain("#EXT-X-STREAM-INF:");
    }

    [Fact]
    public async Task Clients_that_leave_while_they_are_held_disturb_nobody()
    {
        await using var hls = await HlsNode.StartAsync();
        var (_, segment, parts) = await hls.Newest();
        var stays = await hls.Resolved(() => hls.Text($"{hls.Video}?_HLS_msn={segment}&_HLS_part={parts}"));
        var before = hls.Node.Node.Connections.Total;
        var leaving = new List<RawHttp>();
        for (var i = 0; i < 30; i++)
        {
            var client = hls.Node.OpenHttp();
            leaving.Add(client);
            await hls.ResolvedAfter(() => client.Send(RawHttp.Get($"{hls.Video}?_HLS_msn={segment}&_HLS_part={parts}")));
        }

        hls.Node.Node.Connections.Total.ShouldBe(before + leaving.Count);
        leaving.ForEach(client => client.Dispose());
        await Wait.Until(() => hls.Node.Node.Connections.Total == before, "those who left are gone, though nothing new has come");
        hls.Send(10);
        (await stays).ShouldContain($"EXT-X-PART:DURATION=0.200000,URI=\"part_0_{segment}_{parts}_video_");
    }

    [Fact]
    public async Task A_publisher_that_is_killed_and_comes_back_ends_the_wait()
    {
        await using var hls = await HlsNode.StartAsync();
        var (_, segment, _) = await hls.Newest();
        var waiting = await hls.Resolved(() => hls.Text($"{hls.Video}?_HLS_msn={segment}"));
        hls.Publisher.Dispose();
        // What it left is a segment of its own.
        (await waiting).ShouldContain($"\nseg_0_{segment}_video_");
        var next = await hls.Resolved(() => hls.Text($"{hls.Video}?_HLS_msn={segment + 1}"));
        await hls.PublishAsync();
        hls.Send(80);
        (await next).Split("#EXT-X-DISCONTINUITY\n").Length.ShouldBe(2);
    }

    [Theory]
    [InlineData(false, false, "/live/x.m3u8", "/live/")]
    [InlineData(true, false, "/live/x/index.m3u8", "/live/x/")]
    [InlineData(false, true, "/live/x.m3u8", "/live/")]
    [InlineData(true, true, "/live/x/index.m3u8", "/live/x/")]
    public async Task Transport_streams_are_found_by_nested_and_flat_keyed_and_plain_names(bool isNested, bool isPlain, string playlist, string folder)
    {
        var ts = new TsHlsSettings { Nested = isNested, Names = isPlain ? TsNames.Plain : TsNames.Keyed };
        await using var hls = await HlsNode.StartAsync(settings => settings with { Hls = HlsNode.Short with { Ts = ts } });
        var uris = HlsNode.Uris(await hls.Text(playlist)).ToList();
        uris.ShouldNotBeEmpty();
        uris.ShouldAllBe(uri => uri.Contains(hls.Key, StringComparison.Ordinal) != isPlain);
        foreach (var uri in uris)
        {
            using var answer = await hls.Get(folder + uri);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK, uri);
            answer.Content.Headers.ContentType!.MediaType.ShouldBe("video/mp2t");
            answer.Headers.CacheControl!.NoCache.ShouldBe(isPlain);
            (await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken))[0].ShouldBe((byte)0x47);
        }
    }

    [Fact]
    public async Task Every_URI_of_every_playlist_can_be_fetched()
    {
        await using var hls = await HlsNode.StartAsync(frames: 300);
        foreach (var kind in (string[])["video", "audio"])
        {
            var text = await hls.Text($"/live/x/chunklist_0_{kind}_{hls.Key}_llhls.m3u8");
            var quoted = text.Split('\n').Where(line => line.Contains("URI=\"", StringComparison.Ordinal) && !line.StartsWith("#EXT-X-PRELOAD", StringComparison.Ordinal)).Select(line => line.Split("URI=\"")[1].Split('"')[0]);
            foreach (var uri in HlsNode.Uris(text).Concat(quoted))
            {
                using var answer = await hls.Get($"/live/x/{uri}");
                answer.StatusCode.ShouldBe(HttpStatusCode.OK, uri);
                answer.Content.Headers.ContentType!.MediaType.ShouldBe(uri.EndsWith(".m3u8", StringComparison.Ordinal) ? HlsNode.PlaylistType : $"{kind}/mp4");
                answer.Content.Headers.ContentLength.ShouldNotBeNull().ShouldBeGreaterThan(0);
            }
        }
    }
}
