using System.Diagnostics;
using System.Globalization;
using Millrace.EndToEnd.Harness;
using Millrace.Node.Tests.Harness;
using Wait = Millrace.EndToEnd.Harness.Wait;

namespace Millrace.EndToEnd.Cluster;

/// <summary>Redis is a hint: streams play while it is killed, hangs, and comes back empty.</summary>
public sealed class RedisTests
{
    private const string Grace = "publish:\n  grace: 500ms";
    private const string ShortLinger = "edge:\n  linger: 1s\n";

    private static readonly string Clip = Path.Combine(Repository.TestMedia, "bbb-360p.flv");

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    /// <summary>Of `cluster.heartbeat`, by default.</summary>
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(2.5);

    [Fact(Timeout = 120_000)]
    public async Task Keys_say_where_a_stream_is_for_10_seconds_at_a_time_and_go_when_it_ends()
    {
        await using var redis = await RedisProcess.StartAsync();
        await using var origin = await MappedNodes.StartAsync(redis, "origin", more: Grace);
        await using var edge = await MappedNodes.StartAsync(redis, "edge");
        using var publisher = await MappedNodes.PublishAsync(origin, "bbb");
        using (new NumberedSource(publisher))
        {
            await redis.HasAsync("default/live/bbb", isThere: true, Soon);
            (await redis.AskAsync("GET", "default/live/bbb")).ShouldBe($"millrace://127.0.0.1:{origin.RelayPort}/default/live/bbb");
            (await redis.AskAsync("GET", "node/origin")).ShouldContain($"\"rtmp\":\"rtmp://127.0.0.1:{origin.RtmpPort}\"");
            using var viewer = await Viewers.RtmpAsync(edge, "bbb");
            await viewer.HasMediaAsync(50, Soon);
            // For longer than it lives without being renewed, which is four times 2.5 s.
            var (renewals, before) = (0, int.MaxValue);
            await Wait.UntilAsync(
                async () =>
                {
                    var left = int.Parse(await redis.AskAsync("PTTL", "default/live/bbb"), CultureInfo.InvariantCulture);
                    left.ShouldBeInRange(5_000, 10_000);
                    renewals += left > before ? 1 : 0;
                    before = left;
                    return renewals == 5;
                },
                Soon,
                () => $"{renewals} renewals");

            (await redis.AskAsync("GET", "default/live/bbb")).ShouldBe($"millrace://127.0.0.1:{origin.RelayPort}/default/live/bbb", "who fetches it does not take its place");
        }

        publisher.Dispose();
        // The grace, and the round that ends it; by itself it would stay for 7.5 s at the least.
        await redis.HasAsync("default/live/bbb", isThere: false, TimeSpan.FromSeconds(3));
        using var another = await MappedNodes.PublishAsync(origin, "other");
        another.SendClip();
        await redis.HasAsync("default/live/other", isThere: true, Soon);
        origin.Process.Terminate();
        await origin.Process.ExitAsync(Soon);
        (await redis.AskAsync("EXISTS", "default/live/other", "node/origin")).ShouldBe("0", "a node that stops takes its keys with it");
    }

    [Fact(Timeout = 120_000)]
    public async Task Killed_and_back_empty_it_is_missed_by_no_viewer_and_filled_again()
    {
        await using var redis = await RedisProcess.StartAsync();
        await using var origin = await MappedNodes.StartAsync(redis, "origin");
        await using var edge = await MappedNodes.StartAsync(redis, "edge", more: ShortLinger);
        await using var listed = await MappedNodes.StartAsync(redis, "listed", more: $"vhosts:\n  - name: default\n    mode: remote\n    origin: millrace://127.0.0.1:{origin.RelayPort}\n");
        using var publisher = await MappedNodes.PublishAsync(origin, "bbb");
        using var source = new NumberedSource(publisher);
        using var known = await MappedNodes.PublishAsync(origin, "known");
        using var knownSource = new NumberedSource(known);
        await redis.HasAsync("default/live/known", isThere: true, Soon);
        using var viewer = await Viewers.RtmpAsync(edge, "bbb");
        await viewer.HasMediaAsync(20, Soon);
        using (var visitor = await Viewers.RtmpAsync(edge, "known"))
            await visitor.HasMediaAsync(5, Soon);
        await Wait.UntilAsync(async () => await origin.SessionsAsync("relay") == 1, Soon, () => "the stream that nobody watches is still fetched");

        await redis.KillAsync();
        var lost = source.Sent;
        using var late = await MappedNodes.PublishAsync(origin, "late");
        late.IsReady.ShouldBeTrue("a new name is accepted");
        using var lateSource = new NumberedSource(late);
        using (var visitor = await Viewers.RtmpAsync(edge, "known"))
            await visitor.HasMediaAsync(5, Soon);
        using (var visitor = await Viewers.RtmpAsync(listed, "late"))
            await visitor.HasMediaAsync(5, Soon);
        using (var answer = await new HttpClient().GetAsync(edge.Http("live/late.flv"), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken))
            answer.StatusCode.ShouldBe(System.Net.HttpStatusCode.NotFound, "by the map alone nobody can know");
        await Wait.UntilAsync(() => Task.FromResult(source.Sent > lost + 150), Soon, () => "three seconds without Redis");

        await redis.RunAsync();
        var back = Stopwatch.StartNew();
        string[] keys = ["default/live/bbb", "default/live/known", "default/live/late", "node/origin", "node/edge", "node/listed"];
        await Wait.UntilAsync(async () => await redis.AskAsync(["EXISTS", .. keys]) == $"{keys.Length}", Soon, () => "keys are missing");
        back.Elapsed.ShouldBeLessThan(2 * Heartbeat);
        TestContext.Current.TestOutputHelper?.WriteLine($"all {keys.Length} keys are back after {back.Elapsed.TotalSeconds:0.0} s");
        using (var visitor = await Viewers.RtmpAsync(edge, "late"))
            await visitor.HasMediaAsync(5, Soon);

        var numbers = NumberedSource.NumbersOf(viewer);
        numbers.ShouldBe(Enumerable.Range(numbers[0], numbers.Count), "nothing is missing, and nothing comes twice");
        numbers[^1].ShouldBeGreaterThan(lost + 150);
        viewer.HasEnded.ShouldBeFalse();
    }

    [Fact(Timeout = 120_000)]
    public async Task When_it_hangs_frames_come_as_evenly_as_on_a_node_without_it()
    {
        // As long as it takes until the node gives the connection up, and some more.
        const double AskedSeconds = 3, Seconds = 8;
        await using var redis = await RedisProcess.StartAsync();
        await using var origin = await MappedNodes.StartAsync(redis, "origin");
        await using var edge = await MappedNodes.StartAsync(redis, "edge", more: ShortLinger);
        await using var plain = await MillraceServer.StartAsync();
        await using var plainEdge = await Edges.StartAsync(plain);
        using var publisher = await MappedNodes.PublishAsync(origin, "bbb");
        using var source = new NumberedSource(publisher);
        using var known = await MappedNodes.PublishAsync(origin, "known");
        using var knownSource = new NumberedSource(known);
        using var control = await MappedNodes.PublishAsync(plain, "bbb");
        using var controlSource = new NumberedSource(control);
        await redis.HasAsync("default/live/known", isThere: true, Soon);
        using (var visitor = await Viewers.RtmpAsync(edge, "known"))
            await visitor.HasMediaAsync(5, Soon);
        using var numbered = await Viewers.RtmpAsync(edge, "bbb");
        await numbered.HasMediaAsync(20, Soon);
        using var viewer = await PacedViewer.PlayAsync(edge, "bbb");
        using var beside = await PacedViewer.PlayAsync(plainEdge, "bbb");
        await Wait.UntilAsync(async () => await origin.SessionsAsync("relay") == 1, Soon, () => "the stream that nobody watches is still fetched");

        redis.Freeze();
        var frozen = Stopwatch.GetTimestamp();
        // Each of them waits for the map.
        using var http = new HttpClient();
        var asking = Task.WhenAll(Enumerable.Range(0, 40).Select(number => AskLaterAsync(http, edge, number, AskedSeconds)));
        using var late = await MappedNodes.PublishAsync(origin, "late");
        late.IsReady.ShouldBeTrue("a new name is accepted");
        using (var visitor = await Viewers.RtmpAsync(edge, "known"))
            await visitor.HasMediaAsync(5, Soon);
        await asking;
        await Wait.UntilAsync(() => Task.FromResult(Stopwatch.GetElapsedTime(frozen).TotalSeconds > Seconds), Soon, () => "");
        var gaps = viewer.GapsSince(frozen);
        var controlGaps = beside.GapsSince(frozen);
        redis.Thaw();

        // A shard that waited for the map would have stood still for some look-ups of half a second.
        var (ours, theirs) = (gaps.Take(5).Average(), controlGaps.Take(5).Average());
        TestContext.Current.TestOutputHelper?.WriteLine($"mean of the five longest gaps: {ours:0.0} ms, without Redis {theirs:0.0} ms; {gaps.Count} and {controlGaps.Count} arrivals");
        gaps.Count.ShouldBeGreaterThan((int)(Seconds * 20));
        (ours / theirs).ShouldBeLessThan(2);
        viewer.HasEnded.ShouldBeFalse();
        var numbers = NumberedSource.NumbersOf(numbered);
        numbers.ShouldBe(Enumerable.Range(numbers[0], numbers.Count), "nothing is missing, and nothing comes twice");
        late.SendClip();
        await redis.HasAsync("default/live/late", isThere: true, 2 * Heartbeat + TimeSpan.FromSeconds(2));
    }

    [Fact(Timeout = 120_000)]
    public async Task What_is_written_by_hand_for_a_server_that_is_no_node_is_fetched_from_there()
    {
        await using var redis = await RedisProcess.StartAsync();
        await using var nginx = await NginxRtmp.StartAsync();
        await using var foreign = await MillraceServer.StartAsync();
        await using var edge = await MappedNodes.StartAsync(redis, "edge");
        await using var toNginx = Ffmpeg.PublishFile(Clip, nginx.Url("source"), loop: true);
        await using var toForeign = Ffmpeg.PublishFile(Clip, foreign.Rtmp("live/source"), loop: true);
        await foreign.LiveAsync("default/live/source");

        await redis.AskAsync("SET", "default/live/rtmp", nginx.Url("source"));
        await redis.AskAsync("SET", "default/live/flv", foreign.Http("live/source.flv"));

        foreach (var name in (string[])["rtmp", "flv"])
        {
            await using var player = Ffmpeg.Play(edge.Rtmp($"live/{name}"), seconds: 2);
            (await player.ExitAsync(Soon)).ShouldBe(0, player.Tail());
        }

        (await redis.AskAsync("GET", "default/live/rtmp")).ShouldBe(nginx.Url("source"), "whoever fetches it does not take its place");
    }

    /// <summary>Asks for a name that nobody has, at some time within the seconds.</summary>
    private static async Task AskLaterAsync(HttpClient http, MillraceServer server, int number, double seconds)
    {
        await Task.Delay(TimeSpan.FromSeconds(seconds * number / 40), TestContext.Current.CancellationToken);
        var path = number % 2 == 0 ? $"live/none{number}.flv" : $"live/none{number}/llhls.m3u8";
        using var answer = await http.GetAsync(server.Http(path), TestContext.Current.CancellationToken);
        ((int)answer.StatusCode).ShouldBe(404);
    }
}
