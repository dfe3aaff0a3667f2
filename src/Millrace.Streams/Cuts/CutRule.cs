namespace Millrace.Streams.Cuts;

/// <summary>At which key frame a segment ends.</summary>
internal enum CutMode
{
    /// <summary>At the last key frame before the segment would be longer than the target.</summary>
    Fitting,

    /// <summary>At the first key frame at or after the target: nginx-rtmp's rule.</summary>
    After,

    /// <summary>At the first key frame behind a multiple of the target in media time, so that instances agree.</summary>
    Aligned,
}

/// <summary>What the number in a segment's name is.</summary>
internal enum SegmentNaming
{
    /// <summary>The media sequence number.</summary>
    Sequential,

    /// <summary>Media time at 90 kHz.</summary>
    Timestamp,

    /// <summary>Unix time, milliseconds.</summary>
    System,
}

/// <summary>How one series of a Timeline is cut. Times in microseconds.</summary>
internal sealed record CutRule
{
    /// <summary>Of segments and of parts.</summary>
    public const long ShortestMicros = 100_000;
    public const long LongestSegmentMicros = 300_000_000;
    public const long LongestPartMicros = 2_000_000;

    public CutMode Mode { get; init; } = CutMode.Fitting;

    /// <summary>Target duration of a segment.</summary>
    public long SegmentMicros { get; init; } = 6_000_000;

    /// <summary>Target duration of a part; 0: segments have no parts.</summary>
    public long PartMicros { get; init; } = 500_000;

    /// <summary>A new Timeline goes on where the clock is, so that numbers grow over a restart; else it begins at 0.</summary>
    public bool IsContinuous { get; init; }

    /// <summary>Every segment shall start with a key frame: one that had to be cut without ends at the next.</summary>
    public bool IsStrict { get; init; }

    public SegmentNaming Naming { get; init; }

    /// <summary>Names are rounded down to multiples of this; 0: they are not.</summary>
    public long Granularity { get; init; }
}
