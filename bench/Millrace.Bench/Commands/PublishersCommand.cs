using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text.Json;
using Millrace.Bench.Measure;
using Millrace.Bench.Publish;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Commands;

/// <summary>`publishers`: many RTMP publishers, against any server.</summary>
internal static class PublishersCommand
{
    private const string About = """
        Many RTMP publishers on one thread, from sources in 127.1.0.1 and up, which send a clip in real time in a loop, their key frames
        spread evenly. Prints {"accepted":N} when all are accepted, and a report at the end; exit code 2: it has faults.
        """;

    public static Command Create()
    {
        Option<int> port = new("--port") { Description = "RTMP port of the server on 127.0.0.1", Required = true };
        Option<string> app = new("--app") { Description = "Application", DefaultValueFactory = _ => ServerUnderTest.App };
        Option<string> prefix = new("--prefix") { Description = "Streams are PREFIX0, PREFIX1, ...", DefaultValueFactory = _ => "s" };
        Option<int> publishers = new("--publishers") { Description = "Number of publishers", DefaultValueFactory = _ => 500 };
        Option<int> kilobits = new("--kbit") { Description = "Which clip: 2650, 600, 300, or 60 (audio only)", DefaultValueFactory = _ => 600 };
        Option<string?> clip = new("--clip") { Description = "An FLV file instead" };
        Option<int> chunk = new("--chunk") { Description = "RTMP chunk size; 4096 as OBS Studio", DefaultValueFactory = _ => 4096 };
        Option<int> ramp = new("--ramp") { Description = "New publishers per second", DefaultValueFactory = _ => 250 };
        Option<double> timeout = new("--start-timeout") { Description = "Seconds for the last publisher to be accepted", DefaultValueFactory = _ => 15 };
        Option<double> settle = new("--settle") { Description = "Seconds between the last acceptance and the window", DefaultValueFactory = _ => 3 };
        Option<double> seconds = new("--seconds") { Description = "Length of the measured window; 0 = until SIGTERM or SIGINT", DefaultValueFactory = _ => 10 };
        Option<double> linger = new("--linger") { Description = "Seconds to go on after the report", DefaultValueFactory = _ => 0 };
        Option<int> pace = new("--pace") { Description = "Least milliseconds between two passes over the publishers", DefaultValueFactory = _ => 10 };
        Option<int> source = new("--first-source") { Description = "Number of the first source address", DefaultValueFactory = _ => 4_000_000 };
        Option<int> watch = new("--watch") { Description = "Process id of the server, to measure its CPU time", DefaultValueFactory = _ => 0 };
        Option<int> core = new("--watch-core") { Description = "Core of the server, to measure how busy it is", DefaultValueFactory = _ => -1 };
        Option<bool> json = new("--json") { Description = "Write the report as one line of JSON" };
        var command = new Command("publishers", About)
        {
            port, app, prefix, publishers, kilobits, clip, chunk, ramp, timeout, settle, seconds, linger, pace, source, watch, core, json,
        };
        command.SetAction(parsed => Execute(new PublishersPlan
        {
            Port = parsed.GetValue(port),
            App = parsed.GetValue(app)!,
            Prefix = parsed.GetValue(prefix)!,
            Publishers = parsed.GetValue(publishers),
            Clip = parsed.GetValue(clip) ?? Publisher.ClipPath(parsed.GetValue(kilobits)),
            Chunk = parsed.GetValue(chunk),
            Ramp = parsed.GetValue(ramp),
            StartTimeout = parsed.GetValue(timeout),
            Settle = parsed.GetValue(settle),
            Seconds = parsed.GetValue(seconds),
            Linger = parsed.GetValue(linger),
            PaceMs = parsed.GetValue(pace),
            FirstSource = parsed.GetValue(source),
            Watch = parsed.GetValue(watch),
            WatchCore = parsed.GetValue(core),
        }, parsed.GetValue(json)));
        return command;
    }

    private static int Execute(PublishersPlan plan, bool json)
    {
        using var stop = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var fleet = new PublisherFleet(plan, stop.Token);
        var report = fleet.Run(() => Console.WriteLine(FleetProcess.AcceptedLine(fleet.AcceptedCount)));
        Console.WriteLine(JsonSerializer.Serialize(report, json ? ResultFile.OneLine : ResultFile.Indented));
        fleet.PassFor(plan.Linger);
        return report.Faults().Any() ? 2 : 0;

        void Stop(PosixSignalContext context)
        {
            context.Cancel = true; // the report is still to be written
            stop.Cancel();
        }
    }
}
