namespace Millrace.Bench.Latency;

/// <summary>What `latency` does; times in seconds unless the name says otherwise.</summary>
internal sealed record LatencyPlan
{
    public required int Runs { get; init; }
    public required double Seconds { get; init; }
    public required double Warmup { get; init; }
    public required int WindowMs { get; init; }
    public required string Server { get; init; }
    /// <summary>Edges below the server, one below the other.</summary>
    public required int Levels { get; init; }
    public required int BasePort { get; init; }
    public required int ServerCore { get; init; }

    /// <summary>Largest accepted median of the added time, in ms.</summary>
    public double? BarP50 { get; init; }
    public double? BarP99 { get; init; }

    /// <summary>Largest accepted p99 that a level adds to the one above, in ms.</summary>
    public double? BarLevel { get; init; }
    public string? Keep { get; init; }

    public string Label => string.Equals(Server, "nginx", StringComparison.Ordinal) ? "nginx-rtmp" : "millrace";
}
