using System.CommandLine;
using Millrace.Bench.Send;

namespace Millrace.Bench.Commands;

/// <summary>`send`: what the ways to hand bytes to the kernel cost, without a server around them.</summary>
internal static class SendCommand
{
    private const string About = """
        CPU seconds per Gbit of one thread that sends the same bytes to many loopback connections: a stream in passes, as merge
        windows make them, and objects that are asked for. Each variant beside sendmsg from anonymous memory, which runs before and
        after each four of them; a variant that cannot run is reported as such. Exit code 2: runs were invalid.
        """;

    public static Command Create()
    {
        Option<string> cases = new("--cases") { Description = "Which", DefaultValueFactory = _ => string.Join(',', SendCase.All.Select(static c => c.Name)) };
        Option<string> variants = new("--variants") { Description = "Which; none named = all that make sense for a case", DefaultValueFactory = _ => "" };
        Option<int> rounds = new("--rounds") { Description = "Runs of each", DefaultValueFactory = _ => 5 };
        Option<int> viewers = new("--viewers") { Description = "Connections that a stream goes to", DefaultValueFactory = _ => 1500 };
        Option<int> askers = new("--askers") { Description = "Connections that ask for objects", DefaultValueFactory = _ => 100 };
        Option<double> warmup = new("--warmup") { Description = "Seconds before the measured window", DefaultValueFactory = _ => 0.5 };
        Option<double> seconds = new("--seconds") { Description = "Measured window", DefaultValueFactory = _ => 1.5 };
        Option<int> pace = new("--pace") { Description = "Least milliseconds between two reads of a stream's receiver", DefaultValueFactory = _ => 10 };
        Option<bool> copy = new("--copy") { Description = "Receivers copy what they get, instead of dropping it in the kernel" };
        Option<int> segment = new("--mss") { Description = "Largest segment, bytes, e.g. 1448 as on Ethernet; 0 = the interface's, which on loopback is 64 KB" };
        Option<int> port = new("--base-port") { Description = "Port on 127.0.0.1", DefaultValueFactory = _ => 21980 };
        Option<int> serverCore = new("--server-core") { Description = "Core of the sender", DefaultValueFactory = _ => 0 };
        Option<int> loadCore = new("--load-core") { Description = "Core of the receivers", DefaultValueFactory = _ => 1 };
        Option<string?> keep = new("--keep") { Description = "Write bench/results/NAME.json, which git does not ignore" };
        var command = new Command("send", About)
        {
            cases, variants, rounds, viewers, askers, warmup, seconds, pace, copy, segment, port, serverCore, loadCore, keep,
        };
        command.SetAction(parsed => new SendRun(new SendPlan
        {
            Cases = parsed.GetValue(cases)!.Split(','),
            Variants = parsed.GetValue(variants)!.Split(',', StringSplitOptions.RemoveEmptyEntries),
            Rounds = parsed.GetValue(rounds),
            Viewers = parsed.GetValue(viewers),
            Askers = parsed.GetValue(askers),
            Warmup = parsed.GetValue(warmup),
            Seconds = parsed.GetValue(seconds),
            PaceMs = parsed.GetValue(pace),
            Copies = parsed.GetValue(copy),
            SegmentBytes = parsed.GetValue(segment),
            Port = parsed.GetValue(port),
            ServerCore = parsed.GetValue(serverCore),
            LoadCore = parsed.GetValue(loadCore),
            Keep = parsed.GetValue(keep),
        }).Execute());
        return command;
    }
}
