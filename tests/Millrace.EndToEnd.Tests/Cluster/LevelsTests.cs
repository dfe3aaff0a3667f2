using Millrace.EndToEnd.Harness;
using Millrace.EndToEnd.Hls;

namespace Millrace.EndToEnd.Cluster;

/// <summary>An origin, two edges, an edge of an edge and one of that: what goes into the origin comes out of each, in every form.</summary>
public sealed class LevelsTests
{
    private const string Names = "origin, edge, other edge, third level, fourth level";

    private static readonly string Clip = Path.Combine(Repository.TestMedia, "bbb-360p.flv");

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(40);

    [Fact(Timeout = 150_000)]
    public async Task Players_that_were_there_first_decode_exactly_the_source_at_each_level()
    {
        var expected = await FrameDigest.OfFileAsync(Clip);
        await using var tree = await TreeAsync();
        var players = new List<(string Where, ChildProcess Player)>();
        try
        {
            foreach (var (name, server) in tree.Nodes)
            {
                players.Add(($"{name} RTMP", Ffmpeg.Digest(server.Rtmp("live/bbb"))));
                players.Add(($"{name} FLV", Ffmpeg.Digest(server.Http("live/bbb.flv?wait=20s"))));
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
            foreach (var (where, player) in players)
                await ShouldEqualAsync(where, player, expected);
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
        await using var tree = await TreeAsync();
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
    /// All pictures and samples. An edge that has been asked in vain finds the stream a moment after its beginning: who plays it there begins
    /// with the first key frame, without the sound that came before.
    /// </summary>
    private static async Task ShouldEqualAsync(string where, ChildProcess player, FrameDigest expected)
    {
        try
        {
            var seen = await FrameDigest.CollectAsync(player, Soon);
            if (!where.StartsWith("origin", StringComparison.Ordinal) && !where.EndsWith("HLS", StringComparison.Ordinal))
            {
                seen.ShouldBeStretchOf(expected, expected.VideoFrames.Count);
                seen.AudioFrames[^1].Md5.ShouldBe(expected.AudioFrames[^1].Md5);
                return;
            }

            seen.ShouldEqual(expected);
        }
        catch (ShouldAssertException different)
        {
            throw new ShouldAssertException($"{where}: {different.Message}", different);
        }
    }

    /// <summary>Players of HLS begin with the first segment as soon as it is there.</summary>
    private static async Task<IEnumerable<(string Where, ChildProcess Player)>> StartHlsAsync((string Name, MillraceServer Server) node)
    {
        using var client = new HlsClient(node.Server, "live/bbb");
        var master = await client.UntilAsync(client.LowLatencyUrl, playlist => playlist.Renditions.Count == 2, Soon);
        foreach (var rendition in master.Renditions)
            await client.UntilAsync(client.InFolder(rendition), playlist => playlist.Segments.Count > 0, Soon);
        await client.UntilAsync(client.TsUrl, playlist => playlist.Segments.Count > 0, Soon);
        return [($"{node.Name} LL-HLS", Ffmpeg.Digest(client.LowLatencyUrl)), ($"{node.Name} TS HLS", Ffmpeg.Digest(client.TsUrl))];
    }

    private static async Task<Tree> TreeAsync()
    {
        // Whoever waits for a name asks again soon: so that all are there from the first picture on.
        const string Edge = "  negative_cache: 100ms";
        var origin = await MillraceServer.StartAsync("publish:\n  grace: 1s\nhls:\n  segment: 2s\n  part: 300ms");
        var edges = await Task.WhenAll(Edges.StartAsync(origin, Edge), Edges.StartAsync(origin, Edge));
        var third = await Edges.StartAsync(edges[0], Edge);
        var fourth = await Edges.StartAsync(third, Edge);
        return new Tree([.. Names.Split(", ").Zip([origin, .. edges, third, fourth])]);
    }

    /// <summary>The nodes, the origin first; the deepest end first.</summary>
    private sealed record Tree((string Name, MillraceServer Server)[] Nodes) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            foreach (var (_, server) in Nodes.Reverse())
                await server.DisposeAsync();
        }
    }
}
