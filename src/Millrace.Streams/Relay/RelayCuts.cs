using Millrace.Streams.Log;

namespace Millrace.Streams.Relay;

/// <summary>Where the open segments and those before them begin, as another node's Marks say it.</summary>
internal sealed class RelayCuts
{
    private readonly (long Number, long Start, long Previous)[] _series = new (long, long, long)[2];
    private readonly bool[] _isKnown = new bool[2];

    public void Clear() => Array.Clear(_isKnown);

    /// <summary>Media time from which on the log is needed, microseconds: the segment before the open one, so that a packager that starts has a whole one.</summary>
    public long NeededAfter(in LogEntry mark)
    {
        var index = (int)mark.Mark.Series;
        ref var series = ref _series[index];
        if (mark.Mark.Kind == MarkKind.Segment && (!_isKnown[index] || series.Number != mark.Mark.Number))
        {
            series = (mark.Mark.Number, mark.DtsMicros, _isKnown[index] ? series.Start : mark.DtsMicros);
            _isKnown[index] = true;
        }

        var needed = long.MaxValue;
        for (var i = 0; i < _series.Length; i++)
        {
            if (_isKnown[i])
                needed = Math.Min(needed, _series[i].Previous);
        }

        return needed;
    }
}
