
namespace Millrace.Bench.Http;

/// <summary>What plain requests came to in the window. <c>Gbit</c> = 10^9 bits that clients received, heads included.</summary>
internal sealed record GetsReport
{
    private const double SaturatedShare = 0.95;

    public required long Answers { get; init; }

    /// <summary>Content-Length of the last answer.</summary>
    public required long BodyBytes { get; init; }
    public required double Seconds { get; init; }
    public required double Gbit { get; init; }

    /// <summary>CPU seconds of the watched process; of ours with the stream that it takes in and packages meanwhile.</summary>
    public required double ServerCpu { get; init; }

    /// <summary>Seconds that the watched core was busy.</summary>
    public required double CoreBusy { get; init; }
    public required double OwnCpu { get; init; }
    public required IReadOnlyDictionary<string, int> Faults { get; init; }

    public double CpuPerGbit => ServerCpu / Gbit;

    public double PerSecond => Answers / Seconds;

    public double CpuMicrosPerAnswer => ServerCpu * 1e6 / Answers;

    /// <summary>Something else used the server's core.</summary>
    public bool Noisy => CoreBusy > 1.2 * ServerCpu;

    /// <summary>The load generator was the limit: answers per second say nothing of the server, CPU time per answer still does.</summary>
    public bool GeneratorBound => OwnCpu / Seconds > SaturatedShare;

    /// <summary>Reasons why the run must not be used; empty = valid.</summary>
    public IEnumerable<string> Invalid()
    {
        foreach (var (reason, count) in Faults) yield return $"{count}x {reason}";
        if (Answers == 0) yield return "no answer came";
    }
}
