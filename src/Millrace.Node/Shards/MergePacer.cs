namespace Millrace.Node.Shards;

/// <summary>
/// How far a shard stretches its merge windows. A send costs nearly the same whatever its length, so a shard that has no time to
/// serve its viewers once a window serves them less often, and each with more, instead of falling behind. Pure: time is an argument.
/// </summary>
internal sealed class MergePacer(long now)
{
    /// <summary>
    /// A window is stretched no further, microseconds; one that is longer stays as it is. A player that bridges a hiccup of its
    /// network bridges this.
    /// </summary>
    public const long MaxWindowMicros = 500_000;

    /// <summary>Once stretched, a shorter window counts as this, microseconds: no factor makes anything of 0.</summary>
    public const long LeastWindowMicros = 10_000;

    /// <summary>How often the factor may change, microseconds.</summary>
    public const long PeriodMicros = 250_000;

    /// <summary>One change.</summary>
    public const double Step = 1.25;

    /// <summary>The largest factor is 1.25^17 = 44, which makes 441 ms of the least window.</summary>
    private const int MaxLevel = 17;

    /// <summary>From this share of its time on a shard counts as full: the rest is what keeps input and timers in time.</summary>
    private const double FullShare = 0.9;

    /// <summary>It must be expected to stay below this after a step back, so that the factor does not swing.</summary>
    private const double RelaxedShare = 0.88;

    /// <summary>A shard that is full, with at least so much of its time sending, is given fewer sends.</summary>
    private const double MuchSending = 0.5;

    /// <summary>
    /// One that is full of other things is, too, when viewers are served late; but with less sending than this, fewer sends
    /// would free nothing.
    /// </summary>
    private const double SomeSending = 0.1;

    /// <summary>So many of the viewers must have been late: not those of one slow pass among many.</summary>
    private const double PressedShare = 0.25;

    private static readonly double[] Factors = [.. Enumerable.Range(0, MaxLevel + 1).Select(static level => Math.Pow(Step, level))];

    private long _periodStart = now;
    private long _slept;
    private long _sent;
    private long _served;
    private long _pressed;
    private int _level;

    /// <summary>What windows are multiplied by; 1 while the shard keeps up.</summary>
    public double Factor => Factors[Volatile.Read(ref _level)];

    /// <summary>The window that is kept now, microseconds.</summary>
    public long Stretch(long windowMicros) => _level == 0 || windowMicros >= MaxWindowMicros
        ? windowMicros
        : (long)Math.Min(Math.Max(windowMicros, LeastWindowMicros) * Factors[_level], MaxWindowMicros);

    /// <summary>Time went into sending.</summary>
    public void OnSent(long micros) => _sent += micros;

    /// <summary>A pass is through. True when it was late: through later than a window after it was due.</summary>
    /// <param name="viewers">How many it served.</param>
    /// <param name="delayMicros">From when it was due to its end.</param>
    /// <param name="windowMicros">The window as configured.</param>
    public bool OnPass(int viewers, long delayMicros, long windowMicros)
    {
        var window = Math.Max(Stretch(windowMicros), LeastWindowMicros);
        _served += viewers;
        if (delayMicros > window / 2)
            _pressed += viewers;
        return delayMicros > window;
    }

    /// <summary>One turn of the shard's loop has ended.</summary>
    /// <param name="now">Monotonic time, microseconds.</param>
    /// <param name="sleptMicros">How much of the turn it had nothing to do.</param>
    public void OnTurn(long now, long sleptMicros)
    {
        _slept += sleptMicros;
        var period = now - _periodStart;
        if (period < PeriodMicros)
            return;
        var busy = 1 - ((double)_slept / period);
        var sent = (double)_sent / period;
        var isPressed = sent >= MuchSending || (sent >= SomeSending && _pressed > _served * PressedShare);
        if (busy >= FullShare && isPressed)
            Volatile.Write(ref _level, Math.Min(_level + 1, MaxLevel));
        else if (_level > 0 && busy + ((Step - 1) * sent) < RelaxedShare)
            Volatile.Write(ref _level, (int)Math.Max(0, _level - Math.Max(1, _slept / PeriodMicros)));
        _periodStart = now;
        _slept = _sent = _served = _pressed = 0;
    }
}
