using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd.Cluster.Chaos;

/// <summary>
/// Origins, two edges with a line to each origin, an nginx as a foreign origin; streams that are published at an edge, at an origin and at the nginx;
/// and viewers of all of them at both edges.
/// </summary>
internal sealed class ChaosCluster : IAsyncDisposable
{
    /// <summary>Long enough for a publisher to come back when his node has been started again, on a busy machine too.</summary>
    private const string Publish = "publish:\n  grace: 6s";

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    public List<ChaosNode> Origins { get; } = [];

    public List<ChaosNode> Edges { get; } = [];

    public List<RelayLine> Lines { get; } = [];

    /// <summary>Each with what its publisher is connected to when nothing is wrong.</summary>
    public List<ChaosStream> Streams { get; } = [];

    public List<ChaosViewer> Viewers { get; } = [];

    public NginxRtmp Nginx { get; private set; } = null!;

    public ChaosStream OfOrigin { get; } = new("live", "origin");

    public ChaosStream OfNginx { get; } = new("foreign", "nginx");

    public IEnumerable<ChaosNode> Nodes => Origins.Concat(Edges);

    /// <summary>Streams that go by another origin when one has gone.</summary>
    public IEnumerable<ChaosStream> OfEdges => Streams.Where(stream => stream != OfOrigin && stream != OfNginx);

    public async Task StartAsync(int origins)
    {
        Nginx = await NginxRtmp.StartAsync();
        for (var i = 0; i < origins; i++)
            Origins.Add(new ChaosNode($"origin{i}", await MillraceServer.StartAsync($"cluster:\n  node: origin{i}\nhls:\n  segment: 1s\n  part: 200ms\n{Publish}")));
        for (var i = 0; i < 2; i++)
        {
            var lines = Origins.ConvertAll(static origin => new RelayLine(origin.Server.RelayPort));
            Lines.AddRange(lines);
            Edges.Add(new ChaosNode($"edge{i}", await StartEdgeAsync($"edge{i}", lines)));
            Streams.Add(new ChaosStream("live", $"edge{i}"));
        }

        Streams.AddRange([OfOrigin, OfNginx]);
    }

    /// <summary>All publishers and all viewers come.</summary>
    public async Task FillAsync()
    {
        for (var i = 0; i < Edges.Count; i++)
            await Streams[i].PublishAsync(Edges[i].Server.RtmpPort, Edges[i]);
        await OfOrigin.PublishAsync(Origins[0].Server.RtmpPort, Origins[0]);
        await OfNginx.PublishAsync(Nginx.Port, node: null);
        foreach (var edge in Edges)
            await FillAsync(edge);
    }

    /// <summary>The viewers of an edge come, and all of them see something.</summary>
    public async Task FillAsync(ChaosNode edge)
    {
        var first = new List<ChaosViewer>();
        foreach (var stream in Streams)
            first.Add(await ChaosViewer.RtmpAsync(edge, stream));
        Viewers.AddRange(first);
        await ChaosViewer.FlowAsync(first);
        foreach (var stream in Streams)
        {
            Viewers.Add(await ChaosViewer.FlvAsync(edge, stream));
            Viewers.Add(ChaosViewer.Hls(edge, stream));
        }

        await ChaosViewer.FlowAsync(Viewers.FindAll(viewer => viewer.Edge == edge));
    }

    /// <summary>Those at a node have gone with it.</summary>
    public async Task ForgetViewersAsync(ChaosNode edge)
    {
        foreach (var viewer in Viewers.FindAll(viewer => viewer.Edge == edge))
            await viewer.DisposeAsync();
        Viewers.RemoveAll(viewer => viewer.Edge == edge);
    }

    /// <summary>Every stream has its publisher and comes to every viewer.</summary>
    public async Task FlowAsync()
    {
        foreach (var stream in Streams)
            stream.HasPublisher.ShouldBeTrue($"the publisher of {stream.Name} at {stream.PublishedAt?.Name ?? "nginx"} has been disconnected");
        await ChaosViewer.FlowAsync(Viewers);
    }

    /// <summary>Each edge fetches each stream once that is not published there, and sends on each once that is.</summary>
    public async Task ShouldFetchEachStreamOnceAsync()
    {
        foreach (var edge in Edges)
        {
            var expected = Streams.Where(stream => stream.PublishedAt != edge).Select(static stream => (stream.FullName, "live")).Order().ToList();
            await UntilEqualAsync(edge.UpstreamsAsync, expected, edge.Name + " fetches");
            var published = Streams.Where(stream => stream.PublishedAt == edge).Select(static stream => stream.FullName).Order().ToList();
            await UntilEqualAsync(edge.DownstreamsAsync, published, edge.Name + " sends");
        }

        var fetched = Edges.SelectMany(edge => Streams.Where(stream => stream != OfNginx && stream.PublishedAt != edge)).Select(static stream => stream.FullName).Order().ToList();
        await UntilEqualAsync(
            async () => [.. (await Task.WhenAll(Origins.Select(static origin => origin.DownstreamsAsync()))).SelectMany(static streams => streams).Order()],
            fetched, "origins send");
    }

    /// <summary>Viewers leave, then publishers. What each node holds when it has let all go is no more than at another moment like this.</summary>
    /// <param name="control">Of each node; what is not here yet is taken now.</param>
    public async Task EmptyAsync(Dictionary<ChaosNode, NodeLevels> control)
    {
        foreach (var viewer in Viewers)
            await viewer.DisposeAsync();
        Viewers.Clear();
        foreach (var edge in Edges)
            await UntilEqualAsync(edge.UpstreamsAsync, [], edge.Name + " fetches what nobody watches:");
        Streams.ForEach(static stream => stream.Leave(isPolite: true));
        foreach (var node in Nodes)
        {
            NodeLevels? last = null;
            await Wait.UntilAsync(
                async () => (last = await node.LevelsAsync()) is { Streams: 0, Sessions: 0, MemoryBytes: 0 } && (!control.TryGetValue(node, out var level) || last.Above(level).Count == 0),
                Deadline,
                () => $"{node.Name} holds more than before: {string.Join("; ", control.TryGetValue(node, out var level) ? last!.Above(level) : [])}\n{last}\n{node.Server.Process.Tail()}");
            control.TryAdd(node, last!);
            TestContext.Current.TestOutputHelper?.WriteLine($"{node.Name} has {last}");
            node.Faults.ShouldBeEmpty();
        }
    }

    public async ValueTask DisposeAsync()
    {
        Streams.ForEach(static stream => stream.Dispose());
        foreach (var viewer in Viewers)
            await viewer.DisposeAsync();
        foreach (var node in Nodes.Reverse())
            await node.DisposeAsync();
        foreach (var line in Lines)
            await line.DisposeAsync();
        if (Nginx is not null)
            await Nginx.DisposeAsync();
    }

    private Task<MillraceServer> StartEdgeAsync(string name, List<RelayLine> lines) => MillraceServer.StartAsync($$"""
        cluster:
          node: {{name}}
        edge:
          linger: 2s
          retry_max: 1s
          negative_cache: 100ms
        hls:
          segment: 1s
          part: 200ms
        {{Publish}}
        vhosts:
          - name: default
            mode: remote
            origin: [{{string.Join(", ", lines.Select(static line => $"\"{line.Address}\""))}}]
            apps:
              - name: foreign
                mode: remote
                origin: ["rtmp://127.0.0.1:{{Nginx.Port}}/live/{name}"]
        """);

    private static async Task UntilEqualAsync<T>(Func<Task<List<T>>> actual, List<T> expected, string what)
    {
        List<T> last = [];
        await Wait.UntilAsync(
            async () => (last = await actual()).SequenceEqual(expected), Deadline, () => $"{what} {string.Join(", ", last)}, which should be {string.Join(", ", expected)}");
    }
}
