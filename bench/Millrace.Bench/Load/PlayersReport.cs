using Millrace.Bench.Media;
using Millrace.Bench.Memory;

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

    /// <summary>How many living viewers got nothing, for each second of the window.</summary>
    public required IReadOnlyList<int> Starved { get; init; }
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

    public int MostStarved => Starved.Count == 0 ? 0 : Starved.Max();

    /// <summary>With the first viewer alone; null unless that was asked for.</summary>
    public MemoryPhase? AloneMemory { get; init; }

    /// <summary>In the window, with all of them.</summary>
    public MemoryPhase? Memory { get; init; }

    public double CpuPerGbit => Gbit > 0 ? ServerCpu / Gbit : double.NaN;

    /// <summary>Something else used the server's core: its figure is coloured by cold caches and late wake-ups.</summary>
    public bool Noisy => CoreBusy > 1.2 * ServerCpu;
    public double GbitPerSecond => Gbit / Seconds;

    /// <summary>Reasons why the run must not be used; empty = valid.</summary>
    /// <param name="clipBitsPerSecond">What each viewer is to get; 0 = not known.</param>
    /// <param name="framing">What a protocol's headers may add to it; small frames have much of that.</param>
    public IEnumerable<string> Faults(double clipBitsPerSecond, double framing = 0)
    {
        if (Started < Viewers) yield return $"{Viewers - Started} viewers did not start";
        if (Dead > 0) yield return $"{Dead} viewers died ({string.Join("; ", Reasons.Select(static r => $"{r.Value}x {r.Key}"))})";
        if (MostStarved > 0) yield return $"{MostStarved} viewers got nothing for a second";
        foreach (var v in Verified.Where(static v => !v.Ok).Take(1)) yield return $"bad stream: {v}";
        if (OwnCpu / Seconds > SaturatedShare) yield return $"the load generator was busy for {OwnCpu / Seconds:P0} of the time";
        if (LoopbackGbit < 0.97 * Gbit) yield return $"loopback carried {LoopbackGbit:F2} Gbit, viewers counted {Gbit:F2}";
        double share = clipBitsPerSecond > 0 ? Gbit * 1e9 / Seconds / Viewers / clipBitsPerSecond : 1;
        if (share < 0.95 || share > 1.05 + framing) yield return $"{share:P1} of the stream was delivered in the window"; // more than all: a backlog, sent in larger and cheaper pieces
    }
}
