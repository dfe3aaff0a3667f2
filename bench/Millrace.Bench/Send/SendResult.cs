using System.Globalization;
using Millrace.Bench.Measure;

namespace Millrace.Bench.Send;

/// <summary>A variant at a case over all rounds.</summary>
internal sealed record SendResult
{
    public required string Case { get; init; }
    public required string Variant { get; init; }

    /// <summary>CPU seconds of the sender per Gbit.</summary>
    public required Summary CpuPerGbit { get; init; }

    /// <summary>Of that, to the mean of the baseline's runs before and after it; without an entry for the baseline itself.</summary>
    public required Summary Ratio { get; init; }
    public required IReadOnlyList<TrialReport> Trials { get; init; }

    /// <summary>Why it did not run at all; null = it did.</summary>
    public string? Failure { get; init; }

    public void Print()
    {
        if (Failure is not null)
        {
            Console.WriteLine($"  {Variant,-14} NOT RUN: {Failure}");
            return;
        }

        double gbit = Trials.Sum(static t => t.Gbit);
        string ratio = double.IsNaN(Ratio.Median) ? "baseline" : Text(Ratio, "F2");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {Variant,-14} {Text(CpuPerGbit, "F4"),-26} {ratio,-20} core {Trials.Sum(static t => t.CoreBusy) / gbit:F4}  {gbit / Trials.Sum(static t => t.Seconds),5:F1} Gbit/s  "
            + $"calls/Gbit {Trials.Sum(static t => t.Calls) / gbit,6:F0}  partial {Trials.Sum(static t => (double)t.Partials) / Trials.Sum(static t => t.Calls),4:P0}  "
            + $"sender {Trials.Average(static t => t.SenderShare):P0} load {Trials.Average(static t => t.LoadShare):P0}{Zero()}{(Trials.Any(static t => t.Noisy) ? "  NOISY" : "")}"));
    }

    private string Zero()
    {
        long all = Trials.Sum(static t => t.Completions);
        return all == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"  copied after all {(double)Trials.Sum(static t => t.CopiedCompletions) / all:P0}");
    }

    private static string Text(Summary s, string format) =>
        string.Create(CultureInfo.InvariantCulture, $"{s.Median.ToString(format, CultureInfo.InvariantCulture)} [{s.Low.ToString(format, CultureInfo.InvariantCulture)}..{s.High.ToString(format, CultureInfo.InvariantCulture)}]");
}
