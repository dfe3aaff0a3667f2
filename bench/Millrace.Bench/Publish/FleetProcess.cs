using System.Text.Json;
using Millrace.Bench.Measure;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Publish;

/// <summary>The `publishers` command as a process of its own: the source of many streams for whoever measures something else.</summary>
internal sealed class FleetProcess : IDisposable
{
    private readonly ChildProcess _process;

    private FleetProcess(ChildProcess process) => _process = process;

    public int ProcessId => _process.Id;

    public bool Exited => _process.Exited;

    /// <summary>Starts it, and returns when all publishers have been accepted.</summary>
    /// <exception cref="InvalidOperationException">They were not.</exception>
    public static FleetProcess Start(int core, PublishersPlan plan)
    {
        var fleet = new FleetProcess(ChildProcess.StartSelf(core, plan.ToArguments(), keepOutput: true));
        if (fleet._process.ReadLine() is { } line && line == AcceptedLine(plan.Publishers)) return fleet;
        fleet._process.Terminate();
        string report = fleet._process.ReadOutput(), errors = fleet._process.Errors;
        fleet.Dispose();
        throw new InvalidOperationException($"not all publishers were accepted: {report}{errors}");
    }

    /// <summary>What the process says first.</summary>
    public static string AcceptedLine(int count) => JsonSerializer.Serialize(new { accepted = count }, ResultFile.OneLine);

    /// <summary>Waits for the end of the window, and with <see cref="PublishersPlan.Seconds"/> 0 ends it.</summary>
    public PublishersReport Finish(PublishersPlan plan)
    {
        if (plan.Seconds <= 0) _process.Terminate();
        return _process.ReadLine() is { } line
            ? JsonSerializer.Deserialize<PublishersReport>(line, ResultFile.OneLine)!
            : throw new InvalidOperationException($"the publishers failed:\n{_process.Errors}");
    }

    public void Dispose() => _process.Dispose();
}
