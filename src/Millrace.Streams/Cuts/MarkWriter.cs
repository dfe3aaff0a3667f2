using Millrace.Streams.Log;

namespace Millrace.Streams.Cuts;

/// <summary>
/// The segment and the part that are open in one series, and the Marks that say so: numbers, names, dates, and discontinuities,
/// each of which is counted once though the segment that it is on is announced again. Times in microseconds.
/// </summary>
internal sealed class MarkWriter(MarkSeries series, CutRule rule, SegmentTarget target, PartTarget part, Action<LogEntry> append, long firstNumber)
{
    private readonly SegmentStamp _stamp = new(rule);
    private Era? _era;
    private long _name;
    private int _part;
    private int _discontinuities = (int)firstNumber;
    private bool _isBreakDue = firstNumber > 0;

    /// <summary>Number of the open segment; one less than the first before there is one.</summary>
    public long Segment { get; private set; } = firstNumber - 1;

    public long SegmentStart { get; private set; }

    public long PartStart { get; private set; }

    /// <summary>Where the segment before the open one begins.</summary>
    public long PreviousStart { get; private set; }

    /// <summary>Nothing of the leading track has come into the open segment, and no part of it has ended.</summary>
    public bool IsEmpty { get; set; } = true;

    /// <summary>A key frame lies at its beginning.</summary>
    public bool StartsWithKey { get; set; }

    public bool HasSegment => Segment >= firstNumber;

    public bool IsFirst => Segment == firstNumber;

    /// <summary>The open segment is separated from the one before.</summary>
    public bool IsBreak { get; private set; }

    /// <summary>Goes on from what another node has decided.</summary>
    public void Resume(Era era, CutState state, bool isEmpty)
    {
        var mark = state.Segment;
        (_era, Segment, SegmentStart, PreviousStart) = (era, mark.Mark.Number, mark.DtsMicros, state.PreviousStart);
        (_part, PartStart, _name, _discontinuities) = (state.Parts, state.PartStart, mark.Dts, mark.Number);
        (IsBreak, IsEmpty, _isBreakDue) = (mark.Mark.IsBreak, isEmpty, false);
        _stamp.Resume(era, mark);
    }

    public void OnEra(Era era) => _era = era;

    /// <summary>The next segment that is announced is separated from the one before.</summary>
    public void Break() => _isBreakDue = true;

    /// <summary>The open segment ends at <paramref name="border"/>, the next begins.</summary>
    /// <param name="border">Where.</param>
    /// <param name="isEmpty">No unit that came so far lies behind it.</param>
    public void Cut(long border, bool isEmpty)
    {
        if (HasSegment && !IsEmpty)
            DateAgain();
        Segment++;
        PreviousStart = IsEmpty ? border : SegmentStart;
        IsBreak = false;
        Begin(border, isEmpty);
    }

    /// <summary>The open segment, which nothing came into, begins elsewhere.</summary>
    public void Recut(long border)
    {
        PreviousStart = border;
        Begin(border, isEmpty: true);
    }

    /// <summary>Says where the open segment begins. Said again, a discontinuity that it had already stays the one that it was.</summary>
    public void Announce()
    {
        _discontinuities += _isBreakDue && !IsBreak ? 1 : 0;
        IsBreak |= _isBreakDue;
        _isBreakDue = false;
        Stamp();
    }

    public void EndPart(long border)
    {
        DateAgain();
        Append(MarkKind.PartEnd, _part, border, _stamp.DateWithin(border));
        _part++;
        PartStart = border;
        IsEmpty = false;
    }

    /// <summary>Nobody has seen the segment's date before its first part, or without parts before its end.</summary>
    private void DateAgain()
    {
        if (_part == 0 && _stamp.IsCorrected(_era!, Segment))
            Stamp();
    }

    private void Stamp()
    {
        var date = _stamp.DateOf(_era!, Segment, SegmentStart);
        _name = _stamp.NameOf(Segment, SegmentStart, date);
        Append(MarkKind.Segment, Segment, SegmentStart, date);
    }

    private void Begin(long border, bool isEmpty)
    {
        _part = 0;
        (SegmentStart, PartStart, IsEmpty, StartsWithKey) = (border, border, isEmpty, false);
        Announce();
    }

    private void Append(MarkKind kind, long number, long border, long date) => append(new LogEntry
    {
        Kind = LogEntryKind.Mark,
        Mark = new Mark(number, (int)part.Micros, (ushort)target.Announce(), kind, series, kind == MarkKind.Segment && IsBreak),
        EraNumber = _era!.Number,
        Number = _discontinuities,
        DtsMicros = border,
        Dts = _name,
        Pts = date,
    });
}
