using System.Globalization;

namespace Millrace.Configuration;

/// <summary>
/// Durations and sizes as nginx writes them, for the variables of Restreamer-Edge only: there, and nowhere else, a bare
/// number of time means seconds (nginx, "Configuration file measurement units").
/// </summary>
internal static class NginxUnits
{
    // In the order in which they must follow each other. "M" is a month of 30 days, "y" a year of 365.
    private static readonly (string Unit, long Milliseconds)[] TimeUnits =
    [
        ("y", 365 * 86_400_000L), ("M", 30 * 86_400_000L), ("w", 7 * 86_400_000L), ("d", 86_400_000L),
        ("h", 3_600_000L), ("m", 60_000L), ("s", 1000L), ("ms", 1L),
    ];

    /// <summary><c>60</c>, <c>60s</c>, <c>3m</c>, <c>1h 30m</c>.</summary>
    public static bool TryParseDuration(string text, out TimeSpan value)
    {
        value = default;
        decimal total = 0;
        var rest = text.AsSpan().Trim();
        var next = 0;
        if (rest.IsEmpty)
            return false;
        while (!rest.IsEmpty)
        {
            if (!TryTakeNumber(ref rest, out var number))
                return false;
            var length = 0;
            while (length < rest.Length && char.IsAsciiLetter(rest[length]))
                length++;
            var unit = length == 0 ? "s" : rest[..length].ToString();
            var index = Array.FindIndex(TimeUnits, u => u.Unit == unit);
            if (index < next)
                return false;
            next = index + 1;
            total += number * TimeUnits[index].Milliseconds;
            rest = rest[length..].TrimStart();
        }

        if (total > long.MaxValue / TimeSpan.TicksPerMillisecond)
            return false;
        value = TimeSpan.FromMilliseconds((long)total);
        return true;
    }

    /// <summary><c>1048576</c>, <c>1024k</c>, <c>1M</c>, <c>1g</c>.</summary>
    public static bool TryParseSize(string text, out long value)
    {
        value = 0;
        var rest = text.AsSpan().Trim();
        if (!TryTakeNumber(ref rest, out var number))
            return false;
        var shift = rest switch
        {
            "" => 0,
            "k" or "K" => 10,
            "m" or "M" => 20,
            "g" or "G" => 30,
            _ => -1,
        };
        value = shift < 0 ? 0 : number << shift;
        return shift >= 0;
    }

    /// <summary>At most twelve digits, so that no unit can make it overflow.</summary>
    private static bool TryTakeNumber(ref ReadOnlySpan<char> text, out long number)
    {
        var digits = 0;
        while (digits < text.Length && char.IsAsciiDigit(text[digits]))
            digits++;
        number = 0;
        if (digits is 0 or > 12)
            return false;
        number = long.Parse(text[..digits], NumberStyles.None, CultureInfo.InvariantCulture);
        text = text[digits..];
        return true;
    }
}
