namespace Millrace.Media;

/// <summary>
/// Turns timestamps that wrap at <paramref name="bits"/> bits into a line without wraps: 24 and 31 for RTMP senders that ignore the
/// extended timestamp or its sign bit, 32 for RTMP, FLV and RTP, 33 would be MPEG-TS (not offered: the input is 32 bits wide).
/// The unit is the sender's.
/// </summary>
/// <param name="bits">Width of the wrapping counter, 2 to 32.</param>
public sealed class TimestampUnwrapper(int bits)
{
    private readonly int _unused = bits is >= 2 and <= 32
        ? 32 - bits
        : throw new ArgumentOutOfRangeException(nameof(bits), bits, "2 to 32 bits");

    private long _last;
    private bool _started;

    /// <summary>
    /// The value nearest to the one before whose low bits are <paramref name="value"/>. The first call gives the value itself.
    /// A step of exactly half the range is taken as backward (serial numbers leave it undefined, RFC 1982 3.2).
    /// May go below zero when the sender steps back behind its first value. Bits above the width are ignored.
    /// </summary>
    public long Unwrap(uint value)
    {
        if (!_started)
        {
            _started = true;
            _last = value & (uint.MaxValue >> _unused);
            return _last;
        }

        // Shifting the difference to the top and back sign-extends it from the counter's width.
        int step = (int)((value - (uint)_last) << _unused) >> _unused;
        _last += step;
        return _last;
    }

    /// <summary>Forgets the past: the next value stands for itself.</summary>
    public void Reset() => _started = false;
}
