using System.Globalization;
using System.Text.Json.Serialization;
using Millrace.Bench.Measure;

namespace Millrace.Bench.Http;

/// <summary>Plain requests beside nginx: of each figure the median and spread over the runs, and of the ratios of the pairs.</summary>
internal sealed record PairResult
{
    public required HttpMeasure Measure { get; init; }
    public required Summary OursPerSecond { get; init; }
    public required Summary PeerPerSecond { get; init; }
    public required Summary OursCpuPerGbit { get; init; }
    public required Summary PeerCpuPerGbit { get; init; }

    /// <summary>CPU microseconds of the server per answer.</summary>
    public required Summary OursCpuMicros { get; init; }
    public required Summary PeerCpuMicros { get; init; }

    /// <summary>Of the CPU time per answer, ours to nginx's: bytes are the same for parts and segments, and nearly so for playlists.</summary>
    public required Summary CpuRatio { get; init; }

    /// <summary>Of answers per second, ours to nginx's.</summary>
    public required Summary RateRatio { get; init; }
    public string? CpuVerdict { get; init; }
    public string? RateVerdict { get; init; }
    public required IReadOnlyList<HttpRun.Pair> Runs { get; init; }

    [JsonIgnore]
    public bool IsMissed => (CpuVerdict + RateVerdict).Contains("MISSED", StringComparison.Ordinal);

    public static PairResult Of(HttpMeasure measure, IReadOnlyList<HttpRun.Pair> runs, HttpPlan plan)
    {
        var cpu = Summary.Of(runs.Select(static p => p.Ours.CpuMicrosPerAnswer / p.Peer.CpuMicrosPerAnswer));
        var rate = Summary.Of(runs.Select(static p => p.Ours.PerSecond / p.Peer.PerSecond));
        double? cpuBar = measure == HttpMeasure.Part ? plan.BarPart : measure == HttpMeasure.Segment ? plan.BarSegment : null;
        double? rateBar = measure == HttpMeasure.Playlist ? plan.BarPlaylist : null;
        return new PairResult
        {
            Measure = measure,
            OursPerSecond = Summary.Of(runs.Select(static p => p.Ours.PerSecond)),
            PeerPerSecond = Summary.Of(runs.Select(static p => p.Peer.PerSecond)),
            OursCpuPerGbit = Summary.Of(runs.Select(static p => p.Ours.CpuPerGbit)),
            PeerCpuPerGbit = Summary.Of(runs.Select(static p => p.Peer.CpuPerGbit)),
            OursCpuMicros = Summary.Of(runs.Select(static p => p.Ours.CpuMicrosPerAnswer)),
            PeerCpuMicros = Summary.Of(runs.Select(static p => p.Peer.CpuMicrosPerAnswer)),
            CpuRatio = cpu,
            RateRatio = rate,
            CpuVerdict = cpuBar is { } most ? cpu.Against(most) : null,
            RateVerdict = rateBar is { } least ? Judge(rate, least, runs) : null,
            Runs = runs,
        };
    }

    public void Print()
    {
        Console.WriteLine($"{Measure.ToString().ToLowerInvariant()}: {Text(OursPerSecond, "F0")}/s, nginx static {Text(PeerPerSecond, "F0")}/s, ratio {Interval(RateRatio)}{Behind(RateVerdict)}");
        Console.WriteLine($"  CPU s/Gbit {Text(OursCpuPerGbit, "F4")}, nginx static {Text(PeerCpuPerGbit, "F4")}; CPU us each {Text(OursCpuMicros, "F1")}, {Text(PeerCpuMicros, "F1")}; ratio {Interval(CpuRatio)}{Behind(CpuVerdict)}");
    }

    /// <summary>Where the load generator was the limit, a rate says that the server can do at least that.</summary>
    private static string Judge(Summary ratio, double bar, IReadOnlyList<HttpRun.Pair> runs)
    {
        string verdict = ratio.AgainstLeast(bar);
        bool isPeerBound = runs.Any(static p => p.Peer.GeneratorBound), isBound = runs.Any(static p => p.Ours.GeneratorBound);
        bool isWorthless = isPeerBound || (isBound && verdict.StartsWith("MISSED", StringComparison.Ordinal));
        return isWorthless ? "bar of answers per second: UNDECIDED, the load generator was the limit" : verdict;
    }

    private static string Interval(Summary s) =>
        string.Create(CultureInfo.InvariantCulture, $"{s.Median:F2}, interval [{s.Low:F2}..{s.High:F2}] ({s.Coverage:P1})");

    private static string Behind(string? verdict) => verdict is null ? "" : "; " + verdict;

    private static string Text(Summary s, string format) => s.Text(format);
}
