using System.CommandLine;
using System.Text.Json;
using Millrace.Bench.Hls;
using Millrace.Bench.Measure;

namespace Millrace.Bench.Commands;

/// <summary>`waiters`: the blocked requests of `hls` alone, against a server that already has the stream.</summary>
internal static class WaitersCommand
{
    public static Command Create()
    {
        Option<int> port = new("--port") { Description = "Port of the server on 127.0.0.1", Required = true };
        Option<string> path = new("--path") { Description = "Path of a media playlist", Required = true };
        Option<int> watch = new("--watch") { Description = "Process id of the server", Required = true };
        Option<int> waiters = new("--waiters") { Description = "Connections", DefaultValueFactory = _ => 4000 };
        Option<int> parts = new("--parts") { Description = "Measured parts", DefaultValueFactory = _ => 24 };
        Option<int> warmup = new("--warmup-parts") { Description = "Parts before them", DefaultValueFactory = _ => 6 };
        Option<int> ramp = new("--ramp") { Description = "New connections per second", DefaultValueFactory = _ => 2000 };
        Option<bool> gzip = new("--gzip") { Description = "Ask for gzip" };
        Option<bool> together = new("--asks-together") { Description = "Ask for the next part only when all have their answer" };
        Option<bool> json = new("--json") { Description = "Write the report as one line of JSON" };
        var command = new Command("waiters", "Many connections that wait for the same part of a stream, on one thread, from sources in 127.1.0.1 and up.")
        {
            port, path, watch, waiters, parts, warmup, ramp, gzip, together, json,
        };
        command.SetAction(parsed =>
        {
            using var run = new WaitersRun(new WaitersPlan
            {
                Port = parsed.GetValue(port),
                Path = parsed.GetValue(path)!,
                Waiters = parsed.GetValue(waiters),
                Parts = parsed.GetValue(parts),
                WarmupParts = parsed.GetValue(warmup),
                Ramp = parsed.GetValue(ramp),
                Gzip = parsed.GetValue(gzip),
                AsksTogether = parsed.GetValue(together),
                Watch = parsed.GetValue(watch),
            });
            var report = run.Run();
            Console.WriteLine(JsonSerializer.Serialize(report, parsed.GetValue(json) ? ResultFile.OneLine : ResultFile.Indented));
            return report.Invalid().Any() ? 2 : 0;
        });
        return command;
    }
}
