using System.Globalization;
using System.Text.Json.Serialization;
using Millrace.Bench.Measure;

namespace Millrace.Bench.Hls;

/// <summary>The blocked requests of all runs: of each figure the median and spread over the runs.</summary>
internal sealed record BlockedResult
{
    /// <summary>Last answer after the first, ms: half of the parts.</summary>
    public required Summary LastP50 { get; init; }

    /// <summary>95 % of them; the bar is on it and on <see cref="AloneP95"/>.</summary>
    public required Summary LastP95 { get; init; }

    /// <summary>The slowest part.</summary>
    public required Summary LastMax { get; init; }

    /// <summary>Last answer after that of a connection that waits alone, ms: half of the parts.</summary>
    public required Summary AloneP50 { get; init; }

    /// <summary>95 % of them.</summary>
    public required Summary AloneP95 { get; init; }

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
    public string? LastVerdict { get; init; }
    public string? AloneVerdict { get; init; }
    public string? MemoryVerdict { get; init; }
    public required IReadOnlyList<WaitersReport> Runs { get; init; }

    [JsonIgnore]
    public bool IsMissed => (LastVerdict + AloneVerdict + MemoryVerdict).Contains("MISSED", StringComparison.Ordinal);

    public static BlockedResult Of(IReadOnlyList<WaitersReport> runs, HlsPlan plan)
    {
        var last = Summary.Of(runs.Select(static r => r.LastAfterFirst(0.95)));
        var alone = Summary.Of(runs.Select(static r => r.LastAfterAlone(0.95)));
        var waiter = Summary.Of(runs.Select(static r => r.WaiterKb));
        return new BlockedResult
        {
            LastP50 = Summary.Of(runs.Select(static r => r.LastAfterFirst(0.5))),
            LastP95 = last,
            LastMax = Summary.Of(runs.Select(static r => r.LastAfterFirst(1))),
            AloneP50 = Summary.Of(runs.Select(static r => r.LastAfterAlone(0.5))),
            AloneP95 = alone,
            AloneMax = Summary.Of(runs.Select(static r => r.LastAfterAlone(1))),
            ConnectionKb = Summary.Of(runs.Select(static r => r.ConnectionKb)),
            WaitKb = Summary.Of(runs.Select(static r => r.WaitKb)),
            WaiterKb = waiter,
            SteadyKb = Summary.Of(runs.Select(static r => r.SteadyKb)),
            LastVerdict = plan.BarMs is { } ms ? last.Against(ms, " ms") : null,
            AloneVerdict = plan.BarMs is { } after ? alone.Against(after, " ms") : null,
            MemoryVerdict = plan.BarKb is { } kb ? waiter.Against(kb, " KB") : null,
            Runs = runs,
        };
    }

    public void Print()
    {
        Console.WriteLine($"blocked: last answer after the first, of the parts: p50 {Text(LastP50, "F1")}, p95 {Text(LastP95, "F1")}, max {Text(LastMax, "F1")} ms{Behind("p95 ", LastVerdict)}");
        Console.WriteLine($"  after a connection that waits alone: p50 {Text(AloneP50, "F1")}, p95 {Text(AloneP95, "F1")}, max {Text(AloneMax, "F1")} ms{Behind("p95 ", AloneVerdict)}");
        Console.WriteLine($"  KB: connection {Text(ConnectionKb, "F1")} + wait {Text(WaitKb, "F1")} = waiter {Text(WaiterKb, "F1")}{Behind("waiter ", MemoryVerdict)}; after the parts {Text(SteadyKb, "F1")}");
    }

    private static string Behind(string of, string? verdict) => verdict is null ? "" : $"; {of}{verdict}";

    private static string Text(Summary s, string format) => s.Text(format);
}
