using System.CommandLine;
using Millrace.Bench.Publish;

namespace Millrace.Bench.Commands;

/// <summary>`publish`: what many publishers cost, beside nginx-rtmp in the same rounds.</summary>
internal static class PublishCommand
{
    private const string About = """
        CPU seconds of the server per Gbit that it receives from many publishers, beside nginx-rtmp in interleaved runs (A B, B A, A B, ...).
        The server is pinned to one core, the publishers to another. Prints medians, spread, the ratio of each pair and memory per publisher;
        writes JSON to bench/results/. Exit code 1: the bar is missed; 2: runs were invalid.
        Harness check: `publish --server nginx` measures nginx-rtmp against itself; the ratio must be about 1.
        """;

    public static Command Create()
    {
        Option<int> publishers = new("--publishers") { Description = "Number of publishers, each with a stream of its own", DefaultValueFactory = _ => 500 };
        Option<int> kilobits = new("--kbit") { Description = "Which clip: 2650, 600, 300, or 60 (audio only)", DefaultValueFactory = _ => 600 };
        Option<int> viewers = new("--viewers-per-stream") { Description = "RTMP viewers of each stream", DefaultValueFactory = _ => 0 };
        Option<int> chunk = new("--chunk") { Description = "The publishers' RTMP chunk size; 4096 as OBS Studio", DefaultValueFactory = _ => 4096 };
        Option<int> pace = new("--pace") { Description = "Least milliseconds between two passes over the publishers", DefaultValueFactory = _ => 10 };
        Option<int> ramp = new("--ramp") { Description = "New publishers per second", DefaultValueFactory = _ => 250 };
        Option<int> runs = new("--runs") { Description = "Pairs", DefaultValueFactory = _ => 5 };
        Option<double> seconds = new("--seconds") { Description = "Measured window of a run", DefaultValueFactory = _ => 10 };
        Option<double> settle = new("--settle") { Description = "Seconds between the last acceptance and the window; the runtime compiles meanwhile", DefaultValueFactory = _ => 15 };
        var common = new CommonOptions(21930, mayBeNginx: true);
        Option<double?> bar = new("--bar") { Description = "Largest accepted ratio to the peer, e.g. 1.0" };
        var command = new Command("publish", About)
        {
            publishers, kilobits, viewers, chunk, pace, ramp, runs, seconds, settle, bar,
        };
        common.AddTo(command);
        command.SetAction(parsed => new PublishRun(new PublishPlan
        {
            Publishers = parsed.GetValue(publishers),
            Kilobits = parsed.GetValue(kilobits),
            ViewersPerStream = parsed.GetValue(viewers),
            Chunk = parsed.GetValue(chunk),
            PaceMs = parsed.GetValue(pace),
            Ramp = parsed.GetValue(ramp),
            Runs = parsed.GetValue(runs),
            Seconds = parsed.GetValue(seconds),
            Settle = parsed.GetValue(settle),
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
