namespace Millrace.Streams.Time;

/// <summary>
/// Maps one sender's clock to media time. All values are microseconds.
/// </summary>
/// <remarks>
/// Lateness is arrival time minus media time. A network only ever adds to it, so its minimum over a while is the sender's
/// own clock: a stall that ends in a burst, or a burst at the start, is not drift. A sender that is too fast needs no such
/// patience, for nothing arrives before it was sent.
/// </remarks>
internal sealed class SenderClock
{
    /// <summary>Steps back of up to this are clamped by the track.</summary>
    public const long MaxBackstep = 100_000;

    public const long MaxForwardGap = 1_000_000;
    public const long MaxDrift = 2_000_000;

    /// <summary>Lateness is judged by its minimum over the last two of these: a burst has that long to catch up.</summary>
    public const long WindowMicros = 5_000_000;

    /// <summary>
    /// A publisher begins with what it had queued while it connected, so the first arrivals are late. For this long the
    /// clock takes the least lateness as it comes; from then on it only slews.
    /// </summary>
    public const long SettleMicros = 3_000_000;

    /// <summary>Fastest slew of the wall clock: 500 ppm, as NTP's.</summary>
    private const double MaxSlew = 500e-6;

    private long _offset;
    private long _windowStart;
    private long _windowMin;
    private long _previousMin;
    private long? _baseline;
    private long _target;
    private double _lateness;
    private long _lastSlew;

    /// <summary>Arrival time minus media time of a unit that was not delayed; follows the sender's clock by at most 500 ppm.</summary>
    public long Lateness => (long)_lateness;

    /// <summary>Media time minus sender time.</summary>
    public long Offset => _offset;

    /// <summary>Begins an Era: the sender's time <paramref name="sender"/> is the media time <paramref name="media"/>.</summary>
    public void Start(long sender, long media, long now)
    {
        _offset = media - sender;
        _windowStart = now;
        _windowMin = long.MaxValue;
        _previousMin = long.MaxValue;
        _baseline = null;
        _target = now - media;
        _lateness = _target;
        _lastSlew = now;
    }

    public long ToMedia(long sender) => sender + _offset;

    /// <summary>
    /// Judges a unit by what the same track sent before. A gap that brings the track back to where wall time expects it
    /// is none, whether wall time is counted from the unit before or from the clock's start: frames that a sender dropped
    /// while its network stalled leave such a gap.
    /// </summary>
    public bool IsJump(long sender, long lastSender, long offset, long now, long lastArrived)
    {
        var step = sender - lastSender;
        return step < -MaxBackstep
            || (step > MaxForwardGap
                && Math.Abs(step - (now - lastArrived)) > MaxForwardGap
                && Math.Abs(now - (sender + offset) - Lateness) > MaxForwardGap);
    }

    /// <summary>Notes when a unit arrived. True once the sender's clock has left wall time by more than 2 s.</summary>
    public bool Observe(long sender, long now)
    {
        var lateness = now - ToMedia(sender);
        _windowMin = Math.Min(_windowMin, lateness);
        if (_baseline is null && now - _windowStart < SettleMicros)
        {
            _target = Math.Min(_target, _windowMin);
            _lateness = _target;
        }

        var slew = Math.Max(0, now - _lastSlew) * MaxSlew;
        _lateness += Math.Clamp(_target - _lateness, -slew, slew);
        _lastSlew = Math.Max(_lastSlew, now);
        if (now - _windowStart < WindowMicros)
            return lateness < _baseline - MaxDrift;
        _target = Math.Min(_windowMin, _previousMin);
        _baseline ??= _target;
        _previousMin = _windowMin;
        _windowMin = long.MaxValue;
        _windowStart = now;
        return Math.Abs(_target - _baseline.Value) > MaxDrift;
    }
}
