using System.CommandLine;

namespace Millrace.Bench.Commands;

/// <summary>`edges`: CPU of an origin for each edge of a stream, beside that for each RTMP viewer.</summary>
internal static class EdgesCommand
{
    private const string About = """
        CPU seconds of one server per Gbit, for edges of a stream and for as many RTMP viewers of it, in turn (A B, B A, ...). The
        server stays the same and has run for a while: what it compiles in its first minute is nobody's share. Prints medians,
        spread and the ratio of each pair. Exit code 1: the bar is missed; 2: runs were invalid.
        """;

    public static Command Create()
    {
        Option<int> edges = new("--edges") { Description = "Edges, and RTMP viewers", DefaultValueFactory = _ => 320 };
        Option<int> runs = new("--runs") { Description = "Pairs", DefaultValueFactory = _ => 9 };
        Option<int> merge = new("--merge-ms") { Description = "The server's window in ms; that for edges follows from it as it does by default", DefaultValueFactory = _ => FanoutPlan.DefaultWindowMs };
        Option<double> warm = new("--warm") { Description = "Seconds that each of both kinds is served before", DefaultValueFactory = _ => 30 };
        Option<double> settle = new("--settle") { Description = "Seconds between the last one's start and the window: a new link measures clocks for 3.2", DefaultValueFactory = _ => 6 };
        Option<double> seconds = new("--seconds") { Description = "Measured window of a run", DefaultValueFactory = _ => 10 };
        Option<double?> bar = new("--bar") { Description = "Largest accepted ratio of an edge to an RTMP viewer, e.g. 1" };
        var common = new CommonOptions(21980);
        var command = new Command("edges", About) { edges, runs, merge, warm, settle, seconds, bar };
        common.AddTo(command);
        command.SetAction(parsed => new EdgesRun(new EdgesPlan
        {
            Edges = parsed.GetValue(edges),
            Runs = parsed.GetValue(runs),
            MergeMs = parsed.GetValue(merge),
            Warm = parsed.GetValue(warm),
            Settle = parsed.GetValue(settle),
            Seconds = parsed.GetValue(seconds),
            Server = parsed.GetValue(common.Server)!,
            BasePort = parsed.GetValue(common.BasePort),
            ServerCore = parsed.GetValue(common.ServerCore),
            LoadCore = parsed.GetValue(common.LoadCore),
            Bar = parsed.GetValue(bar),
            Keep = parsed.GetValue(common.Keep),
        }).Execute());
        return command;
    }
}
