namespace Millrace.Streams.Log;

internal enum MarkKind : byte
{
    /// <summary>A segment starts with the next unit of the leading track.</summary>
    Segment,

    /// <summary>A part ends before the next unit of the leading track.</summary>
    PartEnd,

    /// <summary>The content key changes; <see cref="Mark.Number"/> is its number.</summary>
    Key,
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
/// A packaging decision in the log, made once by the Timeline's authority and obeyed by every packager on every node.
/// </summary>
/// <param name="Kind">What is decided.</param>
/// <param name="Series">For whom.</param>
/// <param name="Number">Media sequence number, part number or key number.</param>
internal readonly record struct Mark(MarkKind Kind, MarkSeries Series, long Number);
