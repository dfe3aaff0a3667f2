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
internal sealed class CutPlanner
{
    /// <summary>A track that does not lead may be this far ahead before the leading one counts as stalled.</summary>
    private const long Patience = 1_000_000;

    /// <summary>A hole longer than this is not filled with parts: every listed segment would be one.</summary>
    private const long LongestHole = 60_000_000;

    /// <summary>Configs of tracks that do not lead may not cut more often than this.</summary>
    private const long LeastForcedSegment = 500_000;

    private readonly MarkWriter _marks;
    private readonly SegmentTarget _target;
    private bool _awaitsEraStart;
    private bool _hasUnits;
    private long _lastDts = -1;

    public CutPlanner(MarkSeries series, CutRule rule, Action<LogEntry> append, long firstNumber = 0)
    {
        (Series, Rule) = (series, rule);
        _target = new SegmentTarget(rule);
        Part = new PartTarget(rule.PartMicros);
        _marks = new MarkWriter(series, rule, _target, Part, append, firstNumber);
    }

    public MarkSeries Series { get; }

    public CutRule Rule { get; }

    public PartTarget Part { get; }

    /// <summary>Number of the open segment; one less than the first before there is one.</summary>
    public long Segment => _marks.Segment;

    /// <summary>
    /// Media time from which on the log is needed, microseconds: the segment before the open one, so that a packager that
    /// starts has a whole one to begin with.
    /// </summary>
    public long NeededFrom => _hasUnits ? _marks.PreviousStart : long.MaxValue;

    /// <summary>Segments that had to be cut without a key frame.</summary>
    public long HardCuts { get; private set; }

    /// <summary>EXT-X-TARGETDURATION, seconds: what it would be now, until <see cref="FixTarget"/>.</summary>
    public long TargetSeconds => _target.Seconds;

    /// <summary>A playlist is about to be handed out: what the last Mark said of TARGETDURATION never changes after that.</summary>
    public void FixTarget() => _target.Fix();

    /// <summary>Goes on from what another node has decided: its open segment is to be ended here.</summary>
    /// <param name="era">The Era of the newest units.</param>
    /// <param name="state">The open segment.</param>
    /// <param name="lastDts">Of the newest unit of the leading track, microseconds.</param>
    public void Resume(Era era, CutState state, long lastDts)
    {
        _marks.Resume(era, state, isEmpty: state.Parts == 0 && lastDts < state.Segment.DtsMicros);
        _target.Resume(state.Segment.Mark.TargetSeconds);
        Part.Resume(state.PartTargetMicros);
        (_hasUnits, _awaitsEraStart, _lastDts) = (true, false, lastDts);
    }

    public void OnEra(Era era)
    {
        _marks.OnEra(era);
        _awaitsEraStart = true;
        _lastDts = -1;
        var audioFrame = FrameDuration.LongestSound(era);
        _target.Reopen(audioFrame);
        if (Rule.PartMicros > 0)
            Part.Reopen(FrameDuration.Of(era.Leading?.Config), audioFrame);
    }

    /// <summary>The publisher has gone: what came last is made available, and the next Era begins a segment of its own.</summary>
    public void OnPause(long endMicros)
    {
        if (!_hasUnits || _awaitsEraStart || _marks.IsEmpty)
            return;
        if (Part.IsOpen && Rule.PartMicros > 0)
            Part.Close();
        var border = Math.Max(endMicros, _marks.PartStart);
        FillTo(border);
        if (border > _marks.SegmentStart || !_marks.IsEmpty)
            CutSegment(Math.Max(border, _marks.SegmentStart + 1));
    }

    /// <summary>A unit of the leading track is about to be appended.</summary>
    public void OnLeading(long dts, bool isKey)
    {
        if (_awaitsEraStart)
            StartEra(dts);
        else
            OnNext(dts, isKey);
    }

    /// <summary>The unit of <see cref="OnLeading"/> is in the log. One that was refused leaves the segment that began with it empty.</summary>
    public void OnAppended(long dts, bool isKey)
    {
        _marks.StartsWithKey |= isKey && _marks.SegmentStart == dts;
        _target.Observe(dts, isKey);
        _lastDts = dts;
        _hasUnits = true;
        _marks.IsEmpty = false;
    }

    /// <summary>A unit of another track is about to be appended: a leading track that stalls does not hold it up.</summary>
    public void OnOther(long dts)
    {
        if (!_awaitsEraStart && _hasUnits && dts - Patience > Math.Max(_lastDts, _marks.PartStart))
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
        var border = Math.Max(dts, _marks.PartStart);
        if (!isLeading && border > _marks.SegmentStart && border - _marks.SegmentStart < LeastForcedSegment)
        {
            // Units that need it go into the next segment.
            if (isBreak)
                _marks.Break();
            return;
        }

        FillTo(border);
        if (border > _marks.SegmentStart)
        {
            if (isBreak)
                _marks.Break();
            CutSegment(border);
        }
        else if (isBreak && !_marks.IsBreak)
        {
            // A segment has just begun here, and no part of it has ended: it is announced again.
            _marks.Break();
            _marks.Announce();
        }
    }

    private void StartEra(long dts)
    {
        _awaitsEraStart = false;
        if (_hasUnits)
            _marks.Break();
        // A segment that nothing came into is used by the Era that goes on.
        if (_marks.HasSegment && _marks.IsEmpty)
            _marks.Recut(dts);
        else
            CutSegment(dts);
        _lastDts = dts;
    }

    private void OnNext(long dts, bool isKey)
    {
        if (Rule.PartMicros > 0 && Part.IsOpen)
        {
            Part.Observe(dts - _lastDts);
            if (dts - _marks.PartStart >= Rule.PartMicros - SegmentTarget.FrameJitter)
                Part.Close();
        }

        var last = _lastDts;
        FillTo(dts);
        // A unit cannot be taken back from a segment without parts: the next one is expected to be as long as this one.
        if (Rule.PartMicros == 0 && (2 * dts) - last > SegmentLimit && dts > _marks.SegmentStart)
        {
            HardCuts += isKey ? 0 : 1;
            CutSegment(dts);
        }

        if (isKey && IsSegmentDue(dts))
            CutSegment(dts);
        else if (HasParts && IsPartDue(dts, isKey))
            _marks.EndPart(dts);
    }

    /// <summary>The latest end of the open segment.</summary>
    private long SegmentLimit => _marks.SegmentStart + _target.LimitMicros;

    private bool HasParts => Rule.PartMicros > 0 && !Part.IsOpen;

    /// <summary>Ends whatever must end before <paramref name="dts"/>, so that nothing is longer than it may be.</summary>
    private void FillTo(long dts)
    {
        // What another node has begun and not ended, for much longer than any segment, is not cut up either.
        if (dts - Math.Max(_lastDts, _marks.PartStart) > LongestHole || dts - _marks.SegmentStart > CutRule.LongestSegmentMicros + LongestHole)
        {
            LeaveOut(dts);
            return;
        }

        while (true)
        {
            var segmentEnd = SegmentLimit;
            var partEnd = HasParts ? _marks.PartStart + Part.BorderMicros : long.MaxValue;
            var limit = Math.Min(segmentEnd, partEnd);
            if (dts <= limit)
                return;
            var isSegment = segmentEnd <= partEnd;
            var canStepBack = Rule.PartMicros > 0 && _lastDts > _marks.PartStart && _lastDts < limit && (isSegment || _lastDts - _marks.PartStart >= Part.LeastMicros);
            var border = canStepBack ? _lastDts : limit;
            if (isSegment)
            {
                HardCuts++;
                CutSegment(border);
            }
            else
            {
                _marks.EndPart(border);
            }
        }
    }

    /// <summary>Ends the segment where media ended, and begins the next where it goes on.</summary>
    private void LeaveOut(long dts)
    {
        var end = Math.Max(_lastDts, _marks.PartStart);
        if (!_marks.IsEmpty)
            CutSegment(end + Math.Max(1, Math.Min(SegmentLimit - end, HasParts ? _marks.PartStart + Part.BorderMicros - end : FrameDuration.Unknown)));
        _marks.Break();
        _marks.Recut(dts);
    }

    private bool IsPartDue(long dts, bool isKey)
    {
        var elapsed = dts - _marks.PartStart;
        return elapsed > 0 && (elapsed + (dts - _lastDts) > Part.BorderMicros || (isKey && elapsed >= Part.LeastMicros));
    }

    private bool IsSegmentDue(long dts)
    {
        // Another track was far ahead, and the segment or a part was cut behind this picture.
        if (dts <= _marks.SegmentStart || dts < _marks.PartStart)
            return false;
        return (Rule.IsStrict && !_marks.StartsWithKey) || _target.IsDue(dts, _marks.SegmentStart, _marks.IsFirst);
    }

    private void CutSegment(long border)
    {
        if (!_marks.IsEmpty)
            _target.Measure(border - _marks.SegmentStart);
        // Where a hard cut steps back, the unit before is in the segment.
        _marks.Cut(border, isEmpty: _lastDts < border);
    }
}
