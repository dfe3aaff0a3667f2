using System.CommandLine;
using System.Globalization;
using Millrace.Bench.Hls;

namespace Millrace.Bench.Commands;

/// <summary>`hls`: blocked playlist requests, and viewers who follow an LL-HLS stream.</summary>
internal static class HlsCommand
{
    private const string About = """
        LL-HLS of one live stream. Blocked: many connections wait for the next part; how long after the part the last of them has
        its playlist, beside a connection that waits alone in the same run, and what a waiter costs in memory. Steady: viewers who
        follow the stream as hls.js does, each with a waiting request for the playlist of pictures and of sound, and the part as
        soon as it is named; how long until they have it, and the server's share of its core. The server is pinned to one core, load
        generator and publisher to another. The bars that the server is built for:
          hls --measures blocked --waiters 10000 --bar-ms 125 --bar-kb 3
          hls --measures steady --viewers 2000 --bar-core 0.35 --bar-p95 60
        Exit code 1: a bar is missed; 2: runs were invalid.
        """;

    public static Command Create()
    {
        Option<string> measures = new("--measures") { Description = "Which: blocked, steady", DefaultValueFactory = _ => "blocked,steady" };
        Option<int> runs = new("--runs") { Description = "Runs of each", DefaultValueFactory = _ => 5 };
        Option<int> waiters = new("--waiters") { Description = "Blocked: connections", DefaultValueFactory = _ => 10_000 };
        Option<int> parts = new("--parts") { Description = "Blocked, steady: measured parts, alone and by all", DefaultValueFactory = _ => 24 };
        Option<int> warmupParts = new("--warmup-parts") { Description = "Blocked, steady: parts before that, in which the code gets compiled", DefaultValueFactory = _ => 6 };
        Option<int> ramp = new("--ramp") { Description = "Blocked, steady: new connections per second", DefaultValueFactory = _ => 2000 };
        Option<bool?> gzip = new("--gzip") { Description = "Ask for gzip as browsers do; by default steady does, blocked does not" };
        Option<string> viewers = new("--viewers") { Description = "Steady: viewers; several numbers give a curve: 500,1000,2000", DefaultValueFactory = _ => "1000" };
        Option<bool> sound = new("--sound") { Description = "Steady: follow the sound's playlist too; false: the pictures' alone, one playlist and one part at a time", DefaultValueFactory = _ => true };
        Option<bool> split = new("--split") { Description = "Steady: playlists and parts of a rendition on a connection each, as in browsers; false: on one", DefaultValueFactory = _ => true };
        Option<bool> skip = new("--skip") { Description = "Steady: ask for delta updates, as hls.js does", DefaultValueFactory = _ => true };
        Option<bool> together = new("--asks-together") { Description = "Blocked: ask for the next part only when all have their answer, so that the load generator has less to do meanwhile" };
        Option<int> partMs = new("--part-ms") { Description = "hls.part of our server", DefaultValueFactory = _ => 500 };
        Option<int> segmentMs = new("--segment-ms") { Description = "hls.segment of our server", DefaultValueFactory = _ => 6000 };
        var common = new CommonOptions(21960);
        Option<double?> barMs = new("--bar-ms") { Description = "Blocked: largest accepted time of the last answer, of 95 % of the parts, after the first and after that of one alone, e.g. 125" };
        Option<double?> barKb = new("--bar-kb") { Description = "Blocked: largest accepted memory of a waiter with its connection, e.g. 3" };
        Option<double?> barP95 = new("--bar-p95") { Description = "Steady: largest accepted time until 95 % have a part whole, ms, after the first viewer and after one alone has its playlist, e.g. 60" };
        Option<double?> barCore = new("--bar-core") { Description = "Steady: largest accepted share of the server's core, e.g. 0.35" };
        var command = new Command("hls", About)
        {
            measures, runs, waiters, parts, warmupParts, ramp, gzip, together, viewers, sound, split, skip, partMs, segmentMs, barMs, barKb,
            barP95, barCore,
        };
        common.AddTo(command);
        command.SetAction(parsed => new HlsRun(new HlsPlan
        {
            Measures = [.. parsed.GetValue(measures)!.Split(',').Select(static m => Enum.Parse<HlsMeasure>(m, ignoreCase: true))],
            Runs = parsed.GetValue(runs),
            Waiters = parsed.GetValue(waiters),
            Parts = parsed.GetValue(parts),
            WarmupParts = parsed.GetValue(warmupParts),
            Ramp = parsed.GetValue(ramp),
            Gzip = parsed.GetValue(gzip) ?? false,
            SteadyGzip = parsed.GetValue(gzip) ?? true,
            AsksTogether = parsed.GetValue(together),
            Viewers = [.. parsed.GetValue(viewers)!.Split(',').Select(static v => int.Parse(v, CultureInfo.InvariantCulture))],
            Sound = parsed.GetValue(sound),
            IsSplit = parsed.GetValue(split),
            Skip = parsed.GetValue(skip),
            PartMs = parsed.GetValue(partMs),
            SegmentMs = parsed.GetValue(segmentMs),
            Server = parsed.GetValue(common.Server)!,
            BasePort = parsed.GetValue(common.BasePort),
            ServerCore = parsed.GetValue(common.ServerCore),
            LoadCore = parsed.GetValue(common.LoadCore),
            BarMs = parsed.GetValue(barMs),
            BarKb = parsed.GetValue(barKb),
            BarP95 = parsed.GetValue(barP95),
            BarCore = parsed.GetValue(barCore),
            Keep = parsed.GetValue(common.Keep),
        }).Execute());
        return command;
    }
}
