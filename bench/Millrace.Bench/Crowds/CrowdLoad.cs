using System.Text.Json;
using Millrace.Bench.Measure;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Crowds;

/// <summary>The crowd in a process of its own, with its publisher, on the load's core.</summary>
internal static class CrowdLoad
{
    /// <summary>The command that <see cref="Measure"/> starts; its only argument is the plan as JSON.</summary>
    public const string Command = "crowd";

    public static CrowdWindow[] Measure(int core, CrowdPlan plan) =>
        ChildProcess.Report<CrowdWindow[]>(core, [Command, JsonSerializer.Serialize(plan, ResultFile.OneLine)]);

    /// <summary>What the started process does: writes its windows as one line of JSON.</summary>
    public static int Run(string plan)
    {
        var parsed = JsonSerializer.Deserialize<CrowdPlan>(plan, ResultFile.OneLine)!;
        using var publisher = StampedPublisher.Start(parsed.Clip, parsed.RtmpPort, parsed.App, CrowdPlan.Name);
        using var crowd = new Crowd(parsed);
        var windows = crowd.Run();
        if (publisher.Fault is { } fault) throw new InvalidOperationException(fault);
        Console.WriteLine(JsonSerializer.Serialize(windows, ResultFile.OneLine));
        return 0;
    }
}
