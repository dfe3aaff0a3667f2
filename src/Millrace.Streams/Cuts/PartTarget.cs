namespace Millrace.Streams.Cuts;

/// <summary>
/// PART-TARGET of a Timeline: the wanted duration rounded up to whole frames of every track, so that no part is longer
/// and none is shorter than 85 % of it (RFC 8216bis 4.4.4.9). Known when the first part ends, for only then frames have
/// been seen; it grows where a later Era has longer frames and never shrinks. Microseconds.
/// </summary>
internal sealed class PartTarget(long wanted)
{
    /// <summary>A slideshow has parts of this duration and GAP parts between them.</summary>
    private const long Longest = 2_000_000;

    /// <summary>RTMP's milliseconds make frames of 33 and 34 ms: a part may be that much longer than its frames say.</summary>
    private const long Jitter = 2_000;

    /// <summary>What a part that is not the last of its segment must have of the target, percent.</summary>
    private const int LeastPercent = 85;

    private const int MaxIntervals = 64;
    private const long DefaultFrame = 33_333;

    private readonly List<long> _intervals = [];
    private long _declaredFrame;
    private long _audioFrame;

    /// <summary>0 while it is unknown.</summary>
    public long Micros { get; private set; }

    /// <summary>How far two borders may lie apart: sound that does not end at a border may outlast it by a frame.</summary>
    public long BorderMicros { get; private set; }

    /// <summary>The least a part may have that neither holds a key frame nor ends its segment.</summary>
    public long LeastMicros => Micros * LeastPercent / 100;

    /// <summary>True until the Era's first part has been measured.</summary>
    public bool IsOpen { get; private set; } = true;

    /// <summary>Another node has said it; it may grow.</summary>
    public void Resume(long micros) => Micros = micros;

    /// <param name="declaredFrame">Frame duration of the leading track that its parameters declare; 0: none.</param>
    /// <param name="audioFrame">Longest frame of the audio tracks; 0: no audio.</param>
    public void Reopen(long declaredFrame, long audioFrame)
    {
        _intervals.Clear();
        (_declaredFrame, _audioFrame, IsOpen) = (declaredFrame, audioFrame, true);
    }

    public void Observe(long interval)
    {
        if (_intervals.Count < MaxIntervals && interval > 0)
            _intervals.Add(interval);
    }

    /// <summary>The first part is about to end: what was seen decides.</summary>
    public void Close()
    {
        IsOpen = false;
        var frame = Math.Clamp(FrameMicros(), 1_000, Longest);
        var length = RoundUp(wanted - Jitter, frame);
        for (var attempt = 0; attempt < MaxIntervals && length <= Longest; attempt++, length += frame)
        {
            if (TryFit(length))
                return;
        }

        BorderMicros = Longest;
        Micros = Math.Max(Micros, LongestPart(Longest));
    }

    private bool TryFit(long length)
    {
        var target = Math.Max(Micros, LongestPart(length + Jitter));
        var shortest = _audioFrame == 0 ? length : Math.Min(length, length / _audioFrame * _audioFrame);
        if (shortest * 100 < target * LeastPercent)
            return false;
        (BorderMicros, Micros) = (length + Jitter, target);
        return true;
    }

    private long LongestPart(long border) =>
        RoundUp(_audioFrame == 0 ? border : Math.Max(border, RoundUp(border, _audioFrame)), 1_000);

    /// <summary>The mean of what is near the median: milliseconds are rounded, and a dropped frame says nothing about the rate.</summary>
    private long FrameMicros()
    {
        if (_intervals.Count < 2)
            return Math.Max(_declaredFrame, _intervals.Count == 1 ? _intervals[0] : 0) is > 0 and var frame ? frame : DefaultFrame;
        _intervals.Sort();
        var median = _intervals[_intervals.Count / 2];
        var (sum, count) = (0L, 0);
        foreach (var interval in _intervals)
        {
            if (Math.Abs(interval - median) * 2 > median)
                continue;
            sum += interval;
            count++;
        }

        return sum / count;
    }

    private static long RoundUp(long value, long unit) => (value + unit - 1) / unit * unit;
}
