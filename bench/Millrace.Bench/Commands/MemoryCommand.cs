using System.CommandLine;
using Millrace.Bench.Load;
using Millrace.Bench.Memory;

namespace Millrace.Bench.Commands;

/// <summary>`memory`: what a viewer, a node with one stream, and a start cost.</summary>
internal static class MemoryCommand
{
    private const string About = """
        Viewer: resident memory for each viewer above the first, and the kernel's, ours beside nginx-rtmp in interleaved rounds.
        Node: resident memory with one stream, no viewer, after two minutes. Start: from the start of the process until its
        media ports take connections, warm, beside a small .NET program and nginx. Exit code 1: a bar is missed; 2: runs were invalid.
        """;

    public static Command Create()
    {
        Option<string> measures = new("--measures") { Description = "Which", DefaultValueFactory = _ => "viewer,node,start" };
        Option<int> runs = new("--runs") { Description = "Viewer: rounds", DefaultValueFactory = _ => 5 };
        Option<int> viewers = new("--viewers") { Description = "Viewer: how many, up to 5000", DefaultValueFactory = _ => 1500 };
        Option<string> protocols = new("--protocols") { Description = "Viewer: rtmp, flv or both; the peer always runs rtmp", DefaultValueFactory = _ => "rtmp,flv" };
        Option<int> ramp = new("--ramp") { Description = "Viewer: new viewers per second", DefaultValueFactory = _ => 500 };
        Option<double> alone = new("--alone") { Description = "Viewer: seconds that the first is alone", DefaultValueFactory = _ => 14 };
        Option<double> settle = new("--settle") { Description = "Viewer: seconds between the last viewer's start and the window", DefaultValueFactory = _ => 4 };
        Option<double> seconds = new("--seconds") { Description = "Viewer: window, with a sample each second", DefaultValueFactory = _ => 6 };
        Option<double> nodeSeconds = new("--node-seconds") { Description = "Node: how long the stream runs; the last ten are sampled", DefaultValueFactory = _ => 120 };
        Option<int> nodeRuns = new("--node-runs") { Description = "Node: runs", DefaultValueFactory = _ => 1 };
        Option<int> starts = new("--starts") { Description = "Start: warm starts", DefaultValueFactory = _ => 10 };
        var common = new CommonOptions(21970);
        Option<double?> barViewer = new("--bar-viewer-kb") { Description = "Largest accepted resident memory per viewer, e.g. 8" };
        Option<double?> barKernel = new("--bar-kernel") { Description = "Largest accepted ratio of kernel memory per viewer to the peer's, e.g. 1" };
        Option<double?> barNode = new("--bar-node-mb") { Description = "Largest accepted resident memory of a node with one stream, e.g. 100" };
        Option<double?> barStart = new("--bar-start-s") { Description = "Largest accepted time until the media ports take connections, e.g. 0.6" };
        var command = new Command("memory", About)
        {
            measures, runs, viewers, protocols, ramp, alone, settle, seconds, nodeSeconds, nodeRuns, starts,
            barViewer, barKernel, barNode, barStart,
        };
        common.AddTo(command);
        command.SetAction(parsed => new MemoryRun(new MemoryPlan
        {
            Measures = [.. parsed.GetValue(measures)!.Split(',').Select(static m => Enum.Parse<MemoryMeasure>(m, ignoreCase: true))],
            Runs = parsed.GetValue(runs),
            Viewers = parsed.GetValue(viewers),
            Protocols = [.. parsed.GetValue(protocols)!.Split(',').Select(static p => Enum.Parse<Protocol>(p, ignoreCase: true))],
            Ramp = parsed.GetValue(ramp),
            Alone = parsed.GetValue(alone),
            Settle = parsed.GetValue(settle),
            Seconds = parsed.GetValue(seconds),
            NodeSeconds = parsed.GetValue(nodeSeconds),
            NodeRuns = parsed.GetValue(nodeRuns),
            Starts = parsed.GetValue(starts),
            Server = parsed.GetValue(common.Server)!,
            BasePort = parsed.GetValue(common.BasePort),
            ServerCore = parsed.GetValue(common.ServerCore),
            LoadCore = parsed.GetValue(common.LoadCore),
            BarViewerKb = parsed.GetValue(barViewer),
            BarKernel = parsed.GetValue(barKernel),
            BarNodeMb = parsed.GetValue(barNode),
            BarStartS = parsed.GetValue(barStart),
            Keep = parsed.GetValue(common.Keep),
        }).Execute());
        return command;
    }
}
