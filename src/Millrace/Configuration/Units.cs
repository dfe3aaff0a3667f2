using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Millrace.Configuration;

/// <summary>Durations and sizes as people write them, and back.</summary>
internal static class Units
{
    public const string DurationHint = "write a number with a unit: 50ms, 2s, 3m, 1h, 1d, or 0";
    public const string SizeHint = "write bytes or a number with KB, MB or GB (1 KB is 1024 bytes)";

    // Sixteen digits hold every duration and size that makes sense and stay exact in a decimal product.
    private const int MaxDigits = 16;

    private static readonly (string Unit, long Ticks)[] DurationUnits =
    [
        ("d", TimeSpan.TicksPerDay), ("h", TimeSpan.TicksPerHour), ("m", TimeSpan.TicksPerMinute),
        ("s", TimeSpan.TicksPerSecond), ("ms", TimeSpan.TicksPerMillisecond),
    ];

    private static readonly (string Unit, long Bytes)[] SizeUnits =
    [
        ("GB", 1L << 30), ("MB", 1L << 20), ("KB", 1L << 10), ("G", 1L << 30), ("M", 1L << 20), ("K", 1L << 10),
        ("GiB", 1L << 30), ("MiB", 1L << 20), ("KiB", 1L << 10), ("B", 1),
    ];

    /// <summary>A number and a unit, or 0. A bare number other than 0 is an error: nobody can see what it means.</summary>
    public static bool TryParseDuration(string text, out TimeSpan value, [NotNullWhen(false)] out string? error)
    {
        value = default;
        error = null;
        if (!TrySplit(text, out var number, out var unit))
        {
            error = $"'{text}' is not a duration: {DurationHint}";
            return false;
        }

        if (unit.Length == 0)
        {
            if (number == 0)
                return true;
            error = $"'{text}' has no unit: write {text}ms, {text}s, {text}m or {text}h";
            return false;
        }

        foreach (var (name, ticks) in DurationUnits)
        {
            if (!string.Equals(name, unit, StringComparison.Ordinal))
                continue;
            if (number * ticks > TimeSpan.MaxValue.Ticks)
                break;
            value = new TimeSpan((long)(number * ticks));
            return true;
        }

        error = $"'{text}' is not a duration: {DurationHint}";
        return false;
    }

    /// <summary>Bytes; units are powers of 1024, in any case.</summary>
    public static bool TryParseSize(string text, out long value, [NotNullWhen(false)] out string? error)
    {
        value = 0;
        error = null;
        if (TrySplit(text, out var number, out var unit))
        {
            var factor = unit.Length == 0 ? 1 : 0L;
            foreach (var (name, bytes) in SizeUnits)
            {
                if (string.Equals(name, unit, StringComparison.OrdinalIgnoreCase))
                    factor = bytes;
            }

            var product = number * factor;
            if (factor > 0 && product <= long.MaxValue && product == decimal.Truncate(product))
            {
                value = (long)product;
                return true;
            }
        }

        error = $"'{text}' is not a size: {SizeHint}";
        return false;
    }

    /// <summary>The shortest form that <see cref="TryParseDuration"/> reads back, but at least ms.</summary>
    public static string Format(TimeSpan value)
    {
        if (value == TimeSpan.Zero)
            return "0";
        foreach (var (unit, ticks) in DurationUnits)
        {
            if (value.Ticks % ticks == 0)
                return string.Create(CultureInfo.InvariantCulture, $"{value.Ticks / ticks}{unit}");
        }

        return string.Create(CultureInfo.InvariantCulture, $"{(decimal)value.Ticks / TimeSpan.TicksPerMillisecond}ms");
    }

    public static string FormatSize(long bytes)
    {
        foreach (var (unit, factor) in SizeUnits)
        {
            if (bytes != 0 && bytes % factor == 0 && factor > 1)
                return string.Create(CultureInfo.InvariantCulture, $"{bytes / factor}{unit}");
        }

        return bytes.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>"1.5 MB" to 1.5 and MB: digits, at most one point, then letters.</summary>
    private static bool TrySplit(string text, out decimal number, out string unit)
    {
        var end = 0;
        while (end < text.Length && (char.IsAsciiDigit(text[end]) || text[end] == '.'))
            end++;
        unit = text[end..].TrimStart();
        number = 0;
        return end is > 0 and <= MaxDigits
            && decimal.TryParse(text.AsSpan(0, end), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number);
    }
}
