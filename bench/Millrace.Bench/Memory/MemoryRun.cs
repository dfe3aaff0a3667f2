using System.Globalization;
using Millrace.Bench.Measure;
using Millrace.Bench.Media;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Memory;

/// <summary>Runs what `memory` was asked for and says what came out.</summary>
internal sealed class MemoryRun(MemoryPlan plan)
{
    private readonly List<string> _faults = [];
    private readonly Configurations _configurations = new();

    public int Execute()
    {
        var clip = ClipIndex.Load(Publisher.ClipPath());
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"one stream of {clip.BitsPerSecond / 1e6:F2} Mbit/s; viewers {plan.Viewers}, {plan.Runs} rounds"));
        using (var server = plan.CreateServer()) _configurations.Add(server.Label, server);
        var viewer = new ViewerMeasure(plan, clip, _faults, _configurations);
        var node = new NodeMeasure(plan, clip, _faults);
        var start = new StartMeasure(plan);
        foreach (var measure in plan.Measures)
        {
            Action run = measure switch
            {
                MemoryMeasure.Viewer => viewer.RunAll,
                MemoryMeasure.Node => node.RunAll,
                _ => start.RunAll,
            };
            run();
        }

        Console.WriteLine();
        var viewers = plan.Measures.Contains(MemoryMeasure.Viewer) ? viewer.Conclude() : [];
        var nodes = plan.Measures.Contains(MemoryMeasure.Node) ? node.Conclude() : null;
        var starts = plan.Measures.Contains(MemoryMeasure.Start) ? start.Conclude() : null;
        return Report(clip, viewers, nodes, starts);
    }

    private int Report(ClipIndex clip, IReadOnlyList<ViewerResult> viewers, NodeResult? node, StartResult? start)
    {
        foreach (var viewer in viewers) viewer.Print();
        node?.Print();
        start?.Print();
        bool missed = viewers.SelectMany(static v => new[] { v.Verdict, v.KernelVerdict }).Append(node?.Verdict).Append(start?.Verdict)
            .Any(static v => v?.StartsWith("MISSED", StringComparison.Ordinal) ?? false);
        return Conclusion.Write("memory", plan.Keep, _configurations, _faults, missed, machine => new
        {
            plan = plan with { Server = Target.Recorded(plan.Server) },
            machine,
            clipBitsPerSecond = clip.BitsPerSecond,
            viewers,
            node,
            start,
            faults = _faults,
            configurations = _configurations,
        });
    }
}
