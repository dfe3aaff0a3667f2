namespace Millrace.EndToEnd.Clock;

/// <summary>
/// The machine-readable clock that clock.lavfi draws into each picture at the moment it is made: one row of 40 bars
/// over the whole width, at 25 % to 31.7 % of the height.
/// <code>
/// bar    0  1  2 … 29                      30 … 37           38 39
///        1  0  value, high bit first       value mod 251      0  1      1 = white, 0 = black
/// </code>
/// The value is Unix time in milliseconds modulo 2^28 (74.5 hours).
/// </summary>
internal static class ClockCode
{
    /// <summary>Bars in the row.</summary>
    public const int Bars = 40;

    /// <summary>The centre line of the row as a fraction of the picture's height: (180 + 24) / 720.</summary>
    public const double CentreLine = 204.0 / 720.0;

    private const int ValueBits = 28;
    private const int ChecksumBits = 8;
    private const long Modulus = 1L << ValueBits;
    private const long ChecksumModulus = 251;

    /// <summary>Decodes a row of bars; null when a marker or the checksum is wrong.</summary>
    public static long? Decode(ReadOnlySpan<bool> white)
    {
        if (white.Length != Bars || !white[0] || white[1] || white[38] || !white[39])
        {
            return null;
        }

        var value = Number(white.Slice(2, ValueBits));
        var checksum = Number(white.Slice(2 + ValueBits, ChecksumBits));
        return value % ChecksumModulus == checksum ? value : null;
    }

    /// <summary>The row for a Unix time in milliseconds, as clock.lavfi draws it.</summary>
    public static bool[] Encode(long unixMillis)
    {
        var value = unixMillis % Modulus;
        var bars = new bool[Bars];
        bars[0] = bars[39] = true;
        for (var i = 0; i < ValueBits; i++)
        {
            bars[2 + i] = ((value >> (ValueBits - 1 - i)) & 1) != 0;
        }

        for (var i = 0; i < ChecksumBits; i++)
        {
            bars[2 + ValueBits + i] = ((value % ChecksumModulus >> (ChecksumBits - 1 - i)) & 1) != 0;
        }

        return bars;
    }

    /// <summary>The Unix time in milliseconds with this value that is nearest to <paramref name="nearMillis"/>.</summary>
    public static long Unwrap(long value, long nearMillis)
    {
        var behind = (nearMillis - value) & (Modulus - 1);
        return behind < Modulus / 2 ? nearMillis - behind : nearMillis + Modulus - behind;
    }

    private static long Number(ReadOnlySpan<bool> bits)
    {
        long number = 0;
        foreach (var bit in bits)
        {
            number = (number << 1) | (bit ? 1L : 0L);
        }

        return number;
    }
}
