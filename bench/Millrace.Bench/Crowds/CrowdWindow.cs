namespace Millrace.Bench.Crowds;

/// <summary>Milliseconds; NaN where nothing was timed.</summary>
internal sealed record Times(int Count, double P50, double P99, double Max)
{
    public static Times Of(List<double> milliseconds)
    {
        double[] sorted = [.. milliseconds.Order()];
        return new Times(
            sorted.Length, Measure.Summary.Percentile(sorted, 0.5), Measure.Summary.Percentile(sorted, 0.99), Measure.Summary.Percentile(sorted, 1));
    }
}

/// <summary>What one window showed. <c>Gbit</c> = 10^9 bits that viewers received, protocol headers included.</summary>
internal sealed record CrowdWindow
{
    public const string NoisyText = "NOISY: something else used the server's core or the machine's host; repeat on a quiet machine before the figure is believed";

    private const double NoisySteal = 0.02;
    private const double SaturatedShare = 0.9; // above it viewers read late, which makes every server look slower

    public required bool Guests { get; init; }
    public required double Seconds { get; init; }

    /// <summary>From before a picture's send to after its parse, at the sampled steady viewers.</summary>
    public required Times Delivery { get; init; }

    public required int Steady { get; init; }
    public required int Started { get; init; }

    /// <summary>Why steady viewers died, with their number.</summary>
    public required IReadOnlyDictionary<string, int> Deaths { get; init; }

    /// <summary>The largest number of steady viewers that got nothing in one second of the window.</summary>
    public required int MostStarved { get; init; }

    /// <summary>Pictures that sampled viewers missed, as places in the stream.</summary>
    public required int SteadyJumps { get; init; }

    /// <summary>Of the slowest and the fastest steady viewer.</summary>
    public required double SlowestKbps { get; init; }
    public required double FastestKbps { get; init; }
    public required double Gbit { get; init; }
    public required double ServerCpu { get; init; }
    public required double CoreBusy { get; init; }
    public required double OwnCpu { get; init; }

    /// <summary>CPUs that the machine's host took away while there was work for them.</summary>
    public required double Stolen { get; init; }

    /// <summary>Before the guests came, and at the window's end.</summary>
    public required double RssBeforeMb { get; init; }
    public required double RssMb { get; init; }
    public required GuestsReport Visitors { get; init; }

    /// <summary>Skips as the server counts them for steady viewers; -1 where it does not.</summary>
    public required long SteadySkips { get; init; }

    public double OwnShare => OwnCpu / Seconds;
    public double ServerShare => ServerCpu / Seconds;

    /// <summary>Something else used the server's core, or its host: delivery times are coloured by it.</summary>
    public bool Noisy => CoreBusy > 1.2 * ServerCpu || Stolen > NoisySteal;

    /// <summary>Reasons why the window must not be used; empty = valid.</summary>
    public IEnumerable<string> Faults(double clipBitsPerSecond)
    {
        if (Started < Steady) yield return $"{Steady - Started} steady viewers did not start";
        foreach (var (reason, count) in Deaths) yield return $"{count} steady viewers died: {reason}";
        if (MostStarved > 0) yield return $"{MostStarved} steady viewers got nothing for a second";
        if (SteadyJumps > 0) yield return $"sampled viewers missed pictures at {SteadyJumps} places";
        if (SteadySkips > 0) yield return $"the server skipped {SteadySkips} times at steady viewers";
        if (OwnShare > SaturatedShare) yield return $"the load generator was busy for {OwnShare:P0} of the time";
        if (Steady > 0 && SlowestKbps * 1000 / clipBitsPerSecond < 0.95) yield return $"the slowest steady viewer got {SlowestKbps * 1000 / clipBitsPerSecond:P1} of the stream";
        if (Steady > 0 && FastestKbps * 1000 / clipBitsPerSecond > 1.05) yield return $"the fastest steady viewer got {FastestKbps * 1000 / clipBitsPerSecond:P1} of the stream: a backlog";
        foreach (var fault in Visitors.Faults) yield return fault;
    }
}

/// <summary>What the guests of one window saw. Joins: of those who came inside the window.</summary>
internal sealed record GuestsReport
{
    public int Stalled { get; init; }
    public int HalfSpeed { get; init; }

    /// <summary>What one half-speed viewer received, on average.</summary>
    public double HalfSpeedKbps { get; init; }

    /// <summary>Jumps that half-speed viewers saw, all of them to a key frame.</summary>
    public int Jumps { get; init; }

    /// <summary>Skips and the largest lag of all slow guests, as the server counts them; -1 where it does not.</summary>
    public long Skips { get; init; } = -1;
    public long MaxLagBytes { get; init; } = -1;

    /// <summary>From the start of connecting to the first media message, and to the first key frame, which is what can be shown.</summary>
    public required Times FirstMedia { get; init; }
    public required Times FirstKey { get; init; }
    public required IReadOnlyList<string> Faults { get; init; }
}
