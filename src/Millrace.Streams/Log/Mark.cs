namespace Millrace.Streams.Log;

internal enum MarkKind : byte
{
    /// <summary>The open part and segment end, the segment of that number begins.</summary>
    Segment,

    /// <summary>The open part of that number ends.</summary>
    PartEnd,
}

/// <summary>Whose numbering a Mark belongs to: each series has its target, its rule and its numbers.</summary>
internal enum MarkSeries : byte
{
    /// <summary>LL-HLS and fMP4.</summary>
    LowLatency,

    /// <summary>MPEG-TS HLS where it has settings of its own.</summary>
    TransportStream,
}

/// <summary>
/// A packaging decision in the log, made once by the Timeline's authority and obeyed by every packager on every node. Its
/// border is a media time (<see cref="LogEntry.DtsMicros"/>): units of any track belong to what lies on their side of it.
/// </summary>
/// <param name="Number">Media sequence number or part number.</param>
/// <param name="PartTargetMicros">PART-TARGET as it is now; 0 while it is unknown, and where segments have no parts.</param>
/// <param name="TargetSeconds">EXT-X-TARGETDURATION as it is now.</param>
/// <param name="Kind">What is decided.</param>
/// <param name="Series">For whom.</param>
/// <param name="IsBreak">The segment that begins is separated from the one before by a discontinuity.</param>
internal readonly record struct Mark(long Number, int PartTargetMicros, ushort TargetSeconds, MarkKind Kind, MarkSeries Series, bool IsBreak);
