namespace Millrace.Bench.Publish;

/// <summary>What the publishers did in their window. <c>Gbit</c> = 10^9 bits that sockets took, protocol headers included.</summary>
internal sealed record PublishersReport
{
    private const double SaturatedShare = 0.9;
    private const double MostLateMs = 500;

    public required int Publishers { get; init; }
    public required int Accepted { get; init; }
    public required int Dead { get; init; }

    /// <summary>Why publishers died, with their number.</summary>
    public required IReadOnlyDictionary<string, int> Reasons { get; init; }
    public required double Seconds { get; init; }
    public required double Gbit { get; init; }

    /// <summary>What was due in the window.</summary>
    public required double DueGbit { get; init; }
    public required double SendsPerSecond { get; init; }

    /// <summary>All that was sent from the first connection to the window's end.</summary>
    public required long TotalBytes { get; init; }

    /// <summary>The largest time from when a frame was due to when the socket had taken it; contains the pace.</summary>
    public required double WorstLatenessMs { get; init; }

    /// <summary>CPU seconds of the watched process in the window.</summary>
    public required double ServerCpu { get; init; }

    /// <summary>Seconds that the watched core was busy: equals ServerCpu on a quiet machine.</summary>
    public required double CoreBusy { get; init; }

    /// <summary>Before the first connection and at the window's end.</summary>
    public required double ServerRssBeforeMb { get; init; }
    public required double ServerRssMb { get; init; }
    public required double OwnCpu { get; init; }

    public double CpuPerGbit => Gbit > 0 ? ServerCpu / Gbit : double.NaN;
    public double RssPerPublisherKb => (ServerRssMb - ServerRssBeforeMb) * 1024 / Publishers;

    /// <summary>Something else used the server's core: its figure is coloured by cold caches and late wake-ups.</summary>
    public bool Noisy => CoreBusy > 1.2 * ServerCpu;

    /// <summary>Reasons why the run must not be used; empty = valid.</summary>
    public IEnumerable<string> Faults()
    {
        if (Accepted < Publishers) yield return $"{Publishers - Accepted} publishers were not accepted";
        if (Dead > 0) yield return $"{Dead} publishers died ({string.Join("; ", Reasons.Select(static r => $"{r.Value}x {r.Key}"))})";
        if (WorstLatenessMs > MostLateMs) yield return $"a frame was sent {WorstLatenessMs:F0} ms late";
        if (Gbit / DueGbit is < 0.98 or > 1.02) yield return $"{Gbit / DueGbit:P1} of the streams was sent in the window";
        if (OwnCpu / Seconds > SaturatedShare) yield return $"the load generator was busy for {OwnCpu / Seconds:P0} of the time";
    }
}
