using System.CommandLine;
using Millrace.Bench.Isolation;
using Millrace.Bench.Load;

namespace Millrace.Bench.Commands;

/// <summary>`isolation`: what viewers that do not keep up cost those that do.</summary>
internal static class IsolationCommand
{
    private const string About = """
        The delivery time of pictures at viewers of one stream, alone (A) and beside viewers that never read and viewers that read at
        half of the stream's rate (B): A B, A B, ... on one server, the slow ones connecting for each B and leaving after it.
        Bar: p99 with them at most 1.25 times that without them + 2 ms. The server is pinned to one core, viewers and publisher to
        another. Exit code 1: the bar is missed; 2: runs were invalid.
        """;

    public static Command Create()
    {
        Option<int> viewers = new("--viewers") { Description = "Viewers that keep up", DefaultValueFactory = _ => 1000 };
        Option<int> stalled = new("--stalled") { Description = "Viewers that play and never read", DefaultValueFactory = _ => 100 };
        Option<int> half = new("--half-speed") { Description = "Viewers that read at half of the stream's rate", DefaultValueFactory = _ => 100 };
        Option<Protocol> protocol = new("--protocol") { Description = "rtmp or flv (HTTP-FLV), of all viewers", DefaultValueFactory = _ => Protocol.Rtmp };
        Option<int> merge = new("--merge-ms") { Description = "Window of our server in ms; 30 is its default", DefaultValueFactory = _ => 30 };
        Option<int> runs = new("--runs") { Description = "Pairs", DefaultValueFactory = _ => 3 };
        Option<double> seconds = new("--seconds") { Description = "Measured window", DefaultValueFactory = _ => 15 };
        Option<double> settle = new("--settle") { Description = "Seconds before a window without slow viewers", DefaultValueFactory = _ => 4 };
        Option<double> slowSettle = new("--slow-settle") { Description = "Seconds before a window with them: their buffers are full after 5, and the first skips come after 13", DefaultValueFactory = _ => 10 };
        Option<int> sample = new("--sample-every") { Description = "Each so many-th viewer times its pictures, the others count bytes", DefaultValueFactory = _ => 10 };
        Option<int> pace = new("--pace") { Description = "Least milliseconds between two reads of a viewer that only counts", DefaultValueFactory = _ => 10 };
        var common = new CommonOptions(21970, mayBeNginx: true);
        var command = new Command("isolation", About)
        {
            viewers, stalled, half, protocol, merge, runs, seconds, settle, slowSettle, sample, pace,
        };
        common.AddTo(command);
        command.SetAction(parsed => new IsolationRun(new IsolationPlan
        {
            Viewers = parsed.GetValue(viewers),
            Stalled = parsed.GetValue(stalled),
            HalfSpeed = parsed.GetValue(half),
            Protocol = parsed.GetValue(protocol),
            MergeMs = parsed.GetValue(merge),
            Runs = parsed.GetValue(runs),
            Seconds = parsed.GetValue(seconds),
            Settle = parsed.GetValue(settle),
            SlowSettle = parsed.GetValue(slowSettle),
            SampleEvery = parsed.GetValue(sample),
            PaceMs = parsed.GetValue(pace),
            Server = parsed.GetValue(common.Server)!,
            BasePort = parsed.GetValue(common.BasePort),
            ServerCore = parsed.GetValue(common.ServerCore),
            LoadCore = parsed.GetValue(common.LoadCore),
            Keep = parsed.GetValue(common.Keep),
        }).Execute());
        return command;
    }
}
