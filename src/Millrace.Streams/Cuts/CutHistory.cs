using Millrace.Streams.Log;

namespace Millrace.Streams.Cuts;

/// <summary>Where another node has cut: what a planner must know to go on from there. Belongs to the holder of the stream's lock.</summary>
internal sealed class CutHistory
{
    private readonly CutState?[] _series = new CutState?[2];
    private long _lastLeading = -1;

    public void Clear()
    {
        Array.Clear(_series);
        _lastLeading = -1;
    }

    /// <summary>A unit of the leading track has come.</summary>
    public void OnLeading(long dtsMicros) => _lastLeading = dtsMicros;

    public void OnMark(in LogEntry mark)
    {
        ref var state = ref _series[(int)mark.Mark.Series];
        if (mark.Mark.Kind == MarkKind.Segment)
            state = new CutState(mark, state is { } before ? before.Segment.Mark.Number == mark.Mark.Number ? before.PreviousStart : before.Segment.DtsMicros : mark.DtsMicros);
        else
            state?.OnPartEnd(mark);
    }

    /// <summary>
    /// Media time from which on the log is needed, microseconds: the segment before the open one, so that a packager that starts has a whole
    /// one to begin with.
    /// </summary>
    public long NeededFrom
    {
        get
        {
            var needed = long.MaxValue;
            foreach (var state in _series)
                needed = Math.Min(needed, state?.PreviousStart ?? long.MaxValue);
            return needed;
        }
    }

    /// <summary>What there is of a series; null where it has no segment yet.</summary>
    /// <param name="series">Which.</param>
    /// <param name="lastDts">The newest unit of the leading track.</param>
    public CutState? Find(MarkSeries series, out long lastDts)
    {
        lastDts = _lastLeading;
        return _series[(int)series];
    }
}

/// <summary>The open segment of a series.</summary>
/// <param name="segment">The Mark that begins it.</param>
/// <param name="previousStart">Where the one before begins, microseconds of media time.</param>
internal sealed class CutState(LogEntry segment, long previousStart)
{
    public LogEntry Segment { get; } = segment;

    public long PreviousStart { get; } = previousStart;

    /// <summary>Parts of it that have ended.</summary>
    public int Parts { get; private set; }

    /// <summary>Where the open part begins.</summary>
    public long PartStart { get; private set; } = segment.DtsMicros;

    public int PartTargetMicros { get; private set; } = segment.Mark.PartTargetMicros;

    public void OnPartEnd(in LogEntry mark)
    {
        Parts = (int)mark.Mark.Number + 1;
        PartStart = mark.DtsMicros;
        PartTargetMicros = mark.Mark.PartTargetMicros;
    }
}
