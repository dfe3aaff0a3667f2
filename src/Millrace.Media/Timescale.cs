namespace Millrace.Media;

/// <summary>Conversion of media time between clocks.</summary>
public static class Timescale
{
    /// <summary>Ticks per second of every video track.</summary>
    public const int Video = 90_000;

    /// <summary>Ticks per second of RTMP and FLV timestamps, and of data tracks.</summary>
    public const int Milliseconds = 1_000;

    public const int Microseconds = 1_000_000;

    /// <summary>
    /// <paramref name="value"/> ticks of <paramref name="from"/> per second, in ticks of <paramref name="to"/> per second; to the
    /// nearest tick, halves up (toward +∞, so that shifting a sequence by whole seconds never changes its rounding).
    /// Exact over the whole range of long; a result outside it is clamped.
    /// </summary>
    public static long Convert(long value, int from, int to)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(from);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(to);
        if (from == to)
            return value;

        // floor((2·v·to + from) / (2·from)); the narrow path holds for 50 days of microseconds at any timescale below 2^20.
        long divisor = 2L * from;
        if (value is < (1L << 42) and > -(1L << 42) && to < 1 << 20)
        {
            long narrow = (2 * value * to) + from;
            long quotient = narrow / divisor;
            return narrow % divisor < 0 ? quotient - 1 : quotient;
        }

        Int128 wide = ((Int128)value * 2 * to) + from;
        Int128 result = wide / divisor;
        if (wide % divisor < 0)
            result--;
        return result > long.MaxValue ? long.MaxValue : result < long.MinValue ? long.MinValue : (long)result;
    }
}
