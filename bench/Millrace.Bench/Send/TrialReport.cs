namespace Millrace.Bench.Send;

/// <summary>What one trial came to in its window. <c>Gbit</c> = 10^9 bits that the kernel took.</summary>
internal sealed record TrialReport
{
    private const double SaturatedShare = 0.95;

    public required double Gbit { get; init; }

    /// <summary>What a stream had for all connections; 0 for objects.</summary>
    public required double OfferedGbit { get; init; }
    public required double Seconds { get; init; }
    public required double UserCpu { get; init; }
    public required double SystemCpu { get; init; }

    /// <summary>Seconds that the sender's core was busy.</summary>
    public required double CoreBusy { get; init; }
    public required double LoadCpu { get; init; }

    /// <summary>System calls that send, and sends that took less than they were given.</summary>
    public required long Calls { get; init; }
    public required long Partials { get; init; }

    /// <summary>Completions of MSG_ZEROCOPY in the whole trial, and those for which the kernel copied after all.</summary>
    public required long Completions { get; init; }
    public required long CopiedCompletions { get; init; }

    /// <summary>Bytes that were lost, or a failure of the receivers.</summary>
    public string? Fault { get; init; }

    public double CpuPerGbit => (UserCpu + SystemCpu) / Gbit;

    public double CorePerGbit => CoreBusy / Gbit;

    public double SenderShare => (UserCpu + SystemCpu) / Seconds;

    public double LoadShare => LoadCpu / Seconds;

    /// <summary>Something else used the sender's core.</summary>
    public bool Noisy => CoreBusy > 1.2 * (UserCpu + SystemCpu);

    /// <summary>Reasons why it must not be used; empty = valid.</summary>
    public IEnumerable<string> Invalid(bool isStream, bool mayBeSaturated)
    {
        if (Fault is not null) yield return Fault;
        if (Gbit <= 0) yield return "nothing was sent";
        if (!isStream) yield break;
        if (Gbit < 0.95 * OfferedGbit || Gbit > 1.05 * OfferedGbit) yield return $"{Gbit / OfferedGbit:P0} of the stream was sent";
        if (SenderShare > SaturatedShare && !mayBeSaturated) yield return "the sender was saturated";
        if (LoadShare > SaturatedShare) yield return "the receivers were saturated";
    }
}
