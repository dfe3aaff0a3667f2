namespace Millrace.Bench.Cycles;

/// <summary>What a cycle does: play the live stream, or ask for a name that nobody ever used, by RTMP or HTTP-FLV.</summary>
internal enum CycleKind
{
    Play,
    Absent,
    Flv,
    FlvAbsent,
}

internal sealed record CyclesPlan
{
    public required int Count { get; init; }
    public required int Parallel { get; init; }
    public required CycleKind[] Kinds { get; init; }

    /// <summary>Cycles between two samples; growth counts from the first of them.</summary>
    public required int SampleEvery { get; init; }
    public required double AllowedMb { get; init; }

    /// <summary>Regular expression for the managed heap's metric name; the values of all its labels are added.</summary>
    public required string HeapMetric { get; init; }
    public required string Server { get; init; }
    public required int BasePort { get; init; }
    public string? Keep { get; init; }
}
