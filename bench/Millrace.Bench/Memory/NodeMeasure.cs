using System.Globalization;
using Millrace.Bench.Measure;
using Millrace.Bench.Media;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Memory;

/// <summary>A node with one stream and no viewer, and nginx-rtmp with the same beside it at the same time. Neither is pinned to a core.</summary>
internal sealed class NodeMeasure(MemoryPlan plan, ClipIndex clip, List<string> faults)
{
    private const int Samples = 10;
    private readonly List<Run> _runs = [];

    public void RunAll()
    {
        for (int run = 0; run < plan.NodeRuns; run++) RunOnce(run);
    }

    public NodeResult Conclude()
    {
        var ours = Summary.Of(_runs.Select(static r => r.Ours.RssKb / 1024));
        return new NodeResult
        {
            OursMb = ours,
            PeerMb = Summary.Of(_runs.Select(static r => r.Peer.RssKb / 1024)),
            Verdict = plan.BarNodeMb is { } bar ? ours.Against(bar, " MB") : null,
            Runs = _runs,
        };
    }

    private void RunOnce(int run)
    {
        using var server = plan.CreateServer();
        using var peer = new NginxRtmp(plan.PeerPort);
        server.Start(core: -1);
        peer.Start(core: -1);
        using var publisher = Publisher.Start(core: -1, clip.Path, server.RtmpPort, "clip");
        using var other = Publisher.Start(core: -1, clip.Path, peer.RtmpPort, "clip");
        Thread.Sleep(TimeSpan.FromSeconds(Math.Max(0, plan.NodeSeconds - Samples)));
        MemorySampler ours = new(server.ProcessId, server.Metrics), theirs = new(peer.ProcessId, null);
        for (int i = 0; i < Samples; i++)
        {
            Thread.Sleep(1000);
            ours.Take();
            theirs.Take();
        }

        foreach (var child in (ReadOnlySpan<ChildProcess>)[publisher, other])
        {
            if (child.Exited) faults.Add($"node, run {run + 1}: a publisher ended: {child.Errors}");
        }

        var result = new Run(ours.Finish(), theirs.Finish());
        _runs.Add(result);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  node, run {run + 1}  after {plan.NodeSeconds:F0} s: RSS {result.Ours.RssKb / 1024:F1} MB (anonymous {result.Ours.AnonKb / 1024:F1}, media mapped {result.Ours.MappedKb / 1024:F0}, "
            + $"of it used {result.Ours.MediaKb / 1024:F1}, allocated since the start {result.Ours.AllocatedKb / 1024:F1}), nginx-rtmp {result.Peer.RssKb / 1024:F1} MB"));
    }

    internal sealed record Run(MemoryPhase Ours, MemoryPhase Peer);
}

/// <summary>Resident memory, MB, over the runs.</summary>
internal sealed record NodeResult
{
    public required Summary OursMb { get; init; }
    public required Summary PeerMb { get; init; }
    public string? Verdict { get; init; }
    public required IReadOnlyList<NodeMeasure.Run> Runs { get; init; }

    public void Print() => Console.WriteLine($"node with one stream: {ViewerResult.Text(OursMb, "F1")} MB, nginx-rtmp {ViewerResult.Text(PeerMb, "F1")} MB{ViewerResult.Suffix(Verdict)}");
}
