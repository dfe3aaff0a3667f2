using Millrace.Node.Shards;

namespace Millrace.Node.Tests.Shards;

public sealed class MergeRestsTests
{
    [Fact]
    public void Each_rests_for_its_own_window_and_not_a_microsecond_less()
    {
        var rests = new MergeRests<string>(new MergePacer(0));
        rests.Add("long", 0, 100_000);
        rests.Add("short", 1_000, 30_000);
        rests.Add("none", 2_000, 0);
        rests.Add("short too", 3_000, 30_000);

        Taken(rests, 1_999).ShouldBeEmpty();
        Taken(rests, 2_000).ShouldBe([("none", 2_000)]);
        rests.NextEnd().ShouldBe(31_000);
        Taken(rests, 30_999).ShouldBeEmpty();
        Taken(rests, 40_000).ShouldBe([("short", 31_000), ("short too", 33_000)]);
        Taken(rests, 99_999).ShouldBeEmpty();
        Taken(rests, 100_000).ShouldBe([("long", 100_000)]);
        rests.NextEnd().ShouldBe(long.MaxValue);
    }

    [Fact]
    public void Whoever_rests_already_rests_for_the_stretched_window()
    {
        var pacer = new MergePacer(0);
        var rests = new MergeRests<string>(pacer);
        rests.Add("x", 0, 30_000);

        pacer.OnPass(viewers: 1, delayMicros: 60_000, 30_000);
        pacer.OnSent(MergePacer.PeriodMicros);
        pacer.OnTurn(MergePacer.PeriodMicros, sleptMicros: 0);

        rests.NextEnd().ShouldBe(37_500);
        Taken(rests, 37_499).ShouldBeEmpty();
        Taken(rests, 37_500).ShouldBe([("x", 37_500)]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Whatever_the_windows_nobody_is_taken_early_or_forgotten(int seed)
    {
        var random = new Random(seed);
        var rests = new MergeRests<(int Number, long End)>(new MergePacer(0));
        var resting = new Dictionary<int, long>();
        long now = 0;
        for (var i = 0; i < 10_000; i++)
        {
            var window = new long[] { 0, 10_000, 30_000, 350_000 }[random.Next(4)];
            rests.Add((i, now + window), now, window);
            resting.Add(i, now + window);
            now += random.Next(2_000);
            while (rests.TryTake(now, out var item, out var ended))
            {
                ended.ShouldBe(item.End);
                resting.Remove(item.Number).ShouldBeTrue();
            }

            resting.Values.ShouldAllBe(end => end > now);
            rests.NextEnd().ShouldBe(resting.Count == 0 ? long.MaxValue : resting.Values.Min());
        }
    }

    private static List<(string Item, long Ended)> Taken(MergeRests<string> rests, long now)
    {
        var all = new List<(string, long)>();
        while (rests.TryTake(now, out var item, out var ended))
            all.Add((item, ended));
        return all;
    }
}
