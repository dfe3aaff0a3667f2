using Millrace.Node.Sessions;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;

namespace Millrace.Node.Tests.Shards;

/// <summary>A frame's way from a publisher's socket to 100 viewers' allocates nothing on a shard's thread.</summary>
public sealed class AllocationTests
{
    private const int ViewersOfEachKind = 50;

    /// <summary>Frames that are under way at most: on a busy machine the viewers set the pace, and none is left so far behind that he skips.</summary>
    private const int Round = 1_000;

    [Theory]
    [InlineData(1, 30)]
    [InlineData(2, 30)]
    [InlineData(1, 0)]
    public async Task Ten_thousand_frames_to_a_hundred_viewers_allocate_not_one_byte(int shards, int mergeMillis)
    {
        await using var node = await TestNode.StartAsync(settings => settings with
        {
            Shards = new ShardSettings { Count = shards },
            Merge = new MergeSettings { Default = TimeSpan.FromMilliseconds(mergeMillis) },
            // Logs that are full within the warm-up: their indexes grow up to then.
            Streams = new StreamSettings { LogDuration = TimeSpan.FromMilliseconds(700), WireDuration = TimeSpan.FromMilliseconds(700) },
            Hls = new HlsSettings { Segment = TimeSpan.FromSeconds(1) },
        });
        var publisher = await node.PublishAsync();
        var frames = new SyntheticFrames(publisher);
        frames.SendHeaders();
        frames.Send(20_000, size: 100, isPaced: false);
        using var crowd = new Crowd(node);
        for (var i = 0; i < ViewersOfEachKind; i++)
        {
            crowd.AddRtmp("live", "x");
            crowd.AddFlv("/live/x.flv");
        }

        crowd.Start();
        // Who comes later begins at a later key frame, and never has all that is sent.
        await Wait.Until(() => node.Node.Context.Sessions.All.Count(static session => session is { Role: SessionRole.Player, Traffic.BytesOut: > 0 }) == 2 * ViewersOfEachKind, "all are there");
        await WarmUpAsync(frames, crowd);

        var before = node.Node.Shards.Select(shard => shard.AllocatedBytes).ToArray();
        await SendAndDrainAsync(frames, crowd, 10_000);
        var after = node.Node.Shards.Select(shard => shard.AllocatedBytes).ToArray();

        after.ShouldBe(before);
        node.Node.Shards.Sum(shard => shard.ConnectionCount).ShouldBe((2 * ViewersOfEachKind) + 1);
        node.Node.Context.Sessions.All.Sum(session => session.Traffic!.Skips).ShouldBe(0);
    }

    /// <summary>
    /// Long enough for the compiler's last tier, and with larger frames than are measured, so that the block pool has grown
    /// to more than is needed later. How many entries the logs hold depends on how many frames the machine gets through in their
    /// time, so bursts before make their indexes larger than any pace later needs: here those of the wire logs, which keep 700 ms,
    /// and before the viewers came that of the stream log, which keeps two segments of 1 s and what lies 2 s before them.
    /// </summary>
    private static async Task WarmUpAsync(SyntheticFrames frames, Crowd crowd)
    {
        await SendAndDrainAsync(frames, crowd, 4_000, 100, isPaced: false);
        await SendAndDrainAsync(frames, crowd, 6_000, 2_500);
        await SendAndDrainAsync(frames, crowd, 16_000);
    }

    private static async Task SendAndDrainAsync(SyntheticFrames frames, Crowd crowd, int count, int size = 900, bool isPaced = true)
    {
        var sent = frames.SentBytes;
        var received = crowd.LeastReceived;
        for (; count > 0; count -= Round)
        {
            await Task.Run(() => frames.Send(Math.Min(count, Round), size, isPaced));
            await Wait.Until(() => crowd.LeastReceived - received >= frames.SentBytes - sent, "every viewer has every frame");
        }
    }
}
