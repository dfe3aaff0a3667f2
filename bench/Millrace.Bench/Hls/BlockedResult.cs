using System.Globalization;
using System.Text.Json.Serialization;
using Millrace.Bench.Measure;

namespace Millrace.Bench.Hls;

/// <summary>The blocked requests of all runs: of each figure the median and spread over the runs.</summary>
internal sealed record BlockedResult
{
    /// <summary>Last answer after the first, ms: half of the parts.</summary>
    public required Summary LastP50 { get; init; }

    /// <summary>95 % of them.</summary>
    public required Summary LastP95 { get; init; }

    /// <summary>The slowest part; the bar is on it.</summary>
    public required Summary LastMax { get; init; }

    /// <summary>Last answer after that of a connection that waits alone, ms: half of the parts.</summary>
    public required Summary AloneP50 { get; init; }

    /// <summary>The slowest part.</summary>
    public required Summary AloneMax { get; init; }

    /// <summary>An idle connection, KB.</summary>
    public required Summary ConnectionKb { get; init; }

    /// <summary>What waiting adds to it, KB.</summary>
    public required Summary WaitKb { get; init; }

    /// <summary>Both; the bar is on it.</summary>
    public required Summary WaiterKb { get; init; }

    /// <summary>Both after the measured parts, with what answering leaves in the server.</summary>
    public required Summary SteadyKb { get; init; }
    public string? TimeVerdict { get; init; }
    public string? MemoryVerdict { get; init; }
    public required IReadOnlyList<WaitersReport> Runs { get; init; }

    [JsonIgnore]
    public bool IsMissed => (TimeVerdict + MemoryVerdict).Contains("MISSED", StringComparison.Ordinal);

    public static BlockedResult Of(IReadOnlyList<WaitersReport> runs, HlsPlan plan)
    {
        var lastMax = Summary.Of(runs.Select(static r => r.LastAfterFirst(1)));
        var waiter = Summary.Of(runs.Select(static r => r.WaiterKb));
        return new BlockedResult
        {
            LastP50 = Summary.Of(runs.Select(static r => r.LastAfterFirst(0.5))),
            LastP95 = Summary.Of(runs.Select(static r => r.LastAfterFirst(0.95))),
            LastMax = lastMax,
            AloneP50 = Summary.Of(runs.Select(static r => r.LastAfterAlone(0.5))),
            AloneMax = Summary.Of(runs.Select(static r => r.LastAfterAlone(1))),
            ConnectionKb = Summary.Of(runs.Select(static r => r.ConnectionKb)),
            WaitKb = Summary.Of(runs.Select(static r => r.WaitKb)),
            WaiterKb = waiter,
            SteadyKb = Summary.Of(runs.Select(static r => r.SteadyKb)),
            TimeVerdict = plan.BarMs is { } ms ? lastMax.Against(ms, " ms") : null,
            MemoryVerdict = plan.BarKb is { } kb ? waiter.Against(kb, " KB") : null,
            Runs = runs,
        };
    }

    public void Print()
    {
        Console.WriteLine($"blocked: last answer after the first, of the parts: p50 {Text(LastP50, "F1")}, p95 {Text(LastP95, "F1")}, max {Text(LastMax, "F1")} ms{(TimeVerdict is null ? "" : $"; {TimeVerdict}")}");
        Console.WriteLine($"  after a connection that waits alone: p50 {Text(AloneP50, "F1")}, max {Text(AloneMax, "F1")} ms");
        Console.WriteLine($"  KB: connection {Text(ConnectionKb, "F1")} + wait {Text(WaitKb, "F1")} = waiter {Text(WaiterKb, "F1")}{(MemoryVerdict is null ? "" : $"; {MemoryVerdict}")}; after the parts {Text(SteadyKb, "F1")}");
    }

    private static string Text(Summary s, string format) => s.Text(format);
}
