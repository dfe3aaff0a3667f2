namespace Millrace.Streams.Cuts;

/// <summary>
/// How long the segments of one series may be: TARGETDURATION, which follows the key frames that were seen until it is handed
/// out, and the key frame at which a segment is due. Microseconds where not said otherwise.
/// </summary>
internal sealed class SegmentTarget(CutRule rule)
{
    /// <summary>EXTINF rounded to the nearest integer must not be more than TARGETDURATION (RFC 8216bis 4.4.3.1).</summary>
    private const long HardCutMargin = 490_000;

    /// <summary>Key intervals vary by the sender's milliseconds.</summary>
    private const long KeyJitter = 100_000;

    /// <summary>A frame may begin that much before its time, for the same reason.</summary>
    public const long FrameJitter = 5_000;

    /// <summary>
    /// With parts, a Timeline's first segment ends at the first key frame after this: most players take a playlist without a
    /// segment for a broken one, whatever parts it has.
    /// </summary>
    private const long FirstSegment = 900_000;

    /// <summary>A TARGETDURATION that follows a long key interval ends at this multiple of the target; longer ones are cut hard.</summary>
    private const int MaxFactor = 3;

    private const long Second = 1_000_000;

    private long _lastUnit = -1;
    private long _lastKey = -1;
    private long _longestInterval;
    private long _longestSegment;
    private long _audioFrame;
    private long _announced;
    private long _fixed;

    /// <summary>EXT-X-TARGETDURATION, seconds: what it would be now, until <see cref="Fix"/>.</summary>
    public long Seconds => _fixed > 0 ? _fixed : Follow();

    /// <summary>The most a segment may have; audio may begin a frame before its border, and outlast it by one.</summary>
    public long LimitMicros => (Seconds * Second) + HardCutMargin - (2 * _audioFrame);

    /// <summary>A Mark is about to say it.</summary>
    public long Announce() => _announced = Seconds;

    /// <summary>What the last Mark has said never changes after that.</summary>
    public void Fix() => _fixed = _announced > 0 ? _announced : Seconds;

    /// <summary>Another node has said it, and so it stays.</summary>
    public void Resume(long seconds) => _fixed = _announced = seconds;

    /// <summary>Another Era begins: no interval spans its border.</summary>
    /// <param name="audioFrame">Longest frame of its audio tracks; 0: no audio.</param>
    public void Reopen(long audioFrame) => (_lastUnit, _lastKey, _audioFrame) = (-1, -1, audioFrame);

    /// <summary>A unit of the leading track has come.</summary>
    public void Observe(long dts, bool isKey)
    {
        _lastUnit = dts;
        if (!isKey)
            return;
        if (_lastKey >= 0)
            _longestInterval = Math.Max(_longestInterval, dts - _lastKey);
        _lastKey = dts;
    }

    /// <summary>A segment has been that long.</summary>
    public void Measure(long duration) => _longestSegment = Math.Max(_longestSegment, duration);

    /// <summary>Whether the key frame at <paramref name="dts"/> begins the next segment.</summary>
    /// <param name="dts">Its time.</param>
    /// <param name="start">Where the open segment begins.</param>
    /// <param name="isFirst">The open segment is the first of the Timeline.</param>
    public bool IsDue(long dts, long start, bool isFirst)
    {
        var elapsed = dts - start;
        return rule.Mode switch
        {
            CutMode.After => elapsed >= rule.SegmentMicros - FrameJitter,
            CutMode.Aligned => dts / rule.SegmentMicros != start / rule.SegmentMicros,
            _ when rule.PartMicros > 0 && isFirst && elapsed >= FirstSegment => true,
            _ => elapsed + (_lastKey < 0 ? 0 : dts - _lastKey) > rule.SegmentMicros + KeyJitter,
        };
    }

    /// <summary>The target, or as much more as the key interval makes of it.</summary>
    private long Follow()
    {
        var interval = Math.Max(_longestInterval, _lastKey >= 0 && _lastUnit >= 0 ? _lastUnit - _lastKey : 0);
        var longest = rule.Mode switch
        {
            CutMode.After when interval > 0 => (rule.SegmentMicros + interval - KeyJitter - 1) / interval * interval,
            CutMode.Aligned => rule.SegmentMicros + interval,
            _ => interval,
        };
        var target = Math.Max((rule.SegmentMicros + (Second / 2)) / Second, (longest - KeyJitter + Second - 1) / Second);
        var seen = (_longestSegment + (2 * _audioFrame) + (Second / 2)) / Second;
        return Math.Max(seen, Math.Clamp(target, 1, Math.Max(1, MaxFactor * rule.SegmentMicros / Second)));
    }
}
