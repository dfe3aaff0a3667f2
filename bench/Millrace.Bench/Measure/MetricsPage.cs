using System.Globalization;

namespace Millrace.Bench.Measure;

/// <summary>A server's /metrics in Prometheus text, as far as the bench looks at it.</summary>
internal static class MetricsPage
{
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(5) };

    /// <summary>The sum of a metric's samples, all labels together; NaN when the server does not have it or does not answer.</summary>
    public static double Sum(string page, string name)
    {
        double[] values = [.. page.Split('\n').Where(l => string.Equals(l.Split('{', ' ')[0], name, StringComparison.Ordinal)).Select(static l => double.Parse(l.Split(' ')[^1], CultureInfo.InvariantCulture))];
        return values.Length == 0 ? double.NaN : values.Sum();
    }

    /// <summary>Empty when there is none.</summary>
    public static string Read(Uri? address)
    {
        if (address is null) return "";
        try
        {
            return Http.GetStringAsync(address).GetAwaiter().GetResult();
        }
        catch (HttpRequestException)
        {
            return "";
        }
    }
}
