using System.CommandLine;
using Millrace.Bench.Curves;
using Millrace.Bench.Load;

namespace Millrace.Bench.Commands;

/// <summary>`fanout`: CPU seconds of the server per Gbit delivered, beside nginx-rtmp in the same rounds.</summary>
internal static class FanoutCommand
{
    private const string About = """
        CPU seconds of the server per Gbit that viewers received, beside nginx-rtmp in interleaved runs (A B, B A, A B, ...).
        The server is pinned to one core, the load generator and the publisher (ffmpeg) to another. Prints medians, spread and the
        ratio of each pair; writes JSON to bench/results/. Exit code 1: the bar is missed; 2: runs were invalid.
        --curve and --knee ask how cost and what is held depend on the number of viewers and streams, with thinner clips; RTMP only.
        Harness check: `fanout --server nginx` measures nginx-rtmp against itself; the ratio must be about 1.
        """;

    public static Command Create()
    {
        Option<int?> viewers = new("--viewers") { Description = "Viewers of the one stream, 1500" };
        Option<string> merge = new("--merge") { Description = "Windows of our server, e.g. 0ms,10ms,50ms,350ms; 30ms is always run too", DefaultValueFactory = _ => "30ms" };
        Option<string> protocols = new("--protocols") { Description = "rtmp, flv, relay (edges of Millrace) or several with commas; the peer always runs rtmp", DefaultValueFactory = _ => "rtmp,flv" };
        Option<int?> runs = new("--runs") { Description = "Pairs, 5; with --curve 3; with --knee how often each step is tried, 3; the majority decides" };
        Option<double> seconds = new("--seconds") { Description = "Measured window of a run", DefaultValueFactory = _ => 10 };
        Option<double?> settle = new("--settle") { Description = "Seconds between the last viewer's start and the window, 4; with --curve and --knee 8, since each run has a server that is yet to be compiled" };
        Option<int> ramp = new("--ramp") { Description = "New viewers per second", DefaultValueFactory = _ => 500 };
        Option<int?> pace = new("--pace") { Description = "Least milliseconds between two reads of a viewer by the load generator, 10; with --knee 50" };
        Option<int> segment = new("--mss") { Description = "TCP_MAXSEG of the viewers, bytes: 1460 leaves 1448 beside time stamps, as on Ethernet; 0 = the interface's, which on loopback is 64 KB" };
        var common = new CommonOptions(21930, mayBeNginx: true);
        Option<double?> bar = new("--bar") { Description = "Largest accepted ratio to the peer for the windows named by --merge, e.g. 0.65" };
        Option<Curve?> curve = new("--curve") { Description = "viewers: ever more of one stream; streams: ever more of them, --viewers (1000) in all" };
        Option<Knee?> knee = new("--knee") { Description = "viewers10k: one stream of 300 kbit/s; streams5k: audio of 60 kbit/s with two viewers each; what one core holds" };
        Option<string> steps = new("--steps") { Description = "Of --curve or --knee, e.g. 2000,4000,8000", DefaultValueFactory = _ => "" };
        Option<int?> kilobits = new("--kbit") { Description = "Clip of --curve: 2650, 600 (viewers) or 300 (streams)" };
        var command = new Command("fanout", About)
        {
            viewers, merge, protocols, runs, seconds, settle, ramp, pace, segment, bar, curve, knee, steps, kilobits,
        };
        common.AddTo(command);
        command.SetAction(parsed => parsed.GetValue(curve) is { } along ? new CurveRun(Plan(parsed), along).Execute()
            : parsed.GetValue(knee) is { } towards ? new KneeRun(Plan(parsed), towards).Execute()
            : Fanout(parsed).Execute());
        return command;

        FanoutRun Fanout(ParseResult parsed) => new(new FanoutPlan
        {
            Viewers = parsed.GetValue(viewers) ?? 1500,
            WindowsMs = FanoutPlan.ParseWindows(parsed.GetValue(merge)!),
            Protocols = [.. parsed.GetValue(protocols)!.Split(',').Select(static p => Enum.Parse<Protocol>(p, ignoreCase: true))],
            Runs = parsed.GetValue(runs) ?? 5,
            Seconds = parsed.GetValue(seconds),
            Settle = parsed.GetValue(settle) ?? 4,
            Ramp = parsed.GetValue(ramp),
            PaceMs = parsed.GetValue(pace) ?? 10,
            SegmentBytes = parsed.GetValue(segment),
            Server = parsed.GetValue(common.Server)!,
            BasePort = parsed.GetValue(common.BasePort),
            ServerCore = parsed.GetValue(common.ServerCore),
            LoadCore = parsed.GetValue(common.LoadCore),
            Bar = parsed.GetValue(bar),
            Keep = parsed.GetValue(common.Keep),
        });

        CurvePlan Plan(ParseResult parsed)
        {
            int[] wanted = FanoutPlan.ParseWindows(parsed.GetValue(steps)!);
            return new CurvePlan
            {
                Points = parsed.GetValue(curve) is { } along
                    ? CurvePlan.PointsOf(along, wanted, parsed.GetValue(viewers) ?? 1000, parsed.GetValue(kilobits) ?? (along == Curve.Viewers ? 600 : 300))
                    : CurvePlan.PointsOf(parsed.GetValue(knee)!.Value, wanted),
                WindowsMs = FanoutPlan.ParseWindows(parsed.GetValue(merge)!),
                Runs = parsed.GetValue(runs) ?? 3,
                Seconds = parsed.GetValue(seconds),
                Settle = parsed.GetValue(settle) ?? 8,
                Ramp = parsed.GetValue(ramp),
                PaceMs = parsed.GetValue(pace) ?? (parsed.GetValue(curve) is null ? 50 : 10),
                SegmentBytes = parsed.GetValue(segment),
                Server = parsed.GetValue(common.Server)!,
                BasePort = parsed.GetValue(common.BasePort),
                ServerCore = parsed.GetValue(common.ServerCore),
                LoadCore = parsed.GetValue(common.LoadCore),
                Keep = parsed.GetValue(common.Keep),
            };
        }
    }
}
