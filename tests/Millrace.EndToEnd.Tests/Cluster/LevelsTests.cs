using Millrace.EndToEnd.Harness;
using Millrace.EndToEnd.Hls;

namespace Millrace.EndToEnd.Cluster;

/// <summary>An origin, two edges, an edge of an edge and one of that: what goes into the origin comes out of each, in every form.</summary>
public sealed class LevelsTests
{
    private static readonly string Clip = Path.Combine(Repository.TestMedia, "bbb-360p.flv");

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(40);

    [Fact(Timeout = 150_000)]
    public async Task Players_that_were_there_first_decode_exactly_the_source_at_each_level()
    {
        var expected = await FrameDigest.OfFileAsync(Clip);
        await using var tree = new Tree();
        await tree.StartAsync();
        var players = new List<((string Node, string Form) What, ChildProcess Player)>();
        try
        {
            foreach (var (name, server) in tree.Nodes)
            {
                players.Add(((name, "RTMP"), Ffmpeg.Digest(server.Rtmp("live/bbb"))));
                players.Add(((name, "FLV"), Ffmpeg.Digest(server.Http("live/bbb.flv?wait=20s"))));
            }

            foreach (var (_, server) in tree.Nodes)
            {
                await Ports.ConnectedAsync(server.RtmpPort, 1, Soon);
                await Ports.ConnectedAsync(server.HttpPort, 1, Soon);
            }

            await using var publisher = Ffmpeg.PublishFile(Clip, tree.Nodes[0].Server.Rtmp("live/bbb"));
            foreach (var started in await Task.WhenAll(tree.Nodes.Select(StartHlsAsync)))
                players.AddRange(started);
            (await publisher.ExitAsync(Soon)).ShouldBe(0, publisher.Tail());

            var atOrigin = new Dictionary<string, FrameDigest>();
            foreach (var ((node, form), player) in players)
            {
                TestContext.Current.TestOutputHelper?.WriteLine($"{node} {form}");
                var seen = await FrameDigest.CollectAsync(player, Soon);
                ShouldBeWhole(seen, expected);
                if (!atOrigin.TryAdd(form, seen) && form.EndsWith("HLS", StringComparison.Ordinal))
                    seen.ShouldEqual(atOrigin[form]);
            }

            atOrigin["RTMP"].ShouldEqual(expected);
            atOrigin["FLV"].ShouldEqual(expected);
        }
        finally
        {
            foreach (var (_, player) in players)
                await player.DisposeAsync();
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task Each_level_has_the_codecs_of_the_source()
    {
        var expected = await Ffmpeg.ProbeAsync(Clip);
        await using var tree = new Tree();
        await tree.StartAsync();
        await using var publisher = Ffmpeg.PublishFile(Clip, tree.Nodes[0].Server.Rtmp("live/bbb"), loop: true);
        await Task.WhenAll(tree.Nodes.Select(async node =>
        {
            using var client = new HlsClient(node.Server, "live/bbb");
            await client.UntilAsync(client.LowLatencyUrl, playlist => playlist.Renditions.Count == 2, Soon);
            await client.UntilAsync(await client.RenditionUrlAsync("video"), playlist => playlist.Segments.Count > 0, Soon);
            await client.UntilAsync(client.TsUrl, playlist => playlist.Segments.Count > 0, Soon);
            string[] urls = [node.Server.Rtmp("live/bbb"), node.Server.Http("live/bbb.flv"), client.LowLatencyUrl, client.TsUrl];
            foreach (var url in urls)
                TracksOf(await Ffmpeg.ProbeAsync(url)).ShouldBe(TracksOf(expected), $"{node.Name}: {url}");
        }));
    }

    /// <summary>HLS lists them once more for each program, RTMP has one of data.</summary>
    private static IEnumerable<string> TracksOf(IEnumerable<string> probed) =>
        probed.Where(line => line.Contains("sample_rate", StringComparison.Ordinal) || line.Contains("width", StringComparison.Ordinal)).Distinct().Order();

    /// <summary>
    /// All pictures, and all sound from the first key frame on: HLS begins with it, and so does a player of an edge, which has been asked in vain
    /// and finds the stream a moment after its beginning.
    /// </summary>
    private static void ShouldBeWhole(FrameDigest seen, FrameDigest expected)
    {
        seen.ShouldBeStretchOf(expected, expected.VideoFrames.Count);
        seen.AudioFrames[^1].Md5.ShouldBe(expected.AudioFrames[^1].Md5);
    }

    /// <summary>Players of HLS begin with the first segment as soon as it is there.</summary>
    private static async Task<IEnumerable<((string Node, string Form) What, ChildProcess Player)>> StartHlsAsync((string Name, MillraceServer Server) node)
    {
        using var client = new HlsClient(node.Server, "live/bbb");
        var master = await client.UntilAsync(client.LowLatencyUrl, playlist => playlist.Renditions.Count == 2, Soon);
        foreach (var rendition in master.Renditions)
            await client.UntilAsync(client.InFolder(rendition), playlist => playlist.Segments.Count > 0, Soon);
        await client.UntilAsync(client.TsUrl, playlist => playlist.Segments.Count > 0, Soon);
        return [((node.Name, "LL-HLS"), Ffmpeg.Digest(client.LowLatencyUrl)), ((node.Name, "TS HLS"), Ffmpeg.Digest(client.TsUrl))];
    }

    /// <summary>The nodes, the origin first; the deepest end first.</summary>
    private sealed class Tree : IAsyncDisposable
    {
        /// <summary>Whoever waits for a name asks again soon: so that all are there from the first picture on.</summary>
        private const string Edge = "  negative_cache: 100ms";

        public List<(string Name, MillraceServer Server)> Nodes { get; } = [];

        public async Task StartAsync()
        {
            Nodes.Add(("origin", await MillraceServer.StartAsync("publish:\n  grace: 1s\nhls:\n  segment: 2s\n  part: 300ms")));
            Nodes.Add(("edge", await Edges.StartAsync(Nodes[0].Server, Edge)));
            Nodes.Add(("other edge", await Edges.StartAsync(Nodes[0].Server, Edge)));
            Nodes.Add(("third level", await Edges.StartAsync(Nodes[1].Server, Edge)));
            Nodes.Add(("fourth level", await Edges.StartAsync(Nodes[3].Server, Edge)));
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var (_, server) in Enumerable.Reverse(Nodes))
                await server.DisposeAsync();
        }
    }
}
