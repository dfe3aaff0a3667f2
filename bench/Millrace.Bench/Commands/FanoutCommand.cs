using System.CommandLine;
using Millrace.Bench.Load;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Commands;

/// <summary>`fanout`: CPU seconds of the server per Gbit delivered, beside nginx-rtmp in the same rounds.</summary>
internal static class FanoutCommand
{
    private const string About = """
        CPU seconds of the server per Gbit that viewers received, beside nginx-rtmp in interleaved runs (A B, B A, A B, ...).
        The server is pinned to one core, the load generator and the publisher (ffmpeg) to another. Prints medians, spread and the
        ratio of each pair; writes JSON to bench/results/. Exit code 1: the bar is missed; 2: runs were invalid.
        Harness check: `fanout --server nginx` measures nginx-rtmp against itself; the ratio must be about 1.
        """;

    public static Command Create()
    {
        Option<int> viewers = new("--viewers") { Description = "Viewers of the one stream", DefaultValueFactory = _ => 1500 };
        Option<string> merge = new("--merge") { Description = "Windows of our server, e.g. 0ms,10ms,50ms,350ms; 30ms is always run too", DefaultValueFactory = _ => "30ms" };
        Option<string> protocols = new("--protocols") { Description = "rtmp, flv or both; the peer always runs rtmp", DefaultValueFactory = _ => "rtmp,flv" };
        Option<int> runs = new("--runs") { Description = "Pairs", DefaultValueFactory = _ => 5 };
        Option<double> seconds = new("--seconds") { Description = "Measured window of a run", DefaultValueFactory = _ => 10 };
        Option<double> settle = new("--settle") { Description = "Seconds between the last viewer's start and the window", DefaultValueFactory = _ => 4 };
        Option<int> ramp = new("--ramp") { Description = "New viewers per second", DefaultValueFactory = _ => 500 };
        Option<int> pace = new("--pace") { Description = "Least milliseconds between two reads of a viewer by the load generator", DefaultValueFactory = _ => 10 };
        Option<string> server = new("--server") { Description = "Our server's program, or `nginx` for the harness check", DefaultValueFactory = _ => Target.DefaultProgram };
        Option<int> basePort = new("--base-port") { Description = "First of six ports on 127.0.0.1", DefaultValueFactory = _ => 21930 };
        Option<int> serverCore = new("--server-core") { Description = "Core of the server", DefaultValueFactory = _ => 0 };
        Option<int> loadCore = new("--load-core") { Description = "Core of load generator and publisher", DefaultValueFactory = _ => 1 };
        Option<double?> bar = new("--bar") { Description = "Largest accepted ratio to the peer for the windows named by --merge, e.g. 0.65" };
        Option<string?> keep = new("--keep") { Description = "Write bench/results/NAME.json, which git does not ignore" };
        var command = new Command("fanout", About)
        {
            viewers, merge, protocols, runs, seconds, settle, ramp, pace, server, basePort, serverCore, loadCore, bar, keep,
        };
        command.SetAction(parsed => new FanoutRun(new FanoutPlan
        {
            Viewers = parsed.GetValue(viewers),
            WindowsMs = FanoutPlan.ParseWindows(parsed.GetValue(merge)!),
            Protocols = [.. parsed.GetValue(protocols)!.Split(',').Select(static p => Enum.Parse<Protocol>(p, ignoreCase: true))],
            Runs = parsed.GetValue(runs),
            Seconds = parsed.GetValue(seconds),
            Settle = parsed.GetValue(settle),
            Ramp = parsed.GetValue(ramp),
            PaceMs = parsed.GetValue(pace),
            Server = parsed.GetValue(server)!,
            BasePort = parsed.GetValue(basePort),
            ServerCore = parsed.GetValue(serverCore),
            LoadCore = parsed.GetValue(loadCore),
            Bar = parsed.GetValue(bar),
            Keep = parsed.GetValue(keep),
        }).Execute());
        return command;
    }
}
