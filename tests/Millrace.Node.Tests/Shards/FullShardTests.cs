using Millrace.Node.Shards;
using Millrace.Node.Tests.Harness;
using Millrace.Streams.Wire;

namespace Millrace.Node.Tests.Shards;

/// <summary>A shard that has more to do than it has time.</summary>
public sealed class FullShardTests
{
    [Fact]
    public async Task It_stretches_its_windows_loses_nobody_and_goes_back_when_there_is_room()
    {
        using var rig = new ShardRig();
        var log = rig.AddLog("x", 1_000);
        log.Append("start"u8);
        var viewers = Enumerable.Range(0, 8 * Shard.SliceViewers).Select(_ => rig.AddViewer(log)).ToArray();
        var others = new EndlessPass { OnSlice = () => log.Append("0123456789"u8) };
        rig.Shard.Schedule(others);
        rig.Shard.Start();
        using var drain = new Drain(rig.FarEnds);

        await Wait.Until(() => rig.Shard.Pacer.Factor > 1, "windows are stretched");
        others.IsOver = true;
        await Wait.Until(IsAsConfigured, "windows are as configured");

        await Wait.Until(() => Array.TrueForAll(viewers, viewer => viewer.BytesOut == log.Wire.Committed), "all viewers have the last byte");
        rig.Shard.ConnectionCount.ShouldBe(viewers.Length);

        // A shard that has nothing at all to do does not look at the time either.
        bool IsAsConfigured()
        {
            log.Append("0123456789"u8);
            return rig.Shard.Pacer.Factor <= 1;
        }
    }

    [Fact]
    public void Many_hear_of_a_streams_end_in_slices_and_of_each_thing_in_its_order()
    {
        using var rig = new ShardRig();
        var log = rig.AddLog("x", 0);
        var viewers = Enumerable.Range(0, (2 * Shard.SliceViewers) + 1).Select(_ => rig.AddViewer(log)).ToArray();
        var pass = new SignalPass(rig.Shard, log.Subscription.Viewers);
        pass.Add(WireSignal.Unpublished, log.Wire.Committed);
        pass.Add(WireSignal.Ended, log.Wire.Committed);
        int Heard() => viewers.Sum(viewer => viewer.Heard.Count);

        for (var isThrough = false; !isThrough;)
        {
            var before = Heard();
            isThrough = pass.RunSlice(NodeClock.Micros);
            (Heard() - before).ShouldBeInRange(1, Shard.SliceViewers);
        }

        viewers.ShouldAllBe(viewer => viewer.Heard.SequenceEqual(new[] { WireSignal.Unpublished, WireSignal.Ended }));
    }
}
