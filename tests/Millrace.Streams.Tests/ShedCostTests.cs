using Millrace.Streams.Buffers;

namespace Millrace.Streams.Tests;

/// <summary>A full budget and many streams: an append must not look at each of them.</summary>
public sealed class ShedCostTests
{
    private const int Streams = 1_000;
    private const int Levels = 4;

    [Fact]
    public void Where_nobody_has_anything_to_give_a_second_of_asking_looks_at_each_stream_a_few_times()
    {
        var rig = new ShedRig();
        var streams = Enumerable.Range(0, Streams).Select(i => rig.Add($"s{i}")).ToList();
        for (var i = 0; i < 100_000; i++)
        {
            rig.Shed(streams[i % Streams], 1).ShouldBeFalse();
            rig.Stream.Now += 10;
        }

        // The test's own stream is in the registry too.
        rig.Shedder.Visits.ShouldBeInRange(10 * Levels * (Streams - 1), 10 * Levels * (Streams + 1));
    }

    [Fact]
    public void Where_many_have_something_each_ask_goes_on_behind_the_last()
    {
        var rig = new ShedRig();
        var asker = rig.Add("asker");
        var streams = Enumerable.Range(0, Streams).Select(i => rig.Add($"s{i}")).ToList();
        for (var i = 0; i < Streams; i += 10)
        {
            rig.Publish(streams[i]).Run(2);
            rig.LeaveWireLog(streams[i]);
        }

        for (var i = 0; i < Streams; i += 10)
            rig.Shed(asker, 1).ShouldBeTrue();
        rig.Used(MemoryUse.WireLogs).ShouldBe(0);
        rig.Shedder.Visits.ShouldBeLessThanOrEqualTo(Streams + 1);
    }

    [Fact]
    public void A_level_that_rests_is_asked_again_after_a_moment()
    {
        var rig = new ShedRig();
        var (asker, other) = (rig.Add("asker"), rig.Add("other"));
        rig.Publish(other).Run(2);
        rig.Shed(asker, 1).ShouldBeFalse();
        rig.LeaveWireLog(other);
        rig.Shed(asker, 1).ShouldBeFalse();

        rig.Stream.Now += Shedder.RestMicros;
        rig.Shed(asker, 1).ShouldBeTrue();
        other.WireCount.ShouldBe(0);
    }

    [Fact]
    public void Appends_with_a_full_budget_cost_less_than_a_look_each()
    {
        var rig = new ShedRig();
        var sources = Enumerable.Range(0, 200).Select(i => rig.Publish(rig.Add($"s{i}"), group: 10)).ToList();
        sources.ForEach(source => source.Run(2));
        rig.Stream.Budget[MemoryUse.JitterBuffers].TryCharge(rig.Stream.Budget.Limit - rig.Stream.Budget.Used).ShouldBeTrue();
        var (appends, before) = (0, rig.Shedder.Visits);
        for (var round = 0; round < 50; round++)
            sources.ForEach(source => source.Run(0.04, () => appends++));

        appends.ShouldBeGreaterThan(25_000);
        (rig.Shedder.Visits - before).ShouldBeGreaterThan(0);
        (rig.Shedder.Visits - before).ShouldBeLessThan(appends);
    }

    [Fact]
    public async Task Streams_that_shed_each_other_never_wait_for_each_other()
    {
        var rig = new ShedRig();
        var streams = Enumerable.Range(0, 4).Select(i => rig.Add($"s{i}")).ToList();
        foreach (var stream in streams)
            rig.Publish(stream).Run(2);
        await Task.WhenAll(streams.Select((stream, index) => Task.Run(() =>
        {
            for (var i = 0; i < 20_000; i++)
            {
                lock (stream.Gate)
                    rig.Shedder.TryShed(stream, rig.Stream.Now + (i * Shedder.RestMicros), 1);
                if (i % 100 == index)
                    rig.LeaveWireLog(streams[i / 100 % streams.Count]);
            }
        }))).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        rig.Shedder.Visits.ShouldBeGreaterThan(20_000);
    }
}
