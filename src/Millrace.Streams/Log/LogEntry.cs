namespace Millrace.Streams.Log;

internal enum LogEntryKind : byte
{
    /// <summary>An access unit: one coded picture, audio frame or data message.</summary>
    Unit,

    /// <summary>A new Era begins; <see cref="LogEntry.Number"/> is its number.</summary>
    EraStart,

    /// <summary>A track's next Config holds from here; <see cref="LogEntry.Number"/> is the Config's number.</summary>
    Config,

    /// <summary>A packaging decision of the Timeline's authority; <see cref="LogEntry.Mark"/> says which.</summary>
    Mark,

    /// <summary>The publisher has gone, and may come back; <see cref="LogEntry.Number"/> is 1 where it said so.</summary>
    Pause,

    /// <summary>
    /// Another node decides from here on, and the Timeline has another id: <see cref="LogEntry.Dts"/>, before <see cref="LogEntry.Pts"/>.
    /// </summary>
    Fork,
}

/// <summary>One entry of a <see cref="StreamLog"/>. Times are ticks of the track's timescale where not said otherwise.</summary>
internal struct LogEntry
{
    public LogEntryKind Kind;

    /// <summary>The unit can be decoded without an earlier one. Without video each audio unit is a key.</summary>
    public bool IsKey;

    /// <summary><see cref="Track.Id"/> in the Era.</summary>
    public short Track;

    /// <summary>Number of the Config that the unit needs; of a Mark, the discontinuities up to its segment; else see <see cref="LogEntryKind"/>.</summary>
    public int Number;

    public int EraNumber;

    /// <summary>Payload bytes.</summary>
    public int Length;

    public Mark Mark;

    /// <summary>Position of the payload in the log's bytes.</summary>
    public long Position;

    /// <summary>Decode time; of a Mark, the number in the segment's name.</summary>
    public long Dts;

    /// <summary>Presentation time; of a Mark, the wall clock of its border (Unix time, microseconds).</summary>
    public long Pts;

    /// <summary>Dts in microseconds of media time, to compare tracks; of a Mark, the border.</summary>
    public long DtsMicros;

    /// <summary>Monotonic time of arrival, microseconds.</summary>
    public long ArrivedMicros;
}
