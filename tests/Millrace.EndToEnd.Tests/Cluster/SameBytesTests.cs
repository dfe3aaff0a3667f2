using Millrace.EndToEnd.Harness;
using Millrace.EndToEnd.Hls;

namespace Millrace.EndToEnd.Cluster;

/// <summary>Every playlist and object of HLS is the same at all nodes, however deep and however late they come.</summary>
public sealed class SameBytesTests
{
    /// <summary>The playlists are longer than six target durations, so that delta updates leave something out.</summary>
    private const string OriginSettings = """
        publish:
          grace: 4s
        hls:
          segment: 1s
          part: 300ms
          segments: 12
        vhosts:
          - name: default
            apps:
              - name: enc
                hls:
                  ts:
                    encrypt: true
                    fragments_per_key: 2
        """;

    /// <summary>How the origin packages is not for an edge to say; when it stops is.</summary>
    private const string EdgeSettings = "hls:\n  idle: 5s\n  segment: 6s\n  part: 500ms";

    private const string Linger = "  linger: 1s";

    private static readonly string[] Streams = ["live/clip", "enc/clip"];

    private static readonly string[] Kinds =
        ["media playlist", "delta update that skips", "legacy playlist", "TS playlist", "multivariant playlist", "init", "part", "seg", ".ts", "ended"];

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Fact(Timeout = 240_000)]
    public async Task All_nodes_give_the_same_answers_whoever_joins_comes_back_or_publishes_anew()
    {
        using var folder = new TemporaryFolder();
        var clip = folder.File("clip.flv");
        await Ffmpeg.MakeClipAsync(clip, 8, [.. "-c:v libx264 -preset veryfast -bf 2 -g 30 -sc_threshold 0 -b:v 600k -c:a aac".Split(' ')]);
        await using var origin = await MillraceServer.StartAsync(OriginSettings);
        await using var edge = await StartAsync(origin);
        await using var third = await StartAsync(edge);
        await using var fourth = await StartAsync(third);
        await using var late = await StartAsync(origin);
        var answers = new NodeAnswers();
        var publishers = new List<ChildProcess>();
        Publish(clip, origin, publishers);
        try
        {
            foreach (var stream in Streams)
                await PlayableAsync(origin, stream);
            using var clear = new NodeCrawler(Streams[0], answers);
            using var secret = new NodeCrawler(Streams[1], answers);
            NodeCrawler[] crawlers = [clear, secret];
            foreach (var (name, server) in ((string, MillraceServer)[])[("origin", origin), ("edge", edge), ("third", third), ("fourth", fourth)])
                AddTo(crawlers, name, server);
            var crawling = Task.WhenAll(crawlers.Select(crawler => crawler.RunAsync()));
            var length = Task.Delay(LongRun.Crawl, TestContext.Current.CancellationToken);

            await Task.Delay(LongRun.Crawl / 4, TestContext.Current.CancellationToken);
            await Task.WhenAll(crawlers.Select(crawler => crawler.JoinAsync("late", late, isInMedia: false)));
            publishers.ForEach(publisher => publisher.Kill());
            Publish(clip, origin, publishers);
            await ComeBackAsync(crawlers, third, fourth);
            await length;
            foreach (var crawler in crawlers)
                crawler.Stop();
            await crawling;
            publishers.ForEach(publisher => publisher.Kill());
            foreach (var crawler in crawlers)
                await crawler.EndAsync();
        }
        finally
        {
            foreach (var publisher in publishers)
                await publisher.DisposeAsync();
        }

        Report(answers);
        answers.Differences.ShouldBeEmpty(string.Join("\n\n", answers.Differences.Take(10)));
        foreach (var node in (string[])["edge", "third", "fourth", "late"])
        {
            foreach (var kind in Kinds.Append(".key"))
                answers.Compared(node, kind).ShouldBeGreaterThan(0, $"{kind} of {node}");
        }
    }

    private static Task<MillraceServer> StartAsync(MillraceServer upstream) => Edges.StartAsync(upstream, Linger, EdgeSettings);

    private static void Publish(string clip, MillraceServer origin, List<ChildProcess> publishers) =>
        publishers.AddRange(Streams.Select(stream => Ffmpeg.PublishFile(clip, origin.Rtmp(stream), loop: true)));

    private static async Task PlayableAsync(MillraceServer origin, string stream)
    {
        using var client = new HlsClient(origin, stream);
        await client.UntilAsync(client.LowLatencyUrl, playlist => playlist.Renditions.Count == 2, Soon);
        await client.UntilAsync(await client.RenditionUrlAsync("video"), playlist => playlist.Segments.Count > 0, Soon);
        await client.UntilAsync(client.TsUrl, playlist => playlist.Segments.Count > 0, Soon);
    }

    private static void AddTo(NodeCrawler[] crawlers, string name, MillraceServer server)
    {
        foreach (var crawler in crawlers)
            crawler.Add(name, server);
    }

    /// <summary>A node that nobody asks any more stops fetching; then somebody asks again.</summary>
    private static async Task ComeBackAsync(NodeCrawler[] crawlers, MillraceServer upstream, MillraceServer node)
    {
        (await upstream.SessionsAsync("relay")).ShouldBe(2 * Streams.Length, "one with its upstream, one with the node below");
        foreach (var crawler in crawlers)
            crawler.Remove("fourth");
        await Wait.UntilAsync(async () => await upstream.SessionsAsync("relay") == Streams.Length, Soon, () => "it is still fetching\n" + node.Process.Tail());
        await Task.WhenAll(crawlers.Select(crawler => crawler.JoinAsync("fourth", node, isInMedia: true)));
    }

    private static void Report(NodeAnswers answers)
    {
        foreach (var node in (string[])["origin", "edge", "third", "fourth", "late"])
        {
            var counts = Kinds.Append(".key").Append("delta update").Select(kind => $"{kind} {answers.Compared(node, kind)}");
            TestContext.Current.TestOutputHelper?.WriteLine($"{node}: {string.Join(", ", counts)}");
        }
    }
}
