using System.CommandLine;
using Millrace.Bench.Cycles;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Commands;

/// <summary>`cycles`: what viewers that come and go leave behind.</summary>
internal static class CyclesCommand
{
    private const string About = """
        Connect, play, disconnect, many times; also for names that were never used before and never will be again.
        Samples the server's resident memory, descriptors and managed heap (from /metrics, where there is one).
        Exit code 1: it grew more than allowed after the first sample; 2: cycles failed.
        """;

    public static Command Create()
    {
        Option<int> count = new("--count") { Description = "Cycles, of all kinds together", DefaultValueFactory = _ => 200_000 };
        Option<int> parallel = new("--parallel") { Description = "Connections at a time", DefaultValueFactory = _ => 64 };
        Option<string> kinds = new("--kinds") { Description = "In turn: play, absent (RTMP), flv, flvAbsent (HTTP-FLV)", DefaultValueFactory = _ => "play,absent,flv,flvAbsent" };
        Option<int> every = new("--sample-every") { Description = "Cycles between samples; growth counts from the first", DefaultValueFactory = _ => 10_000 };
        Option<double> allow = new("--allow") { Description = "Allowed growth in MB", DefaultValueFactory = _ => 5 };
        Option<string> heap = new("--heap-metric") { Description = "Regular expression for the heap's metric name", DefaultValueFactory = _ => "heap.*bytes" };
        Option<string> server = new("--server") { Description = "Our server's program, or `nginx`", DefaultValueFactory = _ => Target.DefaultProgram };
        Option<int> basePort = new("--base-port") { Description = "First of four ports on 127.0.0.1", DefaultValueFactory = _ => 21950 };
        Option<string?> keep = new("--keep") { Description = "Write bench/results/NAME.json, which git does not ignore" };
        var command = new Command("cycles", About) { count, parallel, kinds, every, allow, heap, server, basePort, keep };
        command.SetAction(parsed => new CyclesRun(new CyclesPlan
        {
            Count = parsed.GetValue(count),
            Parallel = parsed.GetValue(parallel),
            Kinds = [.. parsed.GetValue(kinds)!.Split(',').Select(static k => Enum.Parse<CycleKind>(k, ignoreCase: true))],
            SampleEvery = parsed.GetValue(every),
            AllowedMb = parsed.GetValue(allow),
            HeapMetric = parsed.GetValue(heap)!,
            Server = parsed.GetValue(server)!,
            BasePort = parsed.GetValue(basePort),
            Keep = parsed.GetValue(keep),
        }).Execute());
        return command;
    }
}
