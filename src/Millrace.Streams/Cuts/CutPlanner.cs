using Millrace.Media;
using Millrace.Streams.Log;

namespace Millrace.Streams.Cuts;

/// <summary>
/// Decides, once for all packagers and nodes, where the segments and parts of one series begin and end. It sees the
/// times of units before they are appended and writes Marks into the log. Belongs to the holder of the stream's lock.
/// </summary>
/// <remarks>
/// A Mark's time is a border in media time; it is written when the first unit of the leading track at or behind the border
/// arrives, so that every packager knows exactly how long the frame before it lasts. The border may lie one frame back,
/// where the unit that has come would make the part longer than PART-TARGET.
/// </remarks>
internal sealed class CutPlanner(MarkSeries series, CutRule rule, Action<LogEntry> append, long firstNumber = 0)
{
    /// <summary>EXTINF rounded to the nearest integer must not be more than TARGETDURATION (RFC 8216bis 4.4.3.1).</summary>
    private const long HardCutMargin = 490_000;

    /// <summary>Key intervals vary by the sender's milliseconds.</summary>
    private const long KeyJitter = 100_000;

    /// <summary>A frame may begin that much before its time, for the same reason.</summary>
    private const long FrameJitter = 5_000;

    /// <summary>
    /// With parts, a Timeline's first segment ends at the first key frame after this: most players take a playlist without a
    /// segment for a broken one, whatever parts it has.
    /// </summary>
    private const long FirstSegment = 900_000;

    /// <summary>A TARGETDURATION that follows a long key interval ends at this multiple of the target; longer ones are cut hard.</summary>
    private const int MaxTargetFactor = 3;

    /// <summary>A track that does not lead may be this far ahead before the leading one counts as stalled.</summary>
    private const long Patience = 1_000_000;

    /// <summary>A hole longer than this is not filled with parts: every listed segment would be one.</summary>
    private const long LongestHole = 60_000_000;

    /// <summary>Configs of tracks that do not lead may not cut more often than this.</summary>
    private const long LeastForcedSegment = 500_000;

    /// <summary>Stands in where a Config does not say how long a frame is.</summary>
    private const long OpusFrame = 20_000;

    private const long Second = 1_000_000;

    private readonly SegmentStamp _stamp = new(rule);
    private Era? _era;
    private bool _awaitsEraStart;
    private bool _hasUnits;
    private bool _isSegmentEmpty = true;
    private long _name;
    private long _previousStart;
    private long _segmentStart;
    private long _partStart;
    private long _lastDts = -1;
    private long _lastKey = -1;
    private long _longestKeyInterval;
    private long _longestSegment;
    private int _discontinuities = (int)firstNumber;
    private bool _isBreak = firstNumber > 0;
    private long _fixedTarget;
    private long _audioFrame;
    private bool _startsWithKey;

    public MarkSeries Series => series;

    public CutRule Rule => rule;

    public PartTarget Part { get; } = new(rule.PartMicros);

    /// <summary>Number of the open segment; one less than the first before there is one.</summary>
    public long Segment { get; private set; } = firstNumber - 1;

    /// <summary>Number of the open part in its segment.</summary>
    public int PartNumber { get; private set; }

    /// <summary>
    /// Media time from which on the log is needed, microseconds: the segment before the open one, so that a packager that
    /// starts has a whole one to begin with.
    /// </summary>
    public long NeededFrom => _hasUnits ? _previousStart : long.MaxValue;

    /// <summary>Segments that had to be cut without a key frame.</summary>
    public long HardCuts { get; private set; }

    /// <summary>EXT-X-TARGETDURATION, seconds: what it would be now, until <see cref="FixTarget"/>.</summary>
    public long TargetSeconds => _fixedTarget > 0 ? _fixedTarget : Target();

    /// <summary>A playlist is about to be handed out: TARGETDURATION never changes after that.</summary>
    public void FixTarget() => _fixedTarget = TargetSeconds;

    public void OnEra(Era era)
    {
        _era = era;
        _awaitsEraStart = true;
        _lastDts = -1;
        _lastKey = -1;
        _audioFrame = LongestAudioFrame(era);
        if (rule.PartMicros > 0)
            Part.Reopen(FrameMicros(era.Leading?.Config), _audioFrame);
    }

    /// <summary>The publisher has gone: what came last is made available, and the next Era begins a segment of its own.</summary>
    public void OnPause(long endMicros)
    {
        if (!_hasUnits || _awaitsEraStart || _isSegmentEmpty)
            return;
        if (Part.IsOpen && rule.PartMicros > 0)
            Part.Close();
        FillTo(Math.Max(endMicros, _partStart));
        CutSegment(Math.Max(endMicros, _partStart));
    }

    /// <summary>A unit of the leading track is about to be appended.</summary>
    public void OnLeading(long dts, bool isKey)
    {
        if (_awaitsEraStart)
            StartEra(dts);
        else
            OnNext(dts, isKey);
        _startsWithKey |= isKey && _segmentStart == dts;
        if (isKey)
        {
            if (_lastKey >= 0)
                _longestKeyInterval = Math.Max(_longestKeyInterval, dts - _lastKey);
            _lastKey = dts;
        }

        _lastDts = dts;
        _hasUnits = true;
        _isSegmentEmpty = false;
    }

    /// <summary>A unit of another track is about to be appended: a leading track that stalls does not hold it up.</summary>
    public void OnOther(long dts)
    {
        if (!_awaitsEraStart && _hasUnits && dts - Patience > Math.Max(_lastDts, _partStart))
            FillTo(dts - Patience);
    }

    /// <summary>A unit that needs a new Config is about to be appended: EXT-X-MAP holds for whole segments.</summary>
    /// <param name="dts">Of the unit, microseconds.</param>
    /// <param name="isLeading">It is of the leading track.</param>
    /// <param name="isBreak">Picture size differs: EXT-X-DISCONTINUITY (RFC 8216bis 4.4.4.3).</param>
    public void OnConfig(long dts, bool isLeading, bool isBreak)
    {
        if (_awaitsEraStart || !_hasUnits)
            return;
        var border = Math.Max(dts, _partStart);
        if (border - _segmentStart < (isLeading ? 1 : LeastForcedSegment))
            return;
        FillTo(border);
        _isBreak |= isBreak;
        CutSegment(border);
    }

    private void StartEra(long dts)
    {
        _awaitsEraStart = false;
        _isBreak |= _hasUnits;
        // A segment that nothing came into is used by the Era that goes on.
        if (Segment >= firstNumber && _isSegmentEmpty)
            Segment--;
        CutSegment(dts);
    }

    private void OnNext(long dts, bool isKey)
    {
        if (rule.PartMicros > 0 && Part.IsOpen)
        {
            Part.Observe(dts - _lastDts);
            if (dts - _partStart >= rule.PartMicros - FrameJitter)
                Part.Close();
        }

        var last = _lastDts;
        FillTo(dts);
        // A unit cannot be taken back from a segment without parts: the next one is expected to be as long as this one.
        if (rule.PartMicros == 0 && (2 * dts) - last > SegmentLimit && dts > _segmentStart)
        {
            HardCuts += isKey ? 0 : 1;
            CutSegment(dts);
        }

        if (isKey && IsSegmentDue(dts))
            CutSegment(dts);
        else if (HasParts && IsPartDue(dts, isKey))
            EndPart(dts);
    }

    /// <summary>The latest end of the open segment; audio may begin a frame before its border, and outlast it by one.</summary>
    private long SegmentLimit => _segmentStart + (TargetSeconds * Second) + HardCutMargin - (2 * _audioFrame);

    private bool HasParts => rule.PartMicros > 0 && !Part.IsOpen;

    /// <summary>Ends whatever must end before <paramref name="dts"/>, so that nothing is longer than it may be.</summary>
    private void FillTo(long dts)
    {
        if (dts - Math.Max(_lastDts, _partStart) > LongestHole)
        {
            LeaveOut(dts);
            return;
        }

        while (true)
        {
            var segmentEnd = SegmentLimit;
            var partEnd = HasParts ? _partStart + Part.BorderMicros : long.MaxValue;
            var limit = Math.Min(segmentEnd, partEnd);
            if (dts <= limit)
                return;
            var isSegment = segmentEnd <= partEnd;
            var canStepBack = rule.PartMicros > 0 && _lastDts > _partStart && _lastDts < limit && (isSegment || _lastDts - _partStart >= Part.LeastMicros);
            var border = canStepBack ? _lastDts : limit;
            if (isSegment)
            {
                HardCuts++;
                CutSegment(border);
            }
            else
            {
                EndPart(border);
            }
        }
    }

    /// <summary>Ends the segment where media ended, and begins the next where it goes on.</summary>
    private void LeaveOut(long dts)
    {
        var end = Math.Max(_lastDts, _partStart);
        if (!_isSegmentEmpty)
            CutSegment(end + Math.Max(1, Math.Min(SegmentLimit - end, HasParts ? _partStart + Part.BorderMicros - end : OpusFrame)));
        _isBreak = true;
        Segment--;
        CutSegment(dts);
    }

    private bool IsPartDue(long dts, bool isKey)
    {
        var elapsed = dts - _partStart;
        return elapsed + (dts - _lastDts) > Part.BorderMicros || (isKey && elapsed >= Part.LeastMicros);
    }

    private bool IsSegmentDue(long dts)
    {
        var elapsed = dts - _segmentStart;
        // Another track was far ahead, and the segment was cut behind this picture.
        if (elapsed <= 0)
            return false;
        if (rule.IsStrict && !_startsWithKey)
            return true;
        return rule.Mode switch
        {
            CutMode.After => elapsed >= rule.SegmentMicros - FrameJitter,
            CutMode.Aligned => dts / rule.SegmentMicros != _segmentStart / rule.SegmentMicros,
            _ when rule.PartMicros > 0 && Segment == firstNumber && elapsed >= FirstSegment => true,
            _ => elapsed + (_lastKey < 0 ? 0 : dts - _lastKey) > rule.SegmentMicros + KeyJitter,
        };
    }

    /// <summary>The target, or as much more as the key interval makes of it.</summary>
    private long Target()
    {
        var interval = Math.Max(_longestKeyInterval, _lastKey >= 0 && _lastDts >= 0 ? _lastDts - _lastKey : 0);
        var longest = rule.Mode switch
        {
            CutMode.After when interval > 0 => (rule.SegmentMicros + interval - KeyJitter - 1) / interval * interval,
            CutMode.Aligned => rule.SegmentMicros + interval,
            _ => interval,
        };
        var target = Math.Max((rule.SegmentMicros + (Second / 2)) / Second, (longest - KeyJitter + Second - 1) / Second);
        var seen = (_longestSegment + (2 * _audioFrame) + (Second / 2)) / Second;
        return Math.Max(seen, Math.Clamp(target, 1, Math.Max(1, MaxTargetFactor * rule.SegmentMicros / Second)));
    }

    private void CutSegment(long border)
    {
        if (!_isSegmentEmpty)
            _longestSegment = Math.Max(_longestSegment, border - _segmentStart);
        Segment++;
        PartNumber = 0;
        _previousStart = _isSegmentEmpty ? border : _segmentStart;
        (_segmentStart, _partStart, _isSegmentEmpty, _startsWithKey) = (border, border, true, false);
        var date = _stamp.DateOf(_era!, border);
        _name = _stamp.NameOf(Segment, border, date);
        _discontinuities += _isBreak ? 1 : 0;
        Append(MarkKind.Segment, Segment, border, date);
        _isBreak = false;
    }

    private void EndPart(long border)
    {
        Append(MarkKind.PartEnd, PartNumber, border, _stamp.DateOf(_era!, border));
        PartNumber++;
        _partStart = border;
        _isSegmentEmpty = false;
    }

    private void Append(MarkKind kind, long number, long border, long date) => append(new LogEntry
    {
        Kind = LogEntryKind.Mark,
        Mark = new Mark(kind, series, number, _isBreak),
        EraNumber = _era!.Number,
        Number = _discontinuities,
        DtsMicros = border,
        Dts = _name,
        Pts = date,
    });

    private static long FrameMicros(Config? config) =>
        config is { FrameRate: > 0 } ? (long)(Second / config.FrameRate) : config is { SamplesPerFrame: > 0, SampleRate: > 0 } ? Second * config.SamplesPerFrame / config.SampleRate : 0;

    private static long LongestAudioFrame(Era era)
    {
        var longest = 0L;
        foreach (var track in era.Tracks)
        {
            if (track.Kind == TrackKind.Audio && track != era.Leading)
                longest = Math.Max(longest, FrameMicros(track.Config) is > 0 and var frame ? frame : OpusFrame);
        }

        return longest;
    }
}
