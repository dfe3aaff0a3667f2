using System.Diagnostics;
using System.Globalization;

namespace Millrace.Fuzz;

/// <summary>Splits the time over the targets, and stops at the first finding.</summary>
internal static class FuzzRunner
{
    public static int Run(FuzzOptions options, IReadOnlyList<FuzzTarget> targets)
    {
        var chosen = targets.Where(target => target.Name.StartsWith(options.Target, StringComparison.Ordinal)).ToList();
        if (chosen.Count == 0)
        {
            Console.Error.WriteLine($"no such target: {options.Target}");
            return 2;
        }

        using var flight = new InFlight(options.Folder);
        var harness = new FuzzHarness(flight, options.Folder);
        if (options.Input.Length > 0)
            return chosen.Select(target => harness.Reproduce(target, File.ReadAllBytes(options.Input))).Max();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {options.Seed}, {options.Seconds} s over {chosen.Count} targets"));
        foreach (var target in chosen)
        {
            if (!RunFor(harness, target, options.Seed, options.Seconds / chosen.Count))
                return 1;
        }

        return 0;
    }

    private static bool RunFor(FuzzHarness harness, FuzzTarget target, int seed, double seconds)
    {
        if (!harness.Prepare(target))
            return false;
        var mutator = new Mutator(target.Seeds, target.MaxLength);
        var clock = Stopwatch.StartNew();
        long runs = 0, bytes = 0;
        while (clock.Elapsed.TotalSeconds < seconds)
        {
            // Each run has a generator of its own: its number and the seed say all about it.
            var input = mutator.Next(new Random(unchecked((seed * 1_000_003) + (int)runs)));
            if (!harness.Try(target, input))
                return false;
            runs++;
            bytes += input.Length;
        }

        var elapsed = clock.Elapsed.TotalSeconds;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{target.Name,-14} {runs,9} runs {runs / elapsed,9:F0}/s {bytes / elapsed / 1e6,7:F1} MB/s, at most {harness.MostAllocated / 1024.0:F0} KiB and {harness.LongestMicros / 1000.0:F1} ms an input"));
        return true;
    }
}
