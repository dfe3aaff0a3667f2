using Millrace.Streams.Cuts;
using Millrace.Streams.Log;

namespace Millrace.Streams.Tests.Cuts;

/// <summary>Where segments begin, by rule and key interval.</summary>
public sealed class SegmentCutTests
{
    [Theory]
    [InlineData(1.0, new[] { 0.0, 6, 12, 18, 24 }, 6)]
    [InlineData(2.0, new[] { 0.0, 6, 12, 18, 24 }, 6)]
    [InlineData(2.48, new[] { 0.0, 4.96, 9.92, 14.88, 19.84, 24.8 }, 6)]
    [InlineData(4.0, new[] { 0.0, 4, 8, 12, 16, 20, 24 }, 6)]
    [InlineData(6.0, new[] { 0.0, 6, 12, 18, 24 }, 6)]
    [InlineData(10.0, new[] { 0.0, 10, 20 }, 10)]
    public void A_fitting_segment_ends_at_the_last_key_frame_before_it_would_be_too_long(double interval, double[] starts, long target)
    {
        var run = new PlannerRun(PlannerRun.WithoutParts).Feed(29, i => i % (int)Math.Round(interval * 25) == 0);
        run.Starts.Take(starts.Length).ShouldBe(starts);
        run.Planner.TargetSeconds.ShouldBe(target);
        run.Planner.HardCuts.ShouldBe(0);
    }

    [Theory]
    [InlineData(1.0, new[] { 0.0, 1, 7, 13 })]
    [InlineData(0.48, new[] { 0.0, 0.96, 6.72 })]
    [InlineData(4.0, new[] { 0.0, 4, 8, 12 })]
    public void With_parts_the_first_segment_is_short_so_that_a_player_can_start(double interval, double[] starts) =>
        new PlannerRun(new CutRule()).Feed(29, i => i % (int)Math.Round(interval * 25) == 0).Starts.Take(starts.Length).ShouldBe(starts);

    [Theory]
    [InlineData(1.0, 6.0)]
    [InlineData(2.0, 6.0)]
    [InlineData(4.0, 8.0)]
    public void After_waits_for_the_first_key_frame_behind_the_target(double interval, double length)
    {
        var run = new PlannerRun(PlannerRun.WithoutParts with { Mode = CutMode.After }).Feed(60, i => i % (int)(interval * 25) == 0);
        // The first may be cut before the interval of the key frames is known.
        Differences(run).Skip(2).ShouldAllBe(one => Math.Abs(one - length) < 0.01);
        run.Segments.Count.ShouldBeGreaterThan(6);
    }

    [Fact]
    public void Aligned_cuts_depend_on_media_time_alone()
    {
        var rule = PlannerRun.WithoutParts with { Mode = CutMode.Aligned };
        var early = new PlannerRun(rule).Feed(60, i => i % 50 == 0);
        var late = new PlannerRun(rule).Feed(46, i => i % 50 == 0, from: 14);
        late.Starts.Skip(1).ShouldBe(early.Starts.Where(start => start > 14));
        late.Starts.Skip(1).ShouldAllBe(start => start % 6 < 2);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(500_000)]
    public void Without_a_key_frame_the_cut_is_hard_before_the_target_and_490_ms(long part)
    {
        var run = new PlannerRun(new CutRule { PartMicros = part });
        run.Planner.FixTarget();
        run.Feed(60, i => i == 0);
        run.Planner.HardCuts.ShouldBe(run.Segments.Count - 1);
        Differences(run).ShouldAllBe(length => length > 6.4 && length <= 6.49);
    }

    [Theory]
    [InlineData(10, 10)]
    [InlineData(17, 17)]
    [InlineData(30, 18)]
    public void The_target_follows_the_key_interval_up_to_three_times_what_is_wanted(double interval, long target)
    {
        var run = new PlannerRun(PlannerRun.WithoutParts).Feed(70, i => i % (int)(interval * 25) == 0);
        run.Planner.TargetSeconds.ShouldBe(target);
        Differences(run).ShouldAllBe(length => length <= target + 0.49);
    }

    [Fact]
    public void A_target_that_was_handed_out_stays_whatever_the_key_frames_do()
    {
        var run = new PlannerRun(PlannerRun.WithoutParts).Feed(10, i => i % 50 == 0);
        run.Planner.FixTarget();
        run.Feed(60, i => i == 0, from: 10);
        run.Planner.TargetSeconds.ShouldBe(6);
        Differences(run).ShouldAllBe(length => length <= 6.49);
    }

    [Fact]
    public void A_target_never_falls_below_what_a_segment_had()
    {
        var run = new PlannerRun(PlannerRun.WithoutParts).Feed(16, i => i == 0);
        run.Planner.OnPause(16_000_000);
        run.Begin(new Era(1, run.Era.Tracks, 20_000_000, EraReason.Reconnect) { EpochMicros = run.Era.EpochMicros });
        run.Feed(10, i => i % 25 == 0, from: 20);
        var longest = Differences(run).Where((_, i) => run.Segments[i + 1].EraNumber == 0).Max();
        ((long)Math.Round(longest)).ShouldBeLessThanOrEqualTo(run.Planner.TargetSeconds);
    }

    [Fact]
    public void Irregular_key_frames_never_make_a_segment_longer_than_the_target()
    {
        foreach (var seed in Enumerable.Range(0, 200))
        {
            var random = new Random(seed);
            var next = 0;
            var run = new PlannerRun(new CutRule { PartMicros = random.Next(2) * 500_000, Mode = (CutMode)random.Next(3), IsStrict = random.Next(4) == 0 });
            var fixAt = random.Next(500);
            run.Feed(120, i =>
            {
                if (i == fixAt)
                    run.Planner.FixTarget();
                if (i < next)
                    return false;
                next = i + random.Next(1, random.Next(2) == 0 ? 100 : 400);
                return true;
            });
            var limit = run.Planner.TargetSeconds + 0.5;
            Differences(run).ShouldAllBe(length => length < limit, $"seed {seed}: {string.Join(' ', run.Starts)} {run.Planner.Rule} fixed {fixAt} target {run.Planner.TargetSeconds}");
        }
    }

    [Fact]
    public void A_strict_segment_that_had_to_be_cut_ends_at_the_next_key_frame()
    {
        var run = new PlannerRun(PlannerRun.WithoutParts with { IsStrict = true });
        run.Planner.FixTarget();
        run.FeedKeys(20, 0, 8, 10, 12, 14, 16, 18);
        run.Starts.ShouldBe([0, 6.48, 8, 14]);
    }

    [Theory]
    [InlineData(nameof(SegmentNaming.Sequential), 0, new long[] { 0, 1, 2 })]
    [InlineData(nameof(SegmentNaming.Timestamp), 0, new long[] { 0, 540_000, 1_080_000 })]
    [InlineData(nameof(SegmentNaming.System), 0, new[] { 1_700_000_000_000, 1_700_000_006_000, 1_700_000_012_000 })]
    [InlineData(nameof(SegmentNaming.System), 5_000, new[] { 1_700_000_000_000, 1_700_000_005_000, 1_700_000_010_000 })]
    [InlineData(nameof(SegmentNaming.Timestamp), 2_000_000, new long[] { 0, 1, 2 })]
    public void Names_follow_the_setting_and_always_grow(string naming, long granularity, long[] names)
    {
        var run = new PlannerRun(PlannerRun.WithoutParts with { Naming = Enum.Parse<SegmentNaming>(naming), Granularity = granularity }).Feed(13, i => i % 50 == 0);
        run.Names.ShouldBe(names);
        run.Segments.ConvertAll(mark => mark.Mark.Number).ShouldBe([0, 1, 2]);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(500_000, 0)]
    [InlineData(0, 500_000)]
    public void The_first_segment_of_an_Era_is_dated_again_by_the_same_name_before_anybody_sees_it(long partMicros, long granularity)
    {
        const long Backlog = 900_000;
        var run = new PlannerRun(new CutRule { PartMicros = partMicros, Naming = SegmentNaming.Timestamp, Granularity = granularity }).Feed(0.2, i => i == 0);
        run.Era.EpochMicros -= Backlog;
        run.Feed(13, i => i % 50 == 45, from: 0.2);

        run.Segments.ConvertAll(mark => mark.Mark.Number).ShouldBe([0, 0, 1, 2]);
        run.Segments[1].DtsMicros.ShouldBe(run.Segments[0].DtsMicros);
        run.Segments[1].Pts.ShouldBe(run.Segments[0].Pts - Backlog);
        run.Names[1].ShouldBe(run.Names[0]);
        run.Names[2].ShouldBeGreaterThan(run.Names[1]);
        run.Segments.ShouldAllBe(mark => mark.Number == run.Segments[0].Number && !mark.Mark.IsBreak);
        // Behind it nothing is left to correct.
        (run.Segments[2].Pts - run.Segments[2].DtsMicros).ShouldBe(run.Segments[1].Pts - run.Segments[1].DtsMicros);
    }

    [Fact]
    public void Numbers_go_on_from_the_first_that_was_given()
    {
        var run = new PlannerRun(PlannerRun.WithoutParts, firstNumber: 71_000_000).Feed(13, i => i % 50 == 0);
        run.Segments.ConvertAll(mark => mark.Mark.Number).ShouldBe([71_000_000, 71_000_001, 71_000_002]);
        run.Segments.ConvertAll(mark => mark.Number).ShouldAllBe(discontinuities => discontinuities == run.Segments[0].Number);
    }

    private static List<double> Differences(PlannerRun run) =>
        [.. run.Segments.Zip(run.Segments.Skip(1), (a, b) => (b.DtsMicros - a.DtsMicros) / 1e6)];
}
