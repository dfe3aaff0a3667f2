using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;

namespace Millrace.Node.Tests.Hls;

/// <summary>The requirements on a low-latency origin by their numbers, as far as they concern HTTP.</summary>
public sealed class HlsHttpRules
{
    private static readonly string[] Wrong =
    [
        "_HLS_part=0",
        "_HLS_msn=",
        "_HLS_msn",
        "_HLS_msn=-1",
        "_HLS_msn=1.5",
        "_HLS_msn=+1",
        "_HLS_msn=0x10",
        "_HLS_msn=99999999999999999999",
        "_HLS_msn=1&_HLS_msn=1",
        "_HLS_msn=1&_HLS_part=99999999999999999999",
        "_HLS_msn=1&_HLS_part=0&_HLS_part=0",
        "_HLS_skip=MAYBE",
        "%5FHLS_msn=a",
        "_HLS_msn=999999",
        "_HLS_msn=9223372036854775807",
        "_HLS_msn=9223372036854775807&_HLS_part=9223372036854775807",
    ];

    [Fact]
    public async Task L15_msn_alone_waits_for_the_whole_segment()
    {
        await using var hls = await HlsNode.StartAsync();
        var (_, segment, _) = await hls.Newest();
        var blocked = hls.Text($"{hls.Video}?_HLS_msn={segment}");
        hls.Send(10);
        blocked.IsCompleted.ShouldBeFalse();
        hls.Send(60);
        (await blocked).ShouldContain($"\nseg_0_{segment}_video_");
    }

    [Fact]
    public async Task L16_msn_and_part_wait_for_the_part_or_the_first_of_the_next_segment()
    {
        await using var hls = await HlsNode.StartAsync();
        var (text, segment, parts) = await hls.Newest();
        text.ShouldNotContain($"part_0_{segment}_{parts}_video_{hls.Key}_llhls.m4s\",INDEPENDENT");
        var part = hls.Text($"{hls.Video}?_HLS_msn={segment}&_HLS_part={parts}");
        var behind = hls.Text($"{hls.Video}?_HLS_msn={segment}&_HLS_part={parts + 12}");
        hls.Send(10);
        (await part).ShouldContain($"EXT-X-PART:DURATION=0.200000,URI=\"part_0_{segment}_{parts}_video_");
        behind.IsCompleted.ShouldBeFalse();
        hls.Send(60);
        (await behind).ShouldContain($"part_0_{segment + 1}_0_video_");
    }

    [Fact]
    public async Task L17_older_ones_are_answered_at_once()
    {
        await using var hls = await HlsNode.StartAsync();
        var newest = (await hls.Newest()).Text;
        foreach (var query in (string[])["_HLS_msn=0", "_HLS_msn=0&_HLS_part=0", "_HLS_msn=0&_HLS_part=99999999", "_HLS_msn=1&_HLS_part=2"])
            (await hls.Text($"{hls.Video}?{query}")).ShouldBe(newest, query);
    }

    [Fact]
    public async Task L18_L19_directives_that_are_wrong_or_too_far_ahead_are_refused()
    {
        await using var hls = await HlsNode.StartAsync();
        foreach (var query in Wrong)
        {
            using var answer = await hls.Get($"{hls.Video}?{query}");
            answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest, query);
            answer.Headers.CacheControl!.MaxAge!.Value.TotalSeconds.ShouldBeLessThanOrEqualTo(2);
        }
    }

    [Fact]
    public async Task L19_the_limits_are_two_segments_and_three_seconds_of_parts()
    {
        await using var hls = await HlsNode.StartAsync();
        var (_, segment, parts) = await hls.Newest();
        // PART-TARGET is a little more than 200 ms.
        foreach (var (query, isTooFar) in new[]
        {
            ($"_HLS_msn={segment + 1}", false), ($"_HLS_msn={segment + 2}", true),
            ($"_HLS_msn={segment}&_HLS_part={parts + 10}", false), ($"_HLS_msn={segment}&_HLS_part={parts + 20}", true),
        })
        {
            var answer = hls.Get($"{hls.Video}?{query}");
            if (isTooFar)
                (await answer).StatusCode.ShouldBe(HttpStatusCode.BadRequest, query);
            else
                answer.IsCompleted.ShouldBeFalse(query);
        }

        hls.Send(200);
    }

    [Fact]
    public async Task L19_thousands_of_requests_for_the_far_future_cost_nothing()
    {
        await using var hls = await HlsNode.StartAsync();
        using var client = hls.Node.OpenHttp();
        for (var round = 0; round < 20; round++)
        {
            client.Send(string.Concat(Enumerable.Repeat(RawHttp.Get($"{hls.Video}?_HLS_msn=999999"), 100)));
            for (var i = 0; i < 100; i++)
            {
                var answer = client.ReadHead();
                answer.Status.ShouldBe(400);
                client.ReadBody(answer);
            }
        }

        (await hls.Newest()).Segment.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task L20_a_request_is_not_held_longer_than_three_target_durations()
    {
        await using var hls = await HlsNode.StartAsync(settings => settings with { Hls = HlsNode.Short with { Segment = TimeSpan.FromSeconds(1) } });
        var (text, segment, _) = await hls.Newest();
        text.ShouldContain("#EXT-X-TARGETDURATION:1\n");
        using var answer = await hls.Get($"{hls.Video}?_HLS_msn={segment}");
        answer.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        answer.Headers.CacheControl!.NoStore.ShouldBeTrue();
    }

    [Fact]
    public async Task L21_an_ended_playlist_is_answered_at_once_whatever_is_asked_and_those_who_wait_are_answered()
    {
        await using var hls = await HlsNode.StartAsync(settings => settings with { Publish = new PublishSettings { Grace = TimeSpan.FromMilliseconds(200) } });
        var (_, segment, parts) = await hls.Newest();
        var waiting = hls.Text($"{hls.Video}?_HLS_msn={segment + 1}");
        var hinted = hls.Get($"/live/x/part_0_{segment + 1}_0_video_{hls.Key}_llhls.m4s");
        hls.Publisher.Unpublish();
        (await waiting).ShouldEndWith("#EXT-X-ENDLIST\n");
        (await hinted).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        foreach (var query in (string[])["", "?_HLS_msn=999999", $"?_HLS_msn={segment}&_HLS_part={parts}", "?_HLS_skip=YES"])
            (await hls.Text(hls.Video + query)).ShouldEndWith("#EXT-X-ENDLIST\n");
        foreach (var uri in HlsNode.Uris(await hls.Text(hls.Video)))
            (await hls.Bytes($"/live/x/{uri}")).ShouldNotBeEmpty();
    }

    [Fact]
    public async Task L22_L23_a_delta_update_whatever_the_order_of_the_directives()
    {
        await using var hls = await HlsNode.StartAsync();
        await hls.SendAll(frames: 25 * 17);
        var (text, segment, _) = await hls.Newest();
        var bodies = new HashSet<string>();
        foreach (var query in (string[])[$"_HLS_msn={segment - 1}&_HLS_part=0&_HLS_skip=YES", $"_HLS_skip=YES&_HLS_part=0&_HLS_msn={segment - 1}", $"x=1&_HLS_part=0&&_HLS_unknown=7&_HLS_skip=YES&_HLS_msn={segment - 1}"])
            bodies.Add(await hls.Text($"{hls.Video}?{query}"));
        bodies.Count.ShouldBe(1);
        bodies.Single().ShouldContain("#EXT-X-SKIP:SKIPPED-SEGMENTS=");
        bodies.Single().ShouldContain("#EXT-X-VERSION:9\n");
        bodies.Single().Length.ShouldBeLessThan(text.Length);
        (await hls.Text($"{hls.Video}?_HLS_skip=v2")).ShouldContain("#EXT-X-VERSION:10\n");
        (await hls.Text($"{hls.Video}?_HLS_legacy=YES")).ShouldNotContain("EXT-X-PART");
    }

    [Fact]
    public async Task L25_the_hinted_part_is_held_and_comes_whole_and_others_are_not_found()
    {
        await using var hls = await HlsNode.StartAsync();
        var (_, segment, parts) = await hls.Newest();
        string Part(long msn, int part) => $"/live/x/part_0_{msn}_{part}_video_{hls.Key}_llhls.m4s";
        var hinted = hls.Bytes(Part(segment, parts));
        foreach (var other in (string[])[Part(segment, parts + 1), Part(segment + 1, 0), Part(segment + 1, 1), Part(segment - 1, 500), $"/live/x/seg_0_{segment}_video_{hls.Key}_llhls.m4s", $"/live/x/seg_0_{segment + 1}_video_{hls.Key}_llhls.m4s"])
            (await hls.Get(other)).StatusCode.ShouldBe(HttpStatusCode.NotFound, other);
        hinted.IsCompleted.ShouldBeFalse();
        hls.Send(8);
        var bytes = await hinted;
        bytes.AsSpan(4, 4).SequenceEqual("moof"u8).ShouldBeTrue();
        bytes.ShouldBe(await hls.Bytes(Part(segment, parts)));

        hls.Send(60);
        await hls.Text($"{hls.Video}?_HLS_msn={segment}");
        var whole = await hls.Bytes($"/live/x/seg_0_{segment}_video_{hls.Key}_llhls.m4s");
        whole.AsSpan().IndexOf(bytes).ShouldBeGreaterThanOrEqualTo(0);
    }

    [Fact]
    public async Task L27_playlists_come_in_gzip_to_those_who_take_it_and_media_never_do()
    {
        await using var hls = await HlsNode.StartAsync();
        var plain = (await hls.Newest()).Text;
        foreach (var (accepted, isGzip) in new[] { ("gzip", true), ("br, gzip;q=0.5", true), ("*", true), ("gzip;q=0", false), ("gzip;q=0.000, *", false), ("identity", false), ("", false), ("br", false) })
        {
            using var answer = await hls.Get(hls.Video, ("Accept-Encoding", accepted));
            answer.Headers.Vary.ShouldBe(["Accept-Encoding"]);
            var body = await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
            answer.Content.Headers.ContentEncoding.Contains("gzip").ShouldBe(isGzip, accepted);
            if (isGzip)
                body = Unzip(body);
            HlsNode.Utf8(body).ShouldBe(plain);
        }

        using var media = await hls.Get($"/live/x/{HlsNode.Uris(plain).First()}", ("Accept-Encoding", "gzip"));
        media.Content.Headers.ContentEncoding.ShouldBeEmpty();
        media.Headers.Vary.ShouldBeEmpty();
    }

    [Fact]
    public async Task L29_objects_and_blocking_replies_are_kept_long_and_playlists_briefly()
    {
        await using var hls = await HlsNode.StartAsync();
        var (text, segment, _) = await hls.Newest();
        foreach (var (path, least, most) in new[]
        {
            ("/live/x/llhls.m3u8", 0, 1), (hls.Video, 0, 1), ($"{hls.Video}?_HLS_msn={segment - 1}", 12, 3_600), ($"{hls.Video}?_HLS_msn={segment - 1}&_HLS_part=0", 12, 3_600),
            ($"/live/x/{HlsNode.Uris(text).First()}", 12, 3_600), ($"/live/x/init_0_0_0_video_{hls.Key}_llhls.m4s", 12, 3_600), ($"/live/x/part_0_{segment - 1}_0_audio_{hls.Key}_llhls.m4s", 12, 3_600),
            ("/live/x.m3u8", 0, 1), ("/live/none/llhls.m3u8", 0, 2), ($"/live/x/seg_0_99_video_{hls.Key}_llhls.m4s", 0, 2),
        })
        {
            using var answer = await hls.Get(path);
            answer.Headers.CacheControl!.MaxAge!.Value.TotalSeconds.ShouldBeInRange(least, most, path);
        }
    }

    [Fact]
    public async Task L33_HEAD_has_the_head_of_GET_for_everything()
    {
        await using var hls = await HlsNode.StartAsync();
        var (text, segment, _) = await hls.Newest();
        var transport = await hls.Text("/live/x.m3u8");
        foreach (var path in (string[])["/live/x/llhls.m3u8", hls.Video, $"/live/x/{HlsNode.Uris(text).First()}", $"/live/x/init_0_0_0_audio_{hls.Key}_llhls.m4s", $"/live/x/part_0_{segment - 1}_0_video_{hls.Key}_llhls.m4s", "/live/x.m3u8", $"/live/{HlsNode.Uris(transport).First()}", "/live/none.m3u8"])
        {
            using var get = await hls.Get(path);
            using var head = await hls.Ask(HttpMethod.Head, path);
            head.StatusCode.ShouldBe(get.StatusCode, path);
            head.Content.Headers.ContentLength.ShouldBe(get.Content.Headers.ContentLength, path);
            head.Headers.ETag.ShouldBe(get.Headers.ETag);
            head.Content.Headers.ContentType.ShouldBe(get.Content.Headers.ContentType);
            (await head.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).ShouldBeEmpty();
        }
    }

    [Fact]
    public async Task AES_segments_decrypt_with_the_key_that_is_served()
    {
        await using var hls = await HlsNode.StartAsync(settings => settings with { Hls = HlsNode.Short with { Ts = new TsHlsSettings { Encrypt = true } } });
        var playlist = await hls.Text("/live/x.m3u8");
        var keyUri = playlist.Split("URI=\"")[1].Split('"')[0];
        using var answer = await hls.Get($"/live/{keyUri}");
        answer.Headers.CacheControl!.NoStore.ShouldBeTrue();
        using var aes = Aes.Create();
        aes.Key = await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        var sequence = long.Parse(playlist.Split("#EXT-X-MEDIA-SEQUENCE:")[1].Split('\n')[0], System.Globalization.CultureInfo.InvariantCulture);
        foreach (var uri in HlsNode.Uris(playlist))
        {
            var iv = new byte[16];
            System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(iv.AsSpan(8), sequence++);
            var plain = aes.DecryptCbc(await hls.Bytes($"/live/{uri}"), iv);
            (plain.Length % 188, plain[0]).ShouldBe((0, (byte)0x47));
        }

        (await hls.Get($"/live/{keyUri.Replace("-0.key", "-7.key", StringComparison.Ordinal)}")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    private static byte[] Unzip(byte[] bytes)
    {
        using var stream = new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress);
        var plain = new MemoryStream();
        stream.CopyTo(plain);
        return plain.ToArray();
    }
}
