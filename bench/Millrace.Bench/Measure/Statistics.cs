using System.Globalization;

namespace Millrace.Bench.Measure;

/// <summary>The median of a few runs and an interval for it, by order statistics (no assumption about the distribution).</summary>
internal sealed record Summary(double Median, double Min, double Max, double Low, double High, double Coverage)
{
    private const double WantedCoverage = 0.93; // five runs reach 0.9375 with their extremes

    public static Summary Of(IEnumerable<double> values)
    {
        double[] v = [.. values.Order()];
        if (v.Length == 0) return new Summary(double.NaN, double.NaN, double.NaN, double.NaN, double.NaN, 0);
        double median = (v[(v.Length - 1) / 2] + v[v.Length / 2]) / 2;
        int cut = 0;
        while (2 * (cut + 1) < v.Length && Covered(v.Length, cut + 1) >= WantedCoverage) cut++;
        return new Summary(median, v[0], v[^1], v[cut], v[^(cut + 1)], Covered(v.Length, cut));
    }

    /// <summary>The median and the extremes.</summary>
    public string Text(string format) => string.Create(CultureInfo.InvariantCulture,
        $"{Median.ToString(format, CultureInfo.InvariantCulture)} [{Min.ToString(format, CultureInfo.InvariantCulture)}..{Max.ToString(format, CultureInfo.InvariantCulture)}]");

    /// <summary>What a bar says to it; starts with MISSED only when the whole interval is above the bar.</summary>
    public string Against(double bar, string unit = "")
    {
        string text = bar.ToString("0.##", CultureInfo.InvariantCulture) + unit;
        if (Low > bar) return $"MISSED the bar of {text}: the whole interval is above it";
        return High <= bar ? $"met the bar of {text}" : $"bar of {text}: UNDECIDED, it lies inside the interval (more --runs)";
    }

    /// <summary>The same of a bar that is to be reached: MISSED only when the whole interval is below it.</summary>
    public string AgainstLeast(double bar)
    {
        string text = bar.ToString("0.##", CultureInfo.InvariantCulture);
        if (High < bar) return $"MISSED the bar of at least {text}: the whole interval is below it";
        return Low >= bar ? $"met the bar of at least {text}" : $"bar of at least {text}: UNDECIDED, it lies inside the interval (more --runs)";
    }

    /// <summary>The smallest value that at least <paramref name="part"/> of the sorted values do not exceed.</summary>
    public static double Percentile(ReadOnlySpan<double> sorted, double part) =>
        sorted.IsEmpty ? double.NaN : sorted[Math.Clamp((int)Math.Ceiling(part * sorted.Length) - 1, 0, sorted.Length - 1)];

    // The chance that the median lies between the values with `cut` values outside on each side: 1 - 2 P(Binomial(n, 1/2) <= cut).
    private static double Covered(int n, int cut)
    {
        double tail = 0, term = Math.Pow(0.5, n);
        for (int i = 0; i <= cut; i++)
        {
            tail += term;
            term *= (n - i) / (i + 1.0);
        }

        return Math.Max(0, 1 - (2 * tail));
    }
}
