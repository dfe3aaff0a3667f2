using System.CommandLine;
using System.Text.Json;
using Millrace.Bench.Http;
using Millrace.Bench.Measure;

namespace Millrace.Bench.Commands;

/// <summary>`gets`: the requests of `http` alone, against any HTTP server.</summary>
internal static class GetsCommand
{
    public static Command Create()
    {
        Option<int> port = new("--port") { Description = "Port of the server on 127.0.0.1", Required = true };
        Option<string> path = new("--path") { Description = "What to ask for", Required = true };
        Option<int> connections = new("--connections") { Description = "Connections", DefaultValueFactory = _ => 100 };
        Option<double> warmup = new("--warmup") { Description = "Seconds before the measured window", DefaultValueFactory = _ => 2 };
        Option<double> seconds = new("--seconds") { Description = "Length of the window", DefaultValueFactory = _ => 5 };
        Option<int> watch = new("--watch") { Description = "Process id of the server, to measure its CPU time", DefaultValueFactory = _ => 0 };
        Option<int> core = new("--watch-core") { Description = "Core of the server, to measure how busy it is", DefaultValueFactory = _ => -1 };
        Option<bool> json = new("--json") { Description = "Write the report as one line of JSON" };
        var command = new Command("gets", "Keep-alive connections that ask for one thing again and again, on one thread. Bodies are counted and dropped.")
        {
            port, path, connections, warmup, seconds, watch, core, json,
        };
        command.SetAction(parsed =>
        {
            using var run = new GetsRun(new GetsPlan
            {
                Port = parsed.GetValue(port),
                Path = parsed.GetValue(path)!,
                Connections = parsed.GetValue(connections),
                Warmup = parsed.GetValue(warmup),
                Seconds = parsed.GetValue(seconds),
                Watch = parsed.GetValue(watch),
                WatchCore = parsed.GetValue(core),
            });
            var report = run.Run();
            Console.WriteLine(JsonSerializer.Serialize(report, parsed.GetValue(json) ? ResultFile.OneLine : ResultFile.Indented));
            return report.Invalid().Any() ? 2 : 0;
        });
        return command;
    }
}
