namespace Millrace.Bench.Publish;

/// <summary>What `publish` measures.</summary>
internal sealed record PublishPlan
{
    public required int Publishers { get; init; }

    /// <summary>Which clip, kbit/s.</summary>
    public required int Kilobits { get; init; }
    public required int ViewersPerStream { get; init; }
    public required int Chunk { get; init; }
    public required int PaceMs { get; init; }
    public required int Ramp { get; init; }
    public required int Runs { get; init; }
    public required double Seconds { get; init; }
    public required double Settle { get; init; }
    public required string Server { get; init; }
    public required int BasePort { get; init; }
    public required int ServerCore { get; init; }
    public required int LoadCore { get; init; }
    public double? Bar { get; init; }
    public string? Keep { get; init; }

    public bool AgainstItself => string.Equals(Server, "nginx", StringComparison.Ordinal);
}
