namespace Millrace.Bench.Churn;

internal enum ChurnMeasure
{
    /// <summary>What many viewers that came and went have left in the server.</summary>
    Left,

    /// <summary>Joins as fast as the server takes them, with nobody else there.</summary>
    Joins,

    /// <summary>Viewers that come and go beside others that stay.</summary>
    Beside,
}

/// <summary>What a cycle does: play the live stream, or ask for a name that nobody ever used, by RTMP or HTTP-FLV.</summary>
internal enum CycleKind
{
    Play,
    Absent,
    Flv,
    FlvAbsent,
}

/// <summary>What `churn` measures. Times in seconds unless the name says otherwise.</summary>
internal sealed record ChurnPlan
{
    public required ChurnMeasure[] Measures { get; init; }

    /// <summary>Left: cycles, of all kinds together.</summary>
    public required int Count { get; init; }
    public required int Parallel { get; init; }
    public required CycleKind[] Kinds { get; init; }

    /// <summary>Cycles between two samples; growth counts from the first of them.</summary>
    public required int SampleEvery { get; init; }
    public required double AllowedMb { get; init; }

    /// <summary>Regular expression for the managed heap's metric name; the values of all its labels are added.</summary>
    public required string HeapMetric { get; init; }

    /// <summary>Joins, beside: pairs of a run of the peer and one of ours.</summary>
    public required int Runs { get; init; }
    public required double Seconds { get; init; }

    /// <summary>Joins: viewers at a time, each gone with its first media message.</summary>
    public required int AtOnce { get; init; }

    /// <summary>Beside: viewers that stay.</summary>
    public required int Steady { get; init; }

    /// <summary>Beside: viewers that come, per second, and for how long.</summary>
    public required int PerSecond { get; init; }
    public required double Stay { get; init; }
    public required int MergeMs { get; init; }
    public required string Server { get; init; }
    public required int BasePort { get; init; }
    public required int ServerCore { get; init; }
    public required int LoadCore { get; init; }
    public string? Keep { get; init; }
}
