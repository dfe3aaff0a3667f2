using System.CommandLine;
using System.Text.Json;
using Millrace.Bench.Hls;
using Millrace.Bench.Measure;

namespace Millrace.Bench.Commands;

/// <summary>`watchers`: the steady viewers of `hls` alone, against a server that already has the stream.</summary>
internal static class WatchersCommand
{
    public static Command Create()
    {
        Option<int> port = new("--port") { Description = "Port of the server on 127.0.0.1", Required = true };
        Option<string> paths = new("--paths") { Description = "Paths of the media playlists that each viewer follows, with commas; pictures first", Required = true };
        Option<int> watch = new("--watch") { Description = "Process id of the server", Required = true };
        Option<int> core = new("--watch-core") { Description = "Core of the server, to measure how busy it is", DefaultValueFactory = _ => -1 };
        Option<int> viewers = new("--viewers") { Description = "Viewers", DefaultValueFactory = _ => 1000 };
        Option<bool> split = new("--split") { Description = "Playlists and parts of a rendition on a connection each", DefaultValueFactory = _ => true };
        Option<bool> skip = new("--skip") { Description = "Ask for delta updates", DefaultValueFactory = _ => true };
        Option<bool> gzip = new("--gzip") { Description = "Ask for playlists in gzip" };
        Option<int> parts = new("--parts") { Description = "Measured parts", DefaultValueFactory = _ => 24 };
        Option<int> warmup = new("--warmup-parts") { Description = "Parts before them", DefaultValueFactory = _ => 6 };
        Option<int> ramp = new("--ramp") { Description = "New connections per second", DefaultValueFactory = _ => 2000 };
        Option<bool> json = new("--json") { Description = "Write the report as one line of JSON" };
        var command = new Command("watchers", "LL-HLS viewers that follow a stream's playlists and take its parts, on one thread, from sources in 127.1.0.1 and up.")
        {
            port, paths, watch, core, viewers, split, skip, gzip, parts, warmup, ramp, json,
        };
        command.SetAction(parsed =>
        {
            using var run = new SteadyRun(new SteadyPlan
            {
                Port = parsed.GetValue(port),
                Paths = parsed.GetValue(paths)!.Split(','),
                Viewers = parsed.GetValue(viewers),
                IsSplit = parsed.GetValue(split),
                Skip = parsed.GetValue(skip),
                Gzip = parsed.GetValue(gzip),
                Parts = parsed.GetValue(parts),
                WarmupParts = parsed.GetValue(warmup),
                Ramp = parsed.GetValue(ramp),
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
