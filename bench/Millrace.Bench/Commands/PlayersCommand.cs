using System.CommandLine;
using System.Text.Json;
using Millrace.Bench.Load;
using Millrace.Bench.Measure;

namespace Millrace.Bench.Commands;

/// <summary>`players`: the load generator alone, against a server that already has the stream.</summary>
internal static class PlayersCommand
{
    public static Command Create()
    {
        Option<int> port = new("--port") { Description = "Port of the server on 127.0.0.1", Required = true };
        Option<Protocol> protocol = new("--protocol") { Description = "rtmp, flv (HTTP-FLV), or relay: edges of Millrace", DefaultValueFactory = _ => Protocol.Rtmp };
        Option<string> app = new("--app") { Description = "Application", DefaultValueFactory = _ => "bench" };
        Option<string> name = new("--name") { Description = "Stream name", DefaultValueFactory = _ => "clip" };
        Option<int> streams = new("--streams") { Description = "Viewers take turns at NAME0 ... of so many streams; 0 = all watch NAME", DefaultValueFactory = _ => 0 };
        Option<int> viewers = new("--viewers") { Description = "Number of viewers", DefaultValueFactory = _ => 1500 };
        Option<int> first = new("--first") { Description = "Number of the first viewer, when several processes share a run", DefaultValueFactory = _ => 0 };
        Option<int> verify = new("--verify") { Description = "How many of them check every byte", DefaultValueFactory = _ => 4 };
        Option<int> ramp = new("--ramp") { Description = "New viewers per second", DefaultValueFactory = _ => 500 };
        Option<double> settle = new("--settle") { Description = "Seconds between the last start and the window", DefaultValueFactory = _ => 4 };
        Option<double> seconds = new("--seconds") { Description = "Length of the measured window", DefaultValueFactory = _ => 10 };
        Option<double> timeout = new("--start-timeout") { Description = "Seconds for the last viewer to start", DefaultValueFactory = _ => 15 };
        Option<int> pace = new("--pace") { Description = "Least milliseconds between two passes over the viewers", DefaultValueFactory = _ => 10 };
        Option<int> segment = new("--mss") { Description = "TCP_MAXSEG of the viewers, bytes: 1460 leaves 1448 beside time stamps, as on Ethernet; 0 = the interface's, which on loopback is 64 KB" };
        Option<int> watch = new("--watch") { Description = "Process id of the server, to measure its CPU time", DefaultValueFactory = _ => 0 };
        Option<int> core = new("--watch-core") { Description = "Core of the server, to measure how busy it is", DefaultValueFactory = _ => -1 };
        Option<double> alone = new("--alone") { Description = "Seconds that the first viewer is alone: the report then has the server's memory before and after" };
        Option<string?> metrics = new("--metrics") { Description = "The server's metrics page, for the same" };
        Option<string?> clip = new("--clip") { Description = "The published FLV file; checking viewers compare their frames with it" };
        Option<bool> json = new("--json") { Description = "Write the report as one line of JSON" };
        var command = new Command("players", "Many viewers of one stream, or of several, on one thread, from sources in 127.1.0.1 and up. Received bytes are counted and dropped.")
        {
            port, protocol, app, name, streams, viewers, first, verify, ramp, settle, seconds, timeout, pace, segment, watch, core, clip, alone, metrics, json,
        };
        command.SetAction(parsed =>
        {
            var plan = new PlayersPlan
            {
                Port = parsed.GetValue(port),
                Protocol = parsed.GetValue(protocol),
                App = parsed.GetValue(app)!,
                Name = parsed.GetValue(name)!,
                Streams = parsed.GetValue(streams),
                Viewers = parsed.GetValue(viewers),
                First = parsed.GetValue(first),
                Verify = parsed.GetValue(verify),
                Ramp = parsed.GetValue(ramp),
                Settle = parsed.GetValue(settle),
                Seconds = parsed.GetValue(seconds),
                StartTimeout = parsed.GetValue(timeout),
                PaceMs = parsed.GetValue(pace),
                SegmentBytes = parsed.GetValue(segment),
                Watch = parsed.GetValue(watch),
                WatchCore = parsed.GetValue(core),
                Clip = parsed.GetValue(clip),
                Alone = parsed.GetValue(alone),
                Metrics = parsed.GetValue(metrics) is { } page ? new Uri(page) : null,
            };
            using var fleet = new Fleet(plan);
            var report = fleet.Run();
            Console.WriteLine(JsonSerializer.Serialize(report, parsed.GetValue(json) ? ResultFile.OneLine : ResultFile.Indented));
            return report.Faults(0).Any() ? 2 : 0;
        });
        return command;
    }
}
