using Millrace.Bench.Media;

namespace Millrace.Bench.Load;

/// <summary>What the load generator saw in its window. <c>Gbit</c> = 10^9 bits that viewers received, protocol headers included.</summary>
internal sealed record PlayersReport
{
    private const double SaturatedShare = 0.9; // above it viewers read late, which makes every server look cheaper

    public required int Viewers { get; init; }
    public required int Started { get; init; }
    public required int Dead { get; init; }

    /// <summary>Why viewers died, with their number.</summary>
    public required IReadOnlyDictionary<string, int> Reasons { get; init; }

    /// <summary>The largest number of living viewers that got nothing in one second of the window.</summary>
    public required int MostStarved { get; init; }
    public required double Seconds { get; init; }
    public required double Gbit { get; init; }
    public required double LoopbackGbit { get; init; }
    public required double SlowestViewerKbps { get; init; }
    public required double FastestViewerKbps { get; init; }

    /// <summary>CPU seconds of the watched process in the window.</summary>
    public required double ServerCpu { get; init; }

    /// <summary>Seconds that the watched core was busy: equals ServerCpu on a quiet machine, more where the kernel worked on its behalf.</summary>
    public required double CoreBusy { get; init; }
    public required double ServerRssMb { get; init; }
    public required double OwnCpu { get; init; }
    public required IReadOnlyList<VerifyResult> Verified { get; init; }

    public double CpuPerGbit => Gbit > 0 ? ServerCpu / Gbit : double.NaN;

    /// <summary>Something else used the server's core: its figure is coloured by cold caches and late wake-ups.</summary>
    public bool Noisy => CoreBusy > 1.2 * ServerCpu;
    public double GbitPerSecond => Gbit / Seconds;

    /// <summary>Reasons why the run must not be used; empty = valid.</summary>
    public IEnumerable<string> Faults(double clipBitsPerSecond)
    {
        if (Started < Viewers) yield return $"{Viewers - Started} viewers did not start";
        if (Dead > 0) yield return $"{Dead} viewers died ({string.Join("; ", Reasons.Select(static r => $"{r.Value}x {r.Key}"))})";
        if (MostStarved > 0) yield return $"{MostStarved} viewers got nothing for a second";
        foreach (var v in Verified.Where(static v => !v.Ok).Take(1)) yield return $"bad stream: {v}";
        if (OwnCpu / Seconds > SaturatedShare) yield return $"the load generator was busy for {OwnCpu / Seconds:P0} of the time";
        if (LoopbackGbit < 0.97 * Gbit) yield return $"loopback carried {LoopbackGbit:F2} Gbit, viewers counted {Gbit:F2}";
        double share = clipBitsPerSecond > 0 ? Gbit * 1e9 / Seconds / Viewers / clipBitsPerSecond : 1;
        if (share is < 0.95 or > 1.05) yield return $"{share:P1} of the stream was delivered in the window"; // more than all: a backlog, sent in larger and cheaper pieces
    }
}
