using System.Collections.Concurrent;
using System.Diagnostics;
using Millrace.Node.Shards;
using Millrace.Node.Tests.Harness;

namespace Millrace.Node.Tests.Shards;

public sealed class ShardTests
{
    [Fact]
    public void Actions_of_one_thread_run_in_order_on_the_shards_thread()
    {
        using var rig = new ShardRig();
        rig.Shard.Start();
        var seen = new List<int>();
        using var done = new ManualResetEventSlim();
        for (var i = 0; i < 1_000; i++)
        {
            var number = i;
            rig.Shard.Post(() =>
            {
                if (rig.Shard.IsCurrent)
                    seen.Add(number);
            });
        }

        rig.Shard.Post(done.Set);

        done.Wait(Wait.Deadline).ShouldBeTrue();
        seen.ShouldBe(Enumerable.Range(0, 1_000));
    }

    [Fact]
    public async Task No_wake_is_lost_while_many_threads_post_to_a_shard_that_falls_asleep_between()
    {
        using var rig = new ShardRig();
        rig.Shard.Start();
        const int Threads = 4;
        const int Rounds = 5_000;
        // Each waits for its own action before the next: nearly every post meets a shard on its way to sleep.
        var threads = Enumerable.Range(0, Threads).Select(_ => Task.Factory.StartNew(
            () =>
            {
                using var done = new AutoResetEvent(false);
                for (var i = 0; i < Rounds; i++)
                {
                    rig.Shard.Post(() => done.Set());
                    if (!done.WaitOne(Wait.Deadline))
                        return i;
                }

                return Rounds;
            },
            TaskCreationOptions.LongRunning)).ToArray();

        (await Task.WhenAll(threads)).ShouldAllBe(rounds => rounds == Rounds);
    }

    [Fact]
    public async Task Who_has_much_to_get_is_sent_a_turns_bytes_and_the_rest_when_others_have_had_theirs()
    {
        const int Length = (2 * ShardConnection.TurnBytes) + 1;
        using var rig = new ShardRig();
        var log = rig.AddLog("x", 0);
        log.Append(new byte[Length]);
        var viewer = rig.AddViewer(log, socketBytes: 2 * Length);

        viewer.Pump(NodeClock.Micros);
        viewer.BytesOut.ShouldBe(ShardConnection.TurnBytes);

        rig.Shard.Start();
        using var drain = new Drain(rig.FarEnds);
        await Wait.Until(() => viewer.BytesOut == Length, "the viewer has the last byte");
    }

    /// <summary>More of them than one turn of the loop takes.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Whoever_is_not_of_the_crowd_is_heard_before_it_though_it_asked_first(bool joinsLater)
    {
        const int Crowd = 600;
        using var rig = new ShardRig();
        var log = rig.AddLog("x", 0);
        var heard = new ConcurrentQueue<string>();
        for (var i = 0; i < Crowd; i++)
        {
            var viewer = rig.AddViewer(log, isOfCrowd: !joinsLater, () => heard.Enqueue("one of many"));
            viewer.BecomeOneOfMany();
        }

        rig.AddViewer(log, onReadable: () => heard.Enqueue("publisher"));
        foreach (var far in rig.FarEnds)
            far.Send("x"u8);

        rig.Shard.Start();

        await Wait.Until(() => heard.Count == Crowd + 1, "all are heard");
        heard.First().ShouldBe("publisher");
    }

    [Fact]
    public async Task Nobody_is_woken_for_less_than_so_many_bytes_but_for_the_end_of_the_peer()
    {
        using var rig = new ShardRig();
        var log = rig.AddLog("x", 0);
        var words = 0;
        var reserved = rig.AddViewer(log, onReadable: () => words++);
        var talker = rig.AddViewer(log);
        reserved.WakeFor(4);
        rig.Shard.Start();

        rig.FarEnds[0].Send("abc"u8);
        rig.FarEnds[1].Send("x"u8);
        await Wait.Until(() => talker.BytesIn == 1, "who has spoken since is heard");
        words.ShouldBe(0);
        rig.FarEnds[0].Send("d"u8);
        await Wait.Until(() => words == 1, "so much is heard");
        reserved.BytesIn.ShouldBe(4);

        rig.FarEnds[0].Send("ef"u8);
        rig.FarEnds[0].Shutdown(System.Net.Sockets.SocketShutdown.Send);
        await Wait.Until(() => reserved.IsClosed, "its end is heard");
        reserved.BytesIn.ShouldBe(6);
    }

    [Fact]
    public async Task What_a_peer_said_before_it_reset_the_connection_is_heard_however_little()
    {
        using var rig = new ShardRig();
        var viewer = rig.AddViewer(rig.AddLog("x", 0));
        viewer.WakeFor(4);
        rig.Shard.Start();

        rig.FarEnds[0].Send("xyz"u8);
        rig.FarEnds[0].LingerState = new System.Net.Sockets.LingerOption(enable: true, seconds: 0);
        rig.FarEnds[0].Close();

        await Wait.Until(() => viewer.IsClosed, "its end is heard");
        viewer.BytesIn.ShouldBe(3);
    }

    [Fact]
    public async Task No_commit_is_lost_while_many_threads_mark_subscriptions_dirty()
    {
        using var rig = new ShardRig();
        const int Logs = 4;
        const int Rounds = 3_000;
        var logs = Enumerable.Range(0, Logs).Select(i => rig.AddLog($"s{i}", 0)).ToArray();
        foreach (var log in logs)
            log.Append("start"u8);
        var viewers = logs.Select(log => rig.AddViewer(log)).ToArray();
        rig.Shard.Start();
        using var drain = new Drain(rig.FarEnds);

        var writers = Enumerable.Range(0, Logs).Select(i => Task.Factory.StartNew(() => CommitOneByOne(logs[i], viewers[i], Rounds), TaskCreationOptions.LongRunning));

        (await Task.WhenAll(writers)).ShouldAllBe(rounds => rounds == Rounds);
    }

    [Fact]
    public async Task Viewers_of_many_slices_all_get_the_last_byte_however_commits_fall_between_the_slices()
    {
        using var rig = new ShardRig();
        var log = rig.AddLog("x", 0);
        log.Append("start"u8);
        var viewers = Enumerable.Range(0, (3 * Shard.SliceViewers) + 5).Select(_ => rig.AddViewer(log)).ToArray();
        rig.Shard.Start();
        using var drain = new Drain(rig.FarEnds);
        var message = new byte[100];

        for (var burst = 0; burst < 50; burst++)
        {
            for (var i = 0; i < 40; i++)
                log.Append(message);
            await Wait.Until(() => Array.TrueForAll(viewers, viewer => viewer.BytesOut == log.Wire.Committed), $"all viewers have burst {burst}");
        }
    }

    [Fact]
    public void A_slice_serves_64_viewers_and_the_next_goes_on_where_it_ended()
    {
        using var rig = new ShardRig();
        var log = rig.AddLog("x", 30_000);
        log.Append("start"u8);
        var viewers = Enumerable.Range(0, (2 * Shard.SliceViewers) + 1).Select(_ => rig.AddViewer(log)).ToArray();
        log.Append("more"u8);
        int Served() => viewers.Count(viewer => viewer.BytesOut == log.Wire.Committed);

        var slices = new List<int>();
        for (var isThrough = false; !isThrough; slices.Add(Served()))
        {
            slices.Count.ShouldBeLessThan(100);
            isThrough = log.Subscription.RunSlice(NodeClock.Micros);
        }

        slices.Zip(slices.Prepend(0), (now, before) => now - before).ShouldAllBe(served => served > 0 && served <= Shard.SliceViewers);
        slices[^1].ShouldBe(viewers.Length);
    }

    [Fact]
    public async Task A_stream_whose_pass_takes_longer_than_its_window_gets_its_next_pass_for_bytes_that_came_meanwhile()
    {
        using var rig = new ShardRig();
        var log = rig.AddLog("x", 1);
        log.Append("start"u8);
        var viewers = Enumerable.Range(0, (3 * Shard.SliceViewers) + 5).Select(_ => rig.AddViewer(log)).ToArray();
        rig.Shard.Start();
        using var drain = new Drain(rig.FarEnds);

        for (var i = 0; i < 2_000; i++)
            log.Append("0123456789"u8);

        await Wait.Until(() => Array.TrueForAll(viewers, viewer => viewer.BytesOut == log.Wire.Committed), "all viewers have the last byte");
    }

    [Fact]
    public async Task A_stream_that_paused_after_a_window_without_bytes_is_served_again()
    {
        using var rig = new ShardRig();
        var log = rig.AddLog("x", 1_000);
        log.Append("start"u8);
        var viewer = rig.AddViewer(log);
        rig.Shard.Start();
        using var drain = new Drain(rig.FarEnds);

        for (var i = 0; i < 200; i++)
        {
            log.Append("0123456789"u8);
            await Wait.Until(() => viewer.BytesOut == log.Wire.Committed, $"the viewer has message {i}");
        }
    }

    [Fact]
    public void Input_gets_its_turn_after_two_milliseconds_of_sending_however_many_passes_are_due()
    {
        using var rig = new ShardRig();
        var sending = new EndlessPass();
        for (var i = 0; i < 1_000; i++)
            rig.Shard.Schedule(sending);
        var slices = new List<int>();
        using var done = new ManualResetEventSlim();
        // Posted from within a slice, as what a publisher sends while others are served: it runs when the next turn begins.
        sending.OnSlice = () =>
        {
            var asked = sending.Slices;
            sending.OnSlice = null;
            rig.Shard.Post(() =>
            {
                slices.Add(sending.Slices - asked);
                sending.IsOver = true;
                done.Set();
            });
        };
        rig.Shard.Start();

        done.Wait(Wait.Deadline).ShouldBeTrue();

        slices.ShouldHaveSingleItem().ShouldBeLessThanOrEqualTo(2);
    }

    [Fact]
    public void A_viewer_that_leaves_within_a_pass_takes_nobody_elses_turn()
    {
        using var rig = new ShardRig();
        var log = rig.AddLog("x", 0);
        log.Append("start"u8);
        var viewers = Enumerable.Range(0, 3 * Shard.SliceViewers).Select(_ => rig.AddViewer(log)).ToList();
        log.Append("more"u8);

        var random = new Random(1);
        while (!log.Subscription.RunSlice(NodeClock.Micros))
        {
            for (var i = 0; i < 20; i++)
            {
                var leaves = random.Next(viewers.Count);
                viewers[leaves].Close("leaves");
                viewers.RemoveAt(leaves);
            }
        }

        viewers.ShouldAllBe(viewer => viewer.BytesOut == log.Wire.Committed);
        rig.Shard.ConnectionCount.ShouldBe(viewers.Count);
    }

    private static int CommitOneByOne(RigLog log, RigViewer viewer, int rounds)
    {
        var clock = new Stopwatch();
        for (var round = 0; round < rounds; round++)
        {
            log.Append("0123456789"u8);
            for (clock.Restart(); viewer.BytesOut < log.Wire.Committed; Thread.Yield())
            {
                if (clock.Elapsed > Wait.Deadline)
                    return round;
            }
        }

        return rounds;
    }
}
