using System.CommandLine;
using Millrace.Bench.Churn;

namespace Millrace.Bench.Commands;

/// <summary>`churn`: what viewers that come and go feel, cost others, and leave behind.</summary>
internal static class ChurnCommand
{
    private const string About = """
        Left: connect, play, disconnect, many times; also for names that were never used before and never will be again. Samples the
        server's resident memory, descriptors and managed heap (from /metrics, where there is one).
        Joins: RTMP viewers that leave with their first media message, as fast as the server takes them: joins/s, CPU time of each,
        time to that message. Beside: viewers that come and stay a while, next to others that stay, whose pictures' delivery time is taken
        without them (A) and with them (B). Both beside nginx-rtmp in interleaved runs, the servers on one core, the load on another.
        Exit code 1: it grew more than allowed after the first sample, or the p99 of those who stay is more than 1.25 times that
        alone + 2 ms; 2: cycles failed, or runs were invalid.
        """;

    public static Command Create()
    {
        Option<string> measures = new("--measures") { Description = "Which: left, joins, beside", DefaultValueFactory = _ => "left,joins,beside" };
        Option<int> count = new("--count") { Description = "Left: cycles, of all kinds together", DefaultValueFactory = _ => 200_000 };
        Option<int> parallel = new("--parallel") { Description = "Left: connections at a time", DefaultValueFactory = _ => 64 };
        Option<string> kinds = new("--kinds") { Description = "Left, in turn: play, absent (RTMP), flv, flvAbsent (HTTP-FLV)", DefaultValueFactory = _ => "play,absent,flv,flvAbsent" };
        Option<int> every = new("--sample-every") { Description = "Left: cycles between samples; growth counts from the first", DefaultValueFactory = _ => 10_000 };
        Option<double> allow = new("--allow") { Description = "Left: allowed growth in MB", DefaultValueFactory = _ => 5 };
        Option<string> heap = new("--heap-metric") { Description = "Left: regular expression for the heap's metric name", DefaultValueFactory = _ => "heap.*bytes" };
        Option<int> runs = new("--runs") { Description = "Joins, beside: pairs", DefaultValueFactory = _ => 5 };
        Option<double> seconds = new("--seconds") { Description = "Joins, beside: measured window", DefaultValueFactory = _ => 10 };
        Option<int> atOnce = new("--at-once") { Description = "Joins: viewers at a time", DefaultValueFactory = _ => 64 };
        Option<int> steady = new("--steady") { Description = "Beside: viewers that stay", DefaultValueFactory = _ => 500 };
        Option<int> perSecond = new("--per-second") { Description = "Beside: viewers that come, per second", DefaultValueFactory = _ => 200 };
        Option<double> stay = new("--stay") { Description = "Beside: seconds that each of them stays", DefaultValueFactory = _ => 5 };
        Option<int> merge = new("--merge-ms") { Description = "Window of our server in ms; 30 is its default", DefaultValueFactory = _ => 30 };
        var common = new CommonOptions(21950, mayBeNginx: true);
        var command = new Command("churn", About)
        {
            measures, count, parallel, kinds, every, allow, heap, runs, seconds, atOnce, steady, perSecond, stay, merge,
        };
        common.AddTo(command);
        command.SetAction(parsed => new ChurnRun(new ChurnPlan
        {
            Measures = [.. parsed.GetValue(measures)!.Split(',').Select(static m => Enum.Parse<ChurnMeasure>(m, ignoreCase: true))],
            Count = parsed.GetValue(count),
            Parallel = parsed.GetValue(parallel),
            Kinds = [.. parsed.GetValue(kinds)!.Split(',').Select(static k => Enum.Parse<CycleKind>(k, ignoreCase: true))],
            SampleEvery = parsed.GetValue(every),
            AllowedMb = parsed.GetValue(allow),
            HeapMetric = parsed.GetValue(heap)!,
            Runs = parsed.GetValue(runs),
            Seconds = parsed.GetValue(seconds),
            AtOnce = parsed.GetValue(atOnce),
            Steady = parsed.GetValue(steady),
            PerSecond = parsed.GetValue(perSecond),
            Stay = parsed.GetValue(stay),
            MergeMs = parsed.GetValue(merge),
            Server = parsed.GetValue(common.Server)!,
            BasePort = parsed.GetValue(common.BasePort),
            ServerCore = parsed.GetValue(common.ServerCore),
            LoadCore = parsed.GetValue(common.LoadCore),
            Keep = parsed.GetValue(common.Keep),
        }).Execute());
        return command;
    }
}
