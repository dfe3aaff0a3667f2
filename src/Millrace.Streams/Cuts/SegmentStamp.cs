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
    private long _eraStart;
    private long _lastBorder;
    private long _lastName = -1;

    /// <summary>The number in the name of the segment that begins at <paramref name="border"/>; no two have the same.</summary>
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
        return _lastName = Math.Max(_lastName + 1, name);
    }

    /// <summary>
    /// The wall clock of a segment's beginning, microseconds of Unix time. Dates and durations must agree, so a clock that is corrected at
    /// the beginning of an Era is followed slowly.
    /// </summary>
    public long DateOf(Era era, long border)
    {
        if (_era != era || border == _eraStart)
            (_era, _epoch, _eraStart) = (era, era.EpochMicros, border);
        var slew = Math.Min(MaxSlewMicros, Math.Max(0, border - _lastBorder) / SlewDivisor);
        _epoch += Math.Clamp(era.EpochMicros - _epoch, -slew, slew);
        _lastBorder = border;
        return _epoch + border;
    }

    /// <summary>
    /// The clock has moved by more than a frame since the Era's first segment was dated: what a sender had queued while it
    /// connected comes at once, and each unit of it is less late than the one before.
    /// </summary>
    public bool IsCorrected(Era era) => _era == era && _lastBorder == _eraStart && Math.Abs(era.EpochMicros - _epoch) > MaxSlewMicros;

    /// <summary>The wall clock of a border within the segment, microseconds of Unix time.</summary>
    public long DateWithin(long border) => _epoch + border;
}
