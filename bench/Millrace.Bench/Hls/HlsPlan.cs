using Millrace.Bench.Servers;

namespace Millrace.Bench.Hls;

internal enum HlsMeasure
{
    /// <summary>Many requests that wait for the same part.</summary>
    Blocked,

    /// <summary>Viewers who follow the stream: playlist after playlist, and the parts that they name.</summary>
    Steady,
}

/// <summary>What `hls` measures.</summary>
internal sealed record HlsPlan
{
    public required HlsMeasure[] Measures { get; init; }
    public required int Runs { get; init; }
    public required int Waiters { get; init; }
    public required int Parts { get; init; }
    public required int WarmupParts { get; init; }
    public required int Ramp { get; init; }
    /// <summary>Blocked: ask for gzip.</summary>
    public required bool Gzip { get; init; }

    /// <summary>Steady: the same.</summary>
    public required bool SteadyGzip { get; init; }
    public required bool AsksTogether { get; init; }

    /// <summary>Steady: numbers of viewers, each measured by itself.</summary>
    public required int[] Viewers { get; init; }

    /// <summary>Steady: viewers follow the sound's playlist too.</summary>
    public required bool Sound { get; init; }

    /// <summary>See <see cref="SteadyPlan.IsSplit"/>.</summary>
    public required bool IsSplit { get; init; }

    /// <summary>See <see cref="SteadyPlan.Skip"/>.</summary>
    public required bool Skip { get; init; }

    /// <summary>`hls.part` of our server, ms.</summary>
    public required int PartMs { get; init; }

    /// <summary>`hls.segment` of our server, ms.</summary>
    public required int SegmentMs { get; init; }
    public required string Server { get; init; }
    public required int BasePort { get; init; }
    public required int ServerCore { get; init; }
    public required int LoadCore { get; init; }

    /// <summary>On the last answer to 95 % of the parts, ms: after the first, and after a connection that waits alone.</summary>
    public double? BarMs { get; init; }
    public double? BarKb { get; init; }

    /// <summary>On 95 % of the deliveries of a part, ms: after the first viewer, and after one alone, has its playlist.</summary>
    public double? BarP95 { get; init; }

    /// <summary>On the server's share of its core with steady viewers.</summary>
    public double? BarCore { get; init; }
    public string? Keep { get; init; }

    public MillraceServer CreateServer() => Target.CreateHls(Server, BasePort, PartMs, SegmentMs);
}
