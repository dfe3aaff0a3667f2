using Millrace.Bench.Measure;

namespace Millrace.Bench.Hls;

/// <summary>What the blocked requests of one run came to. Times in ms, memory in KB of 1,024 bytes.</summary>
internal sealed record WaitersReport
{
    private const double SaturatedShare = 0.9;

    public required int Waiters { get; init; }

    /// <summary>Of a playlist as sent, without the head.</summary>
    public required long PlaylistBytes { get; init; }

    /// <summary>Resident memory of the server while nobody but the control connection asks.</summary>
    public required double RssBeforeKb { get; init; }

    /// <summary>With all connections idle, after one answer each.</summary>
    public required double RssIdleKb { get; init; }

    /// <summary>With all connections waiting for a part.</summary>
    public required double RssBlockedKb { get; init; }

    /// <summary>The largest of those taken before each measured part, all connections waiting.</summary>
    public required double RssLargestKb { get; init; }

    /// <summary>Of the connection that waits alone: the age of the part when its answer came, see <see cref="PartTimes.LastAge"/>.</summary>
    public required IReadOnlyList<double> AloneAges { get; init; }

    public required IReadOnlyList<PartTimes> WarmupParts { get; init; }
    public required IReadOnlyList<PartTimes> Parts { get; init; }

    /// <summary>Parts that passed while answers to the one before were still coming.</summary>
    public required int Skipped { get; init; }
    public required double Seconds { get; init; }
    public required double ServerCpu { get; init; }
    public required double OwnCpu { get; init; }
    public required IReadOnlyDictionary<string, int> Faults { get; init; }

    public double ConnectionKb => (RssIdleKb - RssBeforeKb) / Waiters;

    /// <summary>What waiting adds to an idle connection.</summary>
    public double WaitKb => (RssBlockedKb - RssIdleKb) / Waiters;

    /// <summary>All of it: the connection and what waiting adds.</summary>
    public double WaiterKb => (RssBlockedKb - RssBeforeKb) / Waiters;

    /// <summary>The same after the measured parts, with what the server keeps for its next answers.</summary>
    public double SteadyKb => (RssLargestKb - RssBeforeKb) / Waiters;

    /// <summary>The load generator's share of its core from the first answer to the last, half of the parts: near 1 it is what the time was spent on.</summary>
    public double OwnShareOfRelease => Percentile(Parts.Select(static p => p.OwnCpu / p.Last), 0.5);

    public double AloneAge => Percentile(AloneAges, 0.5);

    /// <summary>From the first answer to the last, at a percentile of the parts.</summary>
    public double LastAfterFirst(double part) => Percentile(Parts.Select(static p => p.Last), part);

    /// <summary>By how much later the last of all has its answer than a connection that waits alone.</summary>
    public double LastAfterAlone(double part) => Percentile(Parts.Select(static p => p.LastAge), part) - AloneAge;

    /// <summary>Reasons why the run must not be used; empty = valid.</summary>
    public IEnumerable<string> Invalid()
    {
        foreach (var (reason, count) in Faults) yield return $"{count}x {reason}";
        if (Skipped > 0) yield return $"{Skipped} parts were skipped: answers to one were still coming when the next was there";
        if (OwnCpu / Seconds > SaturatedShare) yield return $"the load generator was busy for {OwnCpu / Seconds:P0} of the time";
    }

    private static double Percentile(IEnumerable<double> values, double part) => Summary.Percentile([.. values.Order()], part);

    /// <summary>One part. Times in ms after the first answer was there (it comes in one read, so that is its first byte), each up to an answer's last byte.</summary>
    /// <param name="Segment">Media sequence number.</param>
    /// <param name="Part">Number in the segment.</param>
    /// <param name="Median">When half of them were answered.</param>
    /// <param name="P95">95 %.</param>
    /// <param name="P99">99 %.</param>
    /// <param name="Last">All.</param>
    /// <param name="FirstAge">
    /// The first answer's time after the end of the part by the playlist's own clock, which another machine could tell without
    /// any answer; it has an offset of its own (from a frame's time stamp to its arrival) that is the same for all parts.
    /// </param>
    /// <param name="LastAge">The last answer's.</param>
    /// <param name="OwnCpu">CPU time of the load generator from the first answer to the last.</param>
    internal sealed record PartTimes(long Segment, int Part, double Median, double P95, double P99, double Last, double FirstAge, double LastAge, double OwnCpu);
}
