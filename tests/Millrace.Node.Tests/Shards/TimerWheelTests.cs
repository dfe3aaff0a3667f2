using System.Diagnostics;
using Millrace.Node.Shards;

namespace Millrace.Node.Tests.Shards;

public sealed class TimerWheelTests
{
    private const long Round = 1_024 * TimerWheel.TickMicros;

    [Theory]
    [InlineData(1)]
    [InlineData(TimerWheel.TickMicros - 1)]
    [InlineData(TimerWheel.TickMicros)]
    [InlineData(TimerWheel.TickMicros + 1)]
    [InlineData(Round - 1)]
    [InlineData(Round)]
    [InlineData(Round + 1)]
    [InlineData((3 * Round) + 12_345)]
    public void A_timer_is_never_early_and_at_most_a_tick_late(long delay)
    {
        foreach (var start in (long[])[0, 1, TimerWheel.TickMicros - 1, 5 * Round, 77_777_777])
        {
            var wheel = new TimerWheel(start);
            var timer = new Recorder();
            wheel.Arm(timer, start + delay);
            for (var now = start; timer.FiredAt is null && now < start + delay + (2 * TimerWheel.TickMicros); now += 512)
                wheel.Advance(now);

            var fired = timer.FiredAt.ShouldNotBeNull();
            fired.ShouldBeGreaterThanOrEqualTo(start + delay);
            fired.ShouldBeLessThan(start + delay + TimerWheel.TickMicros + 512);
        }
    }

    [Fact]
    public void A_deadline_that_is_over_fires_with_the_next_tick()
    {
        var wheel = new TimerWheel(1_000_000);
        var timer = new Recorder();
        wheel.Arm(timer, 5);

        wheel.Advance(1_000_000);
        timer.FiredAt.ShouldBeNull();
        wheel.Advance(1_000_000 + TimerWheel.TickMicros);

        timer.FiredAt.ShouldNotBeNull();
        timer.IsArmed.ShouldBeFalse();
        wheel.Count.ShouldBe(0);
    }

    [Fact]
    public void A_fault_of_one_timer_is_reported_and_costs_no_other()
    {
        var faults = new List<Exception>();
        var wheel = new TimerWheel(0, faults.Add);
        var (broken, other) = (new Recorder(), new Recorder());
        broken.Callback = static _ => throw new InvalidOperationException("a bug");
        wheel.Arm(broken, 1_000);
        wheel.Arm(other, 1_000);

        wheel.Advance(2 * TimerWheel.TickMicros);

        faults.ShouldHaveSingleItem().Message.ShouldBe("a bug");
        other.FiredAt.ShouldNotBeNull();
        wheel.Count.ShouldBe(0);
    }

    [Fact]
    public void A_timer_may_arm_itself_again_within_its_callback()
    {
        var wheel = new TimerWheel(0);
        var timer = new Recorder();
        timer.Callback = now => wheel.Arm(timer, now + 100_000);
        wheel.Arm(timer, 100_000);

        for (long now = 0; now <= 1_000_000; now += 1_000)
            wheel.Advance(now);

        // Each time late by less than a tick.
        timer.Count.ShouldBeInRange(9, 10);
        wheel.Count.ShouldBe(1);
    }

    [Fact]
    public void A_timer_that_asks_for_the_past_within_its_callback_does_not_hold_the_wheel()
    {
        var wheel = new TimerWheel(0);
        var timer = new Recorder();
        timer.Callback = _ => wheel.Arm(timer, 0);
        wheel.Arm(timer, 0);

        wheel.Advance(10 * TimerWheel.TickMicros);

        timer.Count.ShouldBe(10);
    }

    [Fact]
    public void A_callback_may_disarm_others_of_the_same_slot()
    {
        var wheel = new TimerWheel(0);
        var timers = Enumerable.Range(0, 5).Select(_ => new Recorder()).ToArray();
        foreach (var timer in timers)
        {
            timer.Callback = _ =>
            {
                foreach (var other in timers)
                    wheel.Disarm(other);
            };
            wheel.Arm(timer, 10_000);
        }

        wheel.Advance(1_000_000);

        timers.Sum(timer => timer.Count).ShouldBe(1);
        wheel.Count.ShouldBe(0);
    }

    [Fact]
    public void A_callback_may_move_others_that_are_due_with_it()
    {
        var wheel = new TimerWheel(0);
        var timers = Enumerable.Range(0, 5).Select(_ => new Recorder()).ToArray();
        foreach (var timer in timers)
        {
            timer.Callback = now =>
            {
                foreach (var other in timers.Where(other => other.Count == 0))
                    wheel.Arm(other, now + 50_000);
            };
            wheel.Arm(timer, 10_000);
        }

        for (long now = 0; now < 1_000_000; now += 8_000)
            wheel.Advance(now);

        timers.ShouldAllBe(timer => timer.Count == 1);
        timers.Select(timer => timer.FiredAt!.Value).ShouldBeUnique();
        wheel.Count.ShouldBe(0);
    }

    [Fact]
    public void A_callback_may_arm_others_for_the_same_slot_a_round_later()
    {
        var wheel = new TimerWheel(0);
        var (first, second) = (new Recorder(), new Recorder());
        first.Callback = _ => wheel.Arm(second, 10_000 + Round);
        wheel.Arm(first, 10_000);

        wheel.Advance(2 * TimerWheel.TickMicros);
        second.IsArmed.ShouldBeTrue();
        wheel.Advance(Round);
        second.FiredAt.ShouldBeNull();
        wheel.Advance(Round + (2 * TimerWheel.TickMicros));

        second.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Callbacks_that_arm_and_disarm_at_random_fire_only_what_is_armed_and_leave_nothing_behind(int seed)
    {
        var random = new Random(seed);
        var wheel = new TimerWheel(0);
        var deadlines = new long?[500];
        var timers = new Recorder[deadlines.Length];
        for (var i = 0; i < timers.Length; i++)
        {
            var number = i;
            timers[i] = new Recorder
            {
                Callback = now =>
                {
                    deadlines[number].ShouldNotBeNull().ShouldBeLessThanOrEqualTo(now);
                    deadlines[number] = null;
                    for (var change = 0; change < 3 && now < 10 * Round; change++)
                        Change(random.Next(timers.Length), now);
                },
            };
        }

        for (var i = 0; i < timers.Length; i++)
            Change(i, 0);
        for (long now = 0; now < 14 * Round; now += random.Next(40_000))
        {
            wheel.Advance(now);
            wheel.Count.ShouldBe(deadlines.Count(deadline => deadline is not null));
            deadlines.ShouldAllBe(deadline => deadline == null || deadline > now - TimerWheel.TickMicros);
        }

        wheel.Count.ShouldBe(0);
        wheel.MillisToNextTick(14 * Round).ShouldBe(-1);

        void Change(int number, long now)
        {
            deadlines[number] = random.Next(4) == 0 ? null : now + random.NextInt64(3 * Round);
            wheel.Arm(timers[number], deadlines[number] ?? long.MaxValue);
        }
    }

    /// <summary>Timers of 18 s and of 75 s share slots. Walked again for each that fires, a slot costs hundreds of times the control.</summary>
    [Fact]
    public void Many_that_are_due_behind_many_of_a_later_round_cost_one_walk()
    {
        const int Each = 20_000;
        _ = TimeOf(Each, later: Each);

        var alone = TimeOf(Each, later: 0);
        var behindOthers = TimeOf(Each, later: Each);

        (behindOthers / alone).ShouldBeLessThan(30);
    }

    private static double TimeOf(int due, int later)
    {
        var wheel = new TimerWheel(0);
        var timers = Enumerable.Range(0, due).Select(_ => new Recorder()).ToArray();
        foreach (var timer in timers)
            wheel.Arm(timer, 10_000);
        for (var i = 0; i < later; i++)
            wheel.Arm(new Recorder(), 10_000 + Round);
        var clock = Stopwatch.StartNew();
        wheel.Advance(2 * TimerWheel.TickMicros);
        var time = clock.Elapsed;
        timers.ShouldAllBe(timer => timer.Count == 1);
        wheel.Count.ShouldBe(later);
        return time.TotalMicroseconds;
    }

    [Fact]
    public void Moving_a_timer_leaves_only_its_last_deadline()
    {
        var wheel = new TimerWheel(0);
        var timer = new Recorder();
        wheel.Arm(timer, 500_000);
        wheel.Arm(timer, 20_000_000);
        wheel.Arm(timer, 100_000);

        for (long now = 0; now < 30_000_000; now += 8_000)
            wheel.Advance(now);

        timer.Count.ShouldBe(1);
        timer.FiredAt!.Value.ShouldBeLessThan(120_000);
    }

    [Fact]
    public void No_deadline_disarms()
    {
        var wheel = new TimerWheel(0);
        var timer = new Recorder();
        wheel.Arm(timer, 500_000);
        wheel.Arm(timer, long.MaxValue);

        timer.IsArmed.ShouldBeFalse();
        wheel.MillisToNextTick(0).ShouldBe(-1);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Thousands_of_timers_over_several_rounds_fire_once_each_in_time(int seed)
    {
        var random = new Random(seed);
        var wheel = new TimerWheel(0);
        var timers = new (Recorder Timer, long Deadline)[5_000];
        for (var i = 0; i < timers.Length; i++)
        {
            timers[i] = (new Recorder(), random.NextInt64(4 * Round));
            wheel.Arm(timers[i].Timer, timers[i].Deadline);
        }

        // Passes of a busy shard: mostly short, now and then longer than a whole round.
        var steps = new List<long> { 0 };
        for (long now = 0; now < 6 * Round; now += random.Next(20) == 0 ? random.NextInt64(2 * Round) : random.Next(20_000))
        {
            wheel.Advance(now);
            steps.Add(now);
        }

        wheel.Count.ShouldBe(0);
        foreach (var (timer, deadline) in timers)
        {
            timer.Count.ShouldBe(1);
            var fired = timer.FiredAt!.Value;
            fired.ShouldBeGreaterThanOrEqualTo(deadline);
            // No pass came between the tick after the deadline and the one that fired it.
            steps.ShouldNotContain(step => step >= deadline + TimerWheel.TickMicros && step < fired);
        }
    }

    [Fact]
    public void The_time_to_sleep_reaches_the_next_deadline_and_passes_it_by_no_more_than_a_tick_and_a_millisecond()
    {
        var random = new Random(4);
        for (var i = 0; i < 1_000; i++)
        {
            var now = random.NextInt64(100_000_000);
            var wheel = new TimerWheel(now);
            var deadline = now + random.NextInt64(1, Round - TimerWheel.TickMicros);
            var timer = new Recorder();
            wheel.Arm(timer, deadline);

            var wake = now + (wheel.MillisToNextTick(now) * 1_000L);
            wheel.Advance(wake);

            timer.FiredAt.ShouldBe(wake);
            (wake - deadline).ShouldBeInRange(0, TimerWheel.TickMicros + 1_000);
        }
    }

    [Fact]
    public void The_time_to_sleep_is_that_to_the_first_of_many()
    {
        var random = new Random(5);
        var wheel = new TimerWheel(0);
        var timers = Enumerable.Range(0, 6).Select(_ => new Recorder()).ToArray();
        long now = 0;
        for (var i = 0; i < 20_000; i++)
        {
            wheel.Arm(timers[random.Next(timers.Length)], now + random.NextInt64(1, Round - TimerWheel.TickMicros));
            var wake = now + (wheel.MillisToNextTick(now) * 1_000L);
            var first = timers.Where(timer => timer.IsArmed).Min(timer => timer.Deadline);
            (wake - first).ShouldBeInRange(0, TimerWheel.TickMicros + 1_000);
            if (random.Next(3) > 0)
                continue;
            now = wake;
            wheel.Advance(now);
        }
    }

    private sealed class Recorder : ShardTimer
    {
        public int Count { get; private set; }

        public long? FiredAt { get; private set; }

        public Action<long>? Callback { get; set; }

        public override void OnDeadline(long now)
        {
            Count++;
            FiredAt = now;
            Callback?.Invoke(now);
        }
    }
}
