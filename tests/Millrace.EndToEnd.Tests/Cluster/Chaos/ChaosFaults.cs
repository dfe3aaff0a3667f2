using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd.Cluster.Chaos;

/// <summary>What can go wrong. Each returns when what it has broken is whole again, and all that chance decides is decided before anything happens.</summary>
internal sealed class ChaosFaults(ChaosCluster cluster, Random random)
{
    public IReadOnlyList<Func<Task>> All =>
    [
        RestartOriginAsync, RestartOriginAsync, FreezeOriginAsync, RestartAllOriginsAsync, RestartEdgeAsync, FreezeEdgeAsync,
        CutLineAsync, FreezeLineAsync, SlowLineAsync, ReturnAsync, CrowdAsync, RestartNginxAsync,
    ];

    private async Task RestartOriginAsync()
    {
        var origin = Any(cluster.Origins);
        var waits = random.Next(2) == 0;
        Say($"{origin.Name} is killed and started again{(waits ? " when others have gone on" : "")}");
        origin.Kill();
        if (waits)
            await OfEdgesFlowAsync();
        await origin.RestartAsync();
        if (origin == cluster.OfOrigin.PublishedAt)
            await cluster.OfOrigin.PublishAsync(origin.Server.RtmpPort, origin);
    }

    private async Task RestartAllOriginsAsync()
    {
        var pause = Pause(0, 2);
        Say($"all origins are killed for {pause.TotalSeconds:0.0} s");
        cluster.Origins.ForEach(static origin => origin.Kill());
        await Task.Delay(pause, TestContext.Current.CancellationToken);
        await Task.WhenAll(cluster.Origins.Select(static origin => origin.RestartAsync()));
        await cluster.OfOrigin.PublishAsync(cluster.OfOrigin.PublishedAt!.Server.RtmpPort, cluster.OfOrigin.PublishedAt);
    }

    private async Task FreezeOriginAsync() => await FreezeAsync(Any(cluster.Origins));

    private async Task FreezeEdgeAsync() => await FreezeAsync(Any(cluster.Edges));

    private async Task FreezeAsync(ChaosNode node)
    {
        var pause = Pause(0.2, 2);
        Say($"{node.Name} stands still for {pause.TotalSeconds:0.0} s");
        node.Server.Process.Freeze();
        await Task.Delay(pause, TestContext.Current.CancellationToken);
        node.Server.Process.Thaw();
    }

    /// <summary>Its viewers go with it; its publishers come back by any edge.</summary>
    private async Task RestartEdgeAsync()
    {
        var edge = Any(cluster.Edges);
        var published = cluster.OfEdges.Where(stream => stream.PublishedAt == edge).Select(stream => (Stream: stream, To: Any(cluster.Edges))).ToList();
        Say($"{edge.Name} is killed and started again; {string.Join(", ", published.Select(static entry => $"{entry.Stream.Name} comes back by {entry.To.Name}"))}");
        edge.Kill();
        await cluster.ForgetViewersAsync(edge);
        foreach (var (stream, to) in published.Where(entry => entry.To != edge))
            await stream.PublishAsync(to.Server.RtmpPort, to);
        await edge.RestartAsync();
        foreach (var (stream, to) in published.Where(entry => entry.To == edge))
            await stream.PublishAsync(to.Server.RtmpPort, to);
        await cluster.FillAsync(edge);
    }

    private Task CutLineAsync() => StopLineAsync("cut", 0, 1.5, static line => line.Cut());

    private Task FreezeLineAsync() => StopLineAsync("frozen", 0.2, 2, static line => line.Freeze());

    private async Task StopLineAsync(string how, double least, double most, Action<RelayLine> stop)
    {
        var line = Any(cluster.Lines);
        var pause = Pause(least, most);
        Say($"line {cluster.Lines.IndexOf(line)} is {how} for {pause.TotalSeconds:0.0} s");
        stop(line);
        await Task.Delay(pause, TestContext.Current.CancellationToken);
        line.Restore();
    }

    /// <summary>So slow that heartbeats still come in time: nothing is to be given up.</summary>
    private async Task SlowLineAsync()
    {
        var line = Any(cluster.Lines);
        var delay = Pause(0.02, 0.2);
        Say($"line {cluster.Lines.IndexOf(line)} is slow by {delay.TotalSeconds:0.00} s");
        line.Slow(delay);
        await cluster.FlowAsync();
        line.Restore();
    }

    /// <summary>A publisher leaves, with or without a word, and comes back to the same node.</summary>
    private async Task ReturnAsync()
    {
        var stream = Any(cluster.Streams);
        var isPolite = random.Next(2) == 0;
        var pause = Pause(0, 1.5);
        Say($"the publisher of {stream.Name} {(isPolite ? "leaves" : "is cut off")} for {pause.TotalSeconds:0.0} s");
        stream.Leave(isPolite);
        await Task.Delay(pause, TestContext.Current.CancellationToken);
        await stream.PublishAsync(stream.PublishedAt?.Server.RtmpPort ?? cluster.Nginx.Port, stream.PublishedAt);
    }

    /// <summary>Half of those who come wait until they see something.</summary>
    private async Task CrowdAsync()
    {
        const int Count = 30;
        var picks = Enumerable.Range(0, Count).Select(_ => (Edge: Any(cluster.Edges), Stream: Any(cluster.Streams))).ToList();
        Say($"{Count} viewers come and go");
        var crowd = new List<ChaosViewer>();
        foreach (var ((edge, stream), i) in picks.Select(static (pick, i) => (pick, i)))
            crowd.Add(i % 2 == 0 ? await ChaosViewer.RtmpAsync(edge, stream) : await ChaosViewer.FlvAsync(edge, stream));
        foreach (var viewer in crowd[..(Count / 2)])
            await viewer.DisposeAsync();
        await ChaosViewer.FlowAsync(crowd[(Count / 2)..]);
        foreach (var viewer in crowd[(Count / 2)..])
            await viewer.DisposeAsync();
    }

    private async Task RestartNginxAsync()
    {
        Say("nginx is killed and started again");
        await cluster.Nginx.RestartAsync();
        await cluster.OfNginx.PublishAsync(cluster.Nginx.Port, node: null);
    }

    private Task OfEdgesFlowAsync() => ChaosViewer.FlowAsync(cluster.Viewers.FindAll(viewer => cluster.OfEdges.Contains(viewer.Stream)));

    private T Any<T>(IReadOnlyList<T> list) => list[random.Next(list.Count)];

    private TimeSpan Pause(double least, double most) => TimeSpan.FromSeconds(least + random.NextDouble() * (most - least));

    private static void Say(string what) => TestContext.Current.TestOutputHelper?.WriteLine($"{DateTime.UtcNow:HH:mm:ss.fff} {what}");
}
