using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using Millrace.Node.Settings;

namespace Millrace.Node.Tests.Hls;

/// <summary>The requirements on a low-latency origin by their numbers, as far as they concern HTTP; those on requests that wait are in <see cref="HlsBlockingRules"/>.</summary>
public sealed class HlsHttpRules
{
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
            ($"/live/x/{HlsNode.Uris(text).First()}", 3_600, 3_600), ($"/live/x/init_0_0_0_video_{hls.Key}_llhls.m4s", 3_600, 3_600), ($"/live/x/part_0_{segment - 1}_0_audio_{hls.Key}_llhls.m4s", 3_600, 3_600),
            ("/live/x.m3u8", 0, 1), ("/live/none/llhls.m3u8", 0, 2), ($"/live/x/seg_0_99_video_{hls.Key}_llhls.m4s", 0, 2),
        })
        {
            using var answer = await hls.Get(path);
            answer.Headers.CacheControl!.MaxAge!.Value.TotalSeconds.ShouldBeInRange(least, most, path);
        }
    }

    [Fact]
    public async Task L29_what_may_be_there_before_a_cache_would_forget_its_404_is_not_kept_as_missing()
    {
        await using var hls = await HlsNode.StartAsync();
        var (_, segment, parts) = await hls.Newest();
        var transport = HlsNode.Uris(await hls.Text("/live/x.m3u8")).Last();
        string Part(long msn, int part, string kind = "video") => $"/live/x/part_0_{msn}_{part}_{kind}_{hls.Key}_llhls.m4s";
        foreach (var (path, isKept) in new[]
        {
            (Part(segment, parts + 1), false), (Part(segment, parts + 40), false), (Part(segment + 1, 0), false), (Part(segment, parts + 9, "audio"), false),
            ($"/live/x/seg_0_{segment}_video_{hls.Key}_llhls.m4s", false), ($"/live/x/init_0_1_0_video_{hls.Key}_llhls.m4s", false),
            ($"/live/{transport[..(transport.LastIndexOf('-') + 1)]}{segment + 1}.ts", false),
            (Part(segment - 1, 500), true), (Part(segment + 9, 0), true), ("/live/x/part_0_0_0_video_nothing_llhls.m4s", true), ("/live/none/llhls.m3u8", true),
        })
        {
            using var answer = await hls.Get(path);
            answer.StatusCode.ShouldBe(HttpStatusCode.NotFound, path);
            answer.Headers.CacheControl!.ToString().ShouldBe(isKept ? "public, max-age=1" : "no-store", path);
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
