using System.Net;
using Millrace.EndToEnd.Cluster;
using Millrace.EndToEnd.Harness;
using Millrace.EndToEnd.Hls;

namespace Millrace.EndToEnd.Cdn;

/// <summary>A cache in front, as deploy/cdn configures it: however many watch, the node is asked for everything once.</summary>
public sealed class CdnTests
{
    /// <summary>Those who ask the node itself: what they see is what the others are compared with.</summary>
    private const int Control = 10;

    private const string Clear = "identity";

    /// <summary>As browsers, players and libraries say what they take; to a node that is two things.</summary>
    private static readonly string[] Encodings = ["gzip, deflate", "gzip, deflate, br", "gzip, deflate, br, zstd", "gzip", "gzip;q=1.0, *;q=0.5", Clear];

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    [Theory(Timeout = 240_000)]
    [InlineData("nginx")]
    [InlineData("varnish")]
    public async Task Many_viewers_cost_the_node_one_fetch_for_each_object_and_none_of_them_stalls(string kind)
    {
        await using var server = await MillraceServer.StartAsync();
        await using var publisher = await PublishAsync(server);
        await using var meter = await NginxMeter.StartAsync(server);
        await using var cache = await HttpCache.StartAsync(kind, meter.Port);
        using var http = Client();
        var (bytes, control) = (new LiveBytes(), Arrivals.OfControl());
        var behind = control.Behind();
        List<CdnViewer> direct = [.. Enumerable.Range(0, Control).Select(i => new CdnViewer(http, server.Http("live/clip/"), Habits(i), bytes, control, isBehindCache: false))];
        List<CdnViewer> viewers = [.. Enumerable.Range(0, LongRun.CachedViewers).Select(i => new CdnViewer(http, cache.Url("live/clip/"), Habits(i), bytes, behind, isBehindCache: true))];

        // Half of them come at once, the others one by one.
        var stop = TestContext.Current.CancellationToken;
        var playing = direct.Select(viewer => viewer.PlayAsync(LongRun.CachedWatch, stop)).ToList();
        await Task.Delay(TimeSpan.FromSeconds(2), stop);
        var watch = LongRun.CachedWatch - TimeSpan.FromSeconds(3);
        playing.AddRange(viewers.Take(viewers.Count / 2).Select(viewer => viewer.PlayAsync(watch, stop)));
        var (late, pause) = (viewers.Count - (viewers.Count / 2), watch / 2);
        for (var i = 0; i < late; i++)
        {
            await Task.Delay(pause / late, stop);
            playing.Add(viewers[(viewers.Count / 2) + i].PlayAsync(pause / 2, stop));
        }

        await Task.WhenAll(playing);
        var requests = await meter.RequestsAsync();
        Report(kind, direct, viewers, control, behind, requests);

        bytes.Faults.ShouldBeEmpty(string.Join('\n', bytes.Faults.Take(10)));
        requests.Where(static request => request.Status is not 200 and not 304).ShouldBeEmpty();
        // Workers of nginx look for an object and lock its name in two steps, and once in a while another has brought it between them.
        var again = Again(requests.Where(IsFixed));
        again.Count.ShouldBeLessThanOrEqualTo(kind == "nginx" ? requests.Count / 200 : 0, string.Join('\n', again));
        requests.Count(request => IsFixed(request) && request.Path.Contains("_HLS_msn", StringComparison.Ordinal)).ShouldBeGreaterThan((int)(2 * watch.TotalSeconds));
        // Fresh for one second, in two encodings: a second is cut where a cache's first fetch was.
        foreach (var name in requests.Where(static request => !IsFixed(request)).GroupBy(static request => (request.Path, IsGzip(request))))
            name.Count().ShouldBeLessThanOrEqualTo((int)LongRun.CachedWatch.TotalSeconds + 2, name.Key.Path);
        viewers.Max(static viewer => viewer.FirstAge).ShouldBeLessThan(3, "half a target duration");
        // A machine that cannot keep up lets those stall who ask the node, too.
        viewers.Count(static viewer => viewer.Stalls > 0).ShouldBeLessThanOrEqualTo(viewers.Count * direct.Count(static viewer => viewer.Stalls > 0) / Control);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("nginx")]
    [InlineData("varnish")]
    public async Task A_part_that_was_asked_for_too_early_is_there_for_those_who_ask_in_time(string kind)
    {
        await using var server = await MillraceServer.StartAsync();
        await using var publisher = await PublishAsync(server);
        await using var meter = await NginxMeter.StartAsync(server);
        await using var cache = await HttpCache.StartAsync(kind, meter.Port);
        using var http = Client();
        var (early, kept) = (0, 0);
        for (var round = 0; round < 6; round++)
        {
            var (list, after, query) = await NextButOneAsync(http, cache);
            var first = (await http.GetAsync(cache.Url(after), TestContext.Current.CancellationToken)).StatusCode;
            first.ShouldBeOneOf(HttpStatusCode.NotFound, HttpStatusCode.OK);
            early += first == HttpStatusCode.NotFound ? 1 : 0;
            await http.GetAsync($"{list}?{query}", TestContext.Current.CancellationToken);
            var inTime = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => http.GetAsync(cache.Url(after), TestContext.Current.CancellationToken)));
            if (Array.TrueForAll(inTime, static answer => answer.StatusCode == HttpStatusCode.NotFound) && !await IsListedAsync(http, server, list, after))
            {
                // A hint is a guess: a key frame ended the segment before its part began.
                continue;
            }

            kept++;
            inTime.ShouldAllBe(static answer => answer.StatusCode == HttpStatusCode.OK);
            (await meter.RequestsAsync()).Count(request => request.Path == "/" + after && request.Status == 200).ShouldBe(1, after);
        }

        kept.ShouldBeGreaterThan(2, "rounds in which the part came");

        early.ShouldBeGreaterThan(0, "a round in which it was asked for too early");
    }

    [Theory(Timeout = 120_000)]
    [InlineData("nginx")]
    [InlineData("varnish")]
    public async Task The_cache_answers_conditions_ranges_and_HEAD_by_itself_and_asks_anew_for_what_has_grown_old(string kind)
    {
        await using var server = await MillraceServer.StartAsync();
        await using var publisher = await PublishAsync(server);
        await using var meter = await NginxMeter.StartAsync(server);
        await using var cache = await HttpCache.StartAsync(kind, meter.Port);
        using var http = Client();
        using var client = new HlsClient(server, "live/clip");
        var playlist = await client.UntilAsync(await client.RenditionUrlAsync("video"), static playlist => playlist.Segments.Count > 0, Soon);
        var segment = cache.Url("live/clip/" + playlist.Segments[0].Uri);
        var whole = await http.GetAsync(segment, TestContext.Current.CancellationToken);
        var bytes = await whole.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        bytes.ShouldBe(await client.BytesAsync(client.InFolder(playlist.Segments[0].Uri)));
        whole.Headers.CacheControl!.ToString().ShouldBe("public, max-age=3600");

        (await AskAsync(http, segment, request => request.Headers.IfNoneMatch.Add(whole.Headers.ETag!))).StatusCode.ShouldBe(HttpStatusCode.NotModified);
        var range = await AskAsync(http, segment, static request => request.Headers.Range = new(100, 199));
        range.StatusCode.ShouldBe(HttpStatusCode.PartialContent);
        (await range.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).ShouldBe(bytes[100..200]);
        var head = await AskAsync(http, segment, static request => request.Method = HttpMethod.Head);
        head.Content.Headers.ContentLength.ShouldBe(bytes.Length);
        (await meter.RequestsAsync()).Count(request => segment.EndsWith(request.Path, StringComparison.Ordinal)).ShouldBe(1);

        // In the stream's first seconds it changes with the bitrate that has been seen. To nginx a playlist of another second is another thing (see its configuration); Varnish compares entity tags.
        var again = kind == "nginx" ? 200 : 304;
        List<int> statuses = [];
        await Wait.UntilAsync(
            async () =>
            {
                using var master = await http.GetAsync(cache.Url("live/clip/llhls.m3u8"), TestContext.Current.CancellationToken);
                statuses = [.. (await meter.RequestsAsync()).Where(static request => request.Path == "/live/clip/llhls.m3u8").Select(static request => request.Status)];
                return master.IsSuccessStatusCode && statuses.Skip(1).Contains(again);
            },
            Soon, () => $"it is never asked for again: {string.Join(' ', statuses)}");
    }

    [Theory(Timeout = 120_000)]
    [InlineData("nginx")]
    [InlineData("varnish")]
    public async Task Of_those_who_wait_for_a_silent_publisher_one_asks_the_node(string kind)
    {
        await using var server = await MillraceServer.StartAsync("hls:\n  segment: 1s\n  part: 500ms");
        await using var publisher = await PublishAsync(server);
        await using var meter = await NginxMeter.StartAsync(server);
        await using var cache = await HttpCache.StartAsync(kind, meter.Port);
        using var http = Client();
        var (list, _, _) = await NextButOneAsync(http, cache);
        publisher.Freeze();
        var playlist = new LivePlaylist(await http.GetStringAsync(list, TestContext.Current.CancellationToken));
        var next = new Uri($"{list}?_HLS_msn={int.Parse(playlist.NextSegment, System.Globalization.CultureInfo.InvariantCulture) + 1}");

        var waiting = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => http.GetAsync(next, TestContext.Current.CancellationToken)));

        publisher.Thaw();
        waiting.ShouldAllBe(static answer => answer.StatusCode == HttpStatusCode.ServiceUnavailable);
        (await meter.RequestsAsync()).Count(request => request.Path == next.PathAndQuery).ShouldBeLessThanOrEqualTo(2);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("nginx")]
    [InlineData("varnish")]
    public async Task What_is_protected_is_passed_on_with_what_each_viewer_shows_and_nobody_waits_for_another(string kind)
    {
        await using var server = await MillraceServer.StartAsync("""
            vhosts:
              - name: default
                apps:
                  - name: closed
                    access: {play: token, play_tokens: [view]}
            """);
        await using var publisher = Ffmpeg.PublishFile(Path.Combine(Repository.TestMedia, "bbb-360p.flv"), server.Rtmp("closed/clip"), loop: true);
        await using var cache = await HttpCache.StartAsync(kind, server.HttpPort);
        using var http = Client();
        await server.LiveAsync("default/closed/clip");
        using var master = await http.GetAsync(cache.Url("closed/clip/llhls.m3u8?token=view"), TestContext.Current.CancellationToken);
        master.StatusCode.ShouldBe(HttpStatusCode.OK);
        var cookie = master.Headers.GetValues("Set-Cookie").ShouldHaveSingleItem().Split(';')[0];
        var list = cache.Url("closed/clip/" + new HlsPlaylist(await master.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Rendition("video"));

        using var byCookie = await AskAsync(http, list, request => request.Headers.Add("Cookie", $"other=1; {cookie}"));
        byCookie.StatusCode.ShouldBe(HttpStatusCode.OK);
        var playlist = new LivePlaylist(await byCookie.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        // All at once wait for a part that is still to come, by all three ways.
        var next = $"{list}?_HLS_msn={playlist.NextSegment}&_HLS_part={playlist.NextPart}";
        var waiting = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => (i % 3) switch
        {
            0 => AskAsync(http, next, request => request.Headers.Add("Cookie", cookie)),
            1 => AskAsync(http, next, static request => request.Headers.Add("Authorization", "Bearer view")),
            _ => http.GetAsync(next + "&token=view", TestContext.Current.CancellationToken),
        }).Select(static async answer =>
        {
            var clock = System.Diagnostics.Stopwatch.StartNew();
            return ((await answer).StatusCode, clock.Elapsed);
        }));
        waiting.ShouldAllBe(static answer => answer.StatusCode == HttpStatusCode.OK);
        waiting.ShouldAllBe(static answer => answer.Elapsed < TimeSpan.FromSeconds(4), "one after the other they would take a part's time each");

        foreach (var url in (string[])[list, next])
            (await http.GetAsync(url, TestContext.Current.CancellationToken)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized, "none of it was kept");
        (await http.GetAsync(list + "?token=wrong", TestContext.Current.CancellationToken)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    private static HttpClient Client() =>
        new(new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.None, MaxConnectionsPerServer = int.MaxValue, UseCookies = false, UseProxy = false })
        {
            Timeout = TimeSpan.FromSeconds(60),
        };

    /// <summary>The test film, long enough for whole segments.</summary>
    private static async Task<ChildProcess> PublishAsync(MillraceServer server)
    {
        var publisher = Ffmpeg.PublishFile(Path.Combine(Repository.TestMedia, "bbb-360p.flv"), server.Rtmp("live/clip"), loop: true);
        using var client = new HlsClient(server, "live/clip");
        await client.UntilAsync(client.LowLatencyUrl, static playlist => playlist.Renditions.Count == 2, Soon);
        await client.UntilAsync(await client.RenditionUrlAsync("video"), static playlist => playlist.OpenParts.Count + playlist.Segments.Count > 2, Soon);
        return publisher;
    }

    private static async Task<bool> IsListedAsync(HttpClient http, MillraceServer server, Uri list, string part)
    {
        var playlist = await http.GetStringAsync(server.Http(list.AbsolutePath.TrimStart('/')), TestContext.Current.CancellationToken);
        return playlist.Split('\n').Any(line => line.StartsWith("#EXT-X-PART:", StringComparison.Ordinal) && line.Contains(part[(part.LastIndexOf('/') + 1)..], StringComparison.Ordinal));
    }

    private static ViewerHabits Habits(int index) => new(
        index % 10 == 3 ? "audio" : "video", Encodings[index % Encodings.Length], TakesHints: index % 2 == 1, TakesDeltas: index % 3 == 1, TakesSegments: index % 5 == 2);

    /// <summary>The URL of the video's playlist, the part after the one that it hints at, and what asks for the playlist that hints at that.</summary>
    private static async Task<(Uri List, string Part, string Query)> NextButOneAsync(HttpClient http, HttpCache cache)
    {
        var master = new HlsPlaylist(await http.GetStringAsync(cache.Url("live/clip/llhls.m3u8"), TestContext.Current.CancellationToken));
        var list = cache.Url("live/clip/" + master.Rendition("video"));
        var playlist = new LivePlaylist(await http.GetStringAsync(list, TestContext.Current.CancellationToken));
        for (var isFresh = false; ;)
        {
            var query = $"_HLS_msn={playlist.NextSegment}&_HLS_part={playlist.NextPart}";
            var words = playlist.Hint.Split('_');
            words[3] = (int.Parse(words[3], System.Globalization.CultureInfo.InvariantCulture) + 1).ToString(System.Globalization.CultureInfo.InvariantCulture);
            // One that was there already may be a second old; behind a segment's last part there is none.
            if (isFresh && words[3] == "2")
                return (new Uri(list), "live/clip/" + string.Join('_', words), query);
            var clock = System.Diagnostics.Stopwatch.StartNew();
            playlist = new LivePlaylist(await http.GetStringAsync($"{list}?{query}", TestContext.Current.CancellationToken));
            isFresh = clock.Elapsed > TimeSpan.FromMilliseconds(100);
        }
    }

    private static async Task<HttpResponseMessage> AskAsync(HttpClient http, string url, Action<HttpRequestMessage> change)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        change(request);
        return await http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    /// <summary>Its name has one content for ever.</summary>
    private static bool IsFixed(MeteredRequest request) =>
        request.Path.Contains("_HLS_msn=", StringComparison.Ordinal) || !request.Path.Contains(".m3u8", StringComparison.Ordinal);

    private static bool IsGzip(MeteredRequest request) =>
        request.Path.Contains(".m3u8", StringComparison.Ordinal) && request.Encoding.Contains("gzip", StringComparison.Ordinal);

    /// <summary>What was asked for more than once.</summary>
    private static List<string> Again(IEnumerable<MeteredRequest> requests) =>
        [.. requests.GroupBy(static request => (request.Path, IsGzip(request))).Where(static group => group.Count() > 1).Select(static group => $"{group.Key}: {group.Count()} times")];

    private static void Report(
        string kind, List<CdnViewer> direct, List<CdnViewer> viewers, Arrivals control, Arrivals behind, IReadOnlyList<MeteredRequest> requests)
    {
        var isFixed = requests.Where(IsFixed).ToList();
        var output = TestContext.Current.TestOutputHelper;
        output?.WriteLine($"{kind}: {viewers.Count} viewers took {viewers.Sum(static viewer => viewer.Parts)} parts; the node was asked {requests.Count} times: "
            + $"{isFixed.Count} for {isFixed.DistinctBy(static request => (request.Path, IsGzip(request))).Count()} fixed things, {requests.Count(static request => request.Status == 304)} not modified");
        output?.WriteLine($"more than once: {string.Join(", ", Again(isFixed))}");
        output?.WriteLine($"first playlist at most {viewers.Max(static viewer => viewer.FirstAge):0.00} s old");
        foreach (var (name, who, when) in ((string, List<CdnViewer>, Arrivals)[])[("direct", direct, control), (kind, viewers, behind)])
        {
            var delays = when.Delays();
            output?.WriteLine($"{name}: parts after the first that had it p50 {delays[delays.Length / 2] * 1000:0} ms, p99 {delays[delays.Length * 99 / 100] * 1000:0} ms, max {delays[^1] * 1000:0} ms; "
                + $"stalled {who.Count(static viewer => viewer.Stalls > 0)} of {who.Count}; least margin {who.Min(static viewer => viewer.LeastMargin):0.00} s");
        }
    }
}
