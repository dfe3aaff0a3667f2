using System.CommandLine;
using Millrace.Bench.Http;

namespace Millrace.Bench.Commands;

/// <summary>`http`: what playlists, parts and segments cost beside nginx's static files.</summary>
internal static class HttpCommand
{
    private const string About = """
        100 keep-alive connections ask for one segment, part or playlist of a live stream again and again: requests/s and CPU seconds
        per Gbit, beside the same bytes as nginx's static files in interleaved runs. Server and nginx are pinned to one core, load
        generator and publisher to another. Exit code 1: a bar is missed; 2: runs were invalid, also because there was no part or
        segment of about the length asked for.
        """;

    public static Command Create()
    {
        Option<string> measures = new("--measures") { Description = "Which, in which order: a playlist grows for the first minute", DefaultValueFactory = _ => "segment,part,playlist" };
        Option<int> runs = new("--runs") { Description = "Runs of each", DefaultValueFactory = _ => 5 };
        Option<int> connections = new("--connections") { Description = "Connections", DefaultValueFactory = _ => 100 };
        Option<double> warmup = new("--warmup") { Description = "Seconds before the window", DefaultValueFactory = _ => 3 };
        Option<double> seconds = new("--seconds") { Description = "Measured window", DefaultValueFactory = _ => 5 };
        Option<int> partBytes = new("--part-bytes") { Description = "Length of the part, to within 25 %", DefaultValueFactory = _ => 65_536 };
        Option<int> segmentBytes = new("--segment-bytes") { Description = "Length of the segment, to within 25 %", DefaultValueFactory = _ => 1_250_000 };
        Option<int> partMs = new("--part-ms") { Description = "hls.part of our server; 200 gives parts of about 64 KB", DefaultValueFactory = _ => 200 };
        Option<int> segmentMs = new("--segment-ms") { Description = "hls.segment of our server; 4000 gives segments of about 1.25 MB", DefaultValueFactory = _ => 4000 };
        var common = new CommonOptions(21960);
        Option<double?> barPart = new("--bar-part") { Description = "Largest accepted ratio of CPU time per part to nginx's, e.g. 1.15" };
        Option<double?> barSegment = new("--bar-segment") { Description = "The same of the segment, e.g. 1.7" };
        Option<double?> barPlaylist = new("--bar-playlist") { Description = "Least accepted ratio of playlists per second to nginx's, e.g. 1.5" };
        var command = new Command("http", About)
        {
            measures, runs, connections, warmup, seconds, partBytes, segmentBytes, partMs, segmentMs, barPart, barSegment,
            barPlaylist,
        };
        common.AddTo(command);
        command.SetAction(parsed => new HttpRun(new HttpPlan
        {
            Measures = [.. parsed.GetValue(measures)!.Split(',').Select(static m => Enum.Parse<HttpMeasure>(m, ignoreCase: true))],
            Runs = parsed.GetValue(runs),
            Connections = parsed.GetValue(connections),
            Warmup = parsed.GetValue(warmup),
            Seconds = parsed.GetValue(seconds),
            PartBytes = parsed.GetValue(partBytes),
            SegmentBytes = parsed.GetValue(segmentBytes),
            PartMs = parsed.GetValue(partMs),
            SegmentMs = parsed.GetValue(segmentMs),
            Server = parsed.GetValue(common.Server)!,
            BasePort = parsed.GetValue(common.BasePort),
            ServerCore = parsed.GetValue(common.ServerCore),
            LoadCore = parsed.GetValue(common.LoadCore),
            BarPart = parsed.GetValue(barPart),
            BarSegment = parsed.GetValue(barSegment),
            BarPlaylist = parsed.GetValue(barPlaylist),
            Keep = parsed.GetValue(common.Keep),
        }).Execute());
        return command;
    }
}
