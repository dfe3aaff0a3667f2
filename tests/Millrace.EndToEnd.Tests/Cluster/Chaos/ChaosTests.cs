using System.Diagnostics;
using System.Globalization;
using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd.Cluster.Chaos;

/// <summary>One fault after the other, as a seed has it: MILLRACE_CHAOS_SEED, else 1, or with MILLRACE_E2E=long any.</summary>
public sealed class ChaosTests
{
    /// <summary>All is let go and compared after so many.</summary>
    private const int RoundLength = 12;

    [Fact(Timeout = 900_000)]
    public async Task After_each_fault_every_stream_comes_to_every_viewer_and_in_the_end_nothing_is_left()
    {
        var seed = Environment.GetEnvironmentVariable("MILLRACE_CHAOS_SEED") is { Length: > 0 } text
            ? int.Parse(text, CultureInfo.InvariantCulture)
            : LongRun.IsAsked ? Random.Shared.Next() : 1;
        TestContext.Current.TestOutputHelper?.WriteLine($"MILLRACE_CHAOS_SEED={seed}");
        var random = new Random(seed);
        await using var cluster = new ChaosCluster();
        await cluster.StartAsync(origins: LongRun.IsAsked ? 3 : 2);
        var faults = new ChaosFaults(cluster, random);
        var levels = new Dictionary<ChaosNode, NodeLevels>();
        await cluster.FillAsync();
        await cluster.EmptyAsync(levels);

        for (var done = 0; done < LongRun.Faults; done += RoundLength)
        {
            await cluster.FillAsync();
            var round = faults.All.ToArray();
            random.Shuffle(round);
            foreach (var fault in round.Take(LongRun.Faults - done))
            {
                var started = Stopwatch.GetTimestamp();
                await fault();
                await cluster.FlowAsync();
                TestContext.Current.TestOutputHelper?.WriteLine($"  whole again after {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s");
            }

            await cluster.ShouldFetchEachStreamOnceAsync();
            await cluster.EmptyAsync(levels);
        }
    }
}
