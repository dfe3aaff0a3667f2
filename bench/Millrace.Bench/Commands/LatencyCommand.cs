using System.CommandLine;
using Millrace.Bench.Latency;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Commands;

/// <summary>`latency`: the time that the server adds between an RTMP publisher and an RTMP player.</summary>
internal static class LatencyCommand
{
    private const string About = """
        The time the server adds from RTMP publish to RTMP play at merge 0, against a plain TCP relay in the same run.
        With --levels so many edges stand one below the other, each with a player: what a level adds is the difference to the one above.
        Pictures carry their send time; the relay and the server run on one core, sender and receiver where the system puts them
        (pin the bench itself with taskset -c 1). The figures are differences of the p50 and of the p99 of both ways.
        """;

    public static Command Create()
    {
        Option<int> runs = new("--runs") { Description = "Runs", DefaultValueFactory = _ => 3 };
        Option<double> seconds = new("--seconds") { Description = "Measured seconds of a run (30 pictures each)", DefaultValueFactory = _ => 30 };
        Option<double> warmup = new("--warmup") { Description = "Seconds before that, in which the code gets compiled", DefaultValueFactory = _ => 10 };
        Option<int> merge = new("--merge-ms") { Description = "Window of our server in ms", DefaultValueFactory = _ => 0 };
        Option<string> server = new("--server") { Description = "Our server's program, or `nginx`", DefaultValueFactory = _ => Target.DefaultProgram };
        Option<int> levels = new("--levels") { Description = "Edges below the server, one below the other; of ours only", DefaultValueFactory = _ => 0 };
        Option<int> basePort = new("--base-port") { Description = "First of ten ports on 127.0.0.1, and of ten more for each level", DefaultValueFactory = _ => 21940 };
        Option<int> core = new("--server-core") { Description = "Core of server and relay; -1 leaves them unpinned", DefaultValueFactory = _ => 0 };
        Option<double?> barP50 = new("--bar-p50") { Description = "Largest accepted added p50 in ms (exit code 1 above it)" };
        Option<double?> barP99 = new("--bar-p99") { Description = "Largest accepted added p99 in ms (exit code 1 above it)" };
        Option<double?> barLevel = new("--bar-level-p99") { Description = "Largest accepted p99 that a level adds, in ms (exit code 1 above it)" };
        Option<string?> keep = new("--keep") { Description = "Write bench/results/NAME.json, which git does not ignore" };
        var command = new Command("latency", About) { runs, seconds, warmup, merge, server, levels, basePort, core, barP50, barP99, barLevel, keep };
        command.SetAction(parsed => new LatencyRun(new LatencyPlan
        {
            Runs = parsed.GetValue(runs),
            Seconds = parsed.GetValue(seconds),
            Warmup = parsed.GetValue(warmup),
            WindowMs = parsed.GetValue(merge),
            Server = parsed.GetValue(server)!,
            Levels = parsed.GetValue(levels),
            BasePort = parsed.GetValue(basePort),
            ServerCore = parsed.GetValue(core),
            BarP50 = parsed.GetValue(barP50),
            BarP99 = parsed.GetValue(barP99),
            BarLevel = parsed.GetValue(barLevel),
            Keep = parsed.GetValue(keep),
        }).Execute());
        return command;
    }
}
