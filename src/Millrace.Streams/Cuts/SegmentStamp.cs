using Millrace.Media;
using Millrace.Streams.Log;

namespace Millrace.Streams.Cuts;

/// <summary>Names and dates of the segments of one series.</summary>
internal sealed class SegmentStamp(CutRule rule)
{
    /// <summary>EXT-X-PROGRAM-DATE-TIME leaves the sum of EXTINF by at most a hundredth,</summary>
    private const long SlewDivisor = 100;

    /// <summary>and by no more than a frame from one segment to the next: players and validators compare the two.</summary>
    private const long MaxSlewMicros = 40_000;

    private Era? _era;
    private long _epoch;
    private long _firstOfEra = -1;
    private long _lastBorder;
    private long _named = -1;
    private long _nameBefore = -1;
    private long _lastName = -1;

    /// <summary>Goes on from the segment that another node has begun.</summary>
    public void Resume(Era era, in LogEntry mark) =>
        (_era, _epoch, _lastBorder, _named, _lastName, _nameBefore) = (era, mark.Pts - mark.DtsMicros, mark.DtsMicros, mark.Mark.Number, mark.Dts, mark.Dts - 1);

    /// <summary>
    /// The number in the name of the segment that begins at <paramref name="border"/>; no two have the same, and a segment that is
    /// announced again need not have another.
    /// </summary>
    /// <param name="number">Media sequence number.</param>
    /// <param name="border">Media time, microseconds.</param>
    /// <param name="date">Its wall clock, microseconds of Unix time.</param>
    public long NameOf(long number, long border, long date)
    {
        if (rule.Naming == SegmentNaming.Sequential)
            return number;
        var name = rule.Naming == SegmentNaming.System ? date / 1_000 : Timescale.Convert(border, Timescale.Microseconds, Timescale.Video);
        if (rule.Granularity > 0)
            name = name / rule.Granularity * rule.Granularity;
        if (number != _named)
            (_named, _nameBefore) = (number, _lastName);
        return _lastName = Math.Max(_nameBefore + 1, name);
    }

    /// <summary>
    /// The wall clock of a segment's beginning, microseconds of Unix time. Dates and durations must agree, so from the second
    /// segment of an Era on a clock that is corrected is followed slowly.
    /// </summary>
    public long DateOf(Era era, long number, long border)
    {
        if (_era != era)
            (_era, _firstOfEra) = (era, number);
        var slew = Math.Min(MaxSlewMicros, Math.Max(0, border - _lastBorder) / SlewDivisor);
        _epoch = number == _firstOfEra ? era.EpochMicros : _epoch + Math.Clamp(era.EpochMicros - _epoch, -slew, slew);
        _lastBorder = border;
        return _epoch + border;
    }

    /// <summary>
    /// The clock has moved by more than a frame since <paramref name="number"/>, with which its Era begins, was dated: what a sender had
    /// queued while it connected comes at once, and each unit of it is less late than the one before.
    /// </summary>
    public bool IsCorrected(Era era, long number) =>
        _era == era && number == _firstOfEra && Math.Abs(era.EpochMicros - _epoch) > MaxSlewMicros;

    /// <summary>The wall clock of a border within the segment, microseconds of Unix time.</summary>
    public long DateWithin(long border) => _epoch + border;
}
