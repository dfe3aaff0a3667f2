using Millrace.Media.Flv;
using Millrace.Streams.Buffers;
using Millrace.Streams.Wire;
using Millrace.Testing;

namespace Millrace.Streams.Tests;

public sealed class WireLogTests
{
    private static readonly WireKey Flv = WireKey.Flv(FlvForm.Legacy);

    [Fact]
    public void The_floor_follows_time_and_bytes_and_the_newest_key_frame_stays()
    {
        var stream = new TestStream(new StreamOptions { WireLimits = new WireLimits(2_000, 1 << 30) });
        using var viewer = new WireViewer(stream, Flv);
        var publisher = stream.Publish();
        publisher.Run(250, onFrame: () => viewer.Pull());
        var wire = viewer.Wire;
        Oldest(wire).DtsMillis.ShouldBeInRange(7_900, 8_000);

        publisher.Group = int.MaxValue;
        publisher.Run(250, onFrame: () => viewer.Pull());
        Oldest(wire).DtsMillis.ShouldBe(wire.Index[wire.JoinNumber].DtsMillis);
    }

    [Fact]
    public void The_limit_of_bytes_wins_over_the_newest_key_frame()
    {
        var stream = new TestStream(new StreamOptions { WireLimits = new WireLimits(1 << 30, 20_000) });
        using var viewer = new WireViewer(stream, Flv);
        var publisher = stream.Publish();
        publisher.Group = int.MaxValue;
        publisher.Run(250, onFrame: () => viewer.Pull());
        (viewer.Wire.Committed - viewer.Wire.Floor).ShouldBeLessThanOrEqualTo(20_000);
        viewer.Wire.JoinNumber.ShouldBe(-1);
        using var joiner = new WireViewer(stream, Flv);
        joiner.Pull().ShouldBe(0);
        publisher.Video(isKey: true);
        joiner.Pull().ShouldBeGreaterThan(0);
    }

    [Fact]
    public void What_a_late_reader_has_passed_is_given_back_even_when_nothing_more_comes()
    {
        var stream = new TestStream(new StreamOptions { WireLimits = new WireLimits(1_000, 1 << 30) });
        using var viewer = new WireViewer(stream, Flv);
        stream.Publish().Run(4_000);
        var held = stream.Live.HeldWireBytes;
        viewer.Pull();
        stream.Live.HeldWireBytes.ShouldBe(held);

        stream.Sweep();

        stream.Live.HeldWireBytes.ShouldBeLessThan(held / 4);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(5_000)]
    public void A_viewer_that_falls_below_the_floor_in_mid_message_skips_at_a_message_border(int taken)
    {
        foreach (var key in WireBytesTests.Keys)
        {
            var stream = new TestStream(new StreamOptions { WireLimits = new WireLimits(1_000, 1 << 30) });
            using var slow = new WireViewer(stream, key);
            var publisher = stream.Publish();
            publisher.Run(20);
            slow.Pull(taken);
            for (var i = 0; i < 40; i++)
                publisher.Run(25, onFrame: () => slow.Pull(0));
            slow.Cursor.Skips.ShouldBeGreaterThan(0);
            slow.Cursor.SkippedMessages.ShouldBeGreaterThan(100);
            slow.Cursor.SpillBytes.ShouldBeLessThan(2_000);
            slow.Pull();
            var video = slow.Messages().FindAll(message => message.Type == 9);
            // What follows the jump is the sequence header and a key frame of the newest group.
            var jump = video.FindLastIndex(message => message.Body[1] == 0);
            (video[jump + 1].Body[0] >> 4).ShouldBe(1);
            video[jump + 1].Timestamp.ShouldBeGreaterThan(38_000u);
            video.Skip(jump + 1).Zip(video.Skip(jump + 2)).ShouldAllBe(pair => pair.Second.Timestamp - pair.First.Timestamp == 40);
        }
    }

    [Fact]
    public void Control_bytes_go_out_at_message_borders_only()
    {
        var stream = new TestStream();
        using var viewer = new WireViewer(stream, Flv);
        var publisher = stream.Publish();
        byte[] control = [18, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xAB, 0, 0, 0, 12];
        var random = new Random(1);
        var inserted = 0;
        publisher.Run(300, onFrame: () =>
        {
            viewer.Pull(random.Next(1, 900));
            if (random.Next(5) != 0)
                return;
            viewer.Cursor.TryInsert(control).ShouldBeTrue();
            inserted++;
        });
        viewer.Pull();
        viewer.Messages().Count(message => message.Body is [0xAB]).ShouldBe(inserted);
    }

    [Fact]
    public void A_viewer_that_detaches_in_mid_message_gets_the_rest_of_it()
    {
        var stream = new TestStream();
        using var viewer = new WireViewer(stream, Flv);
        stream.Publish().Run(30);
        viewer.Pull(1_111);
        viewer.Cursor.TryDetach().ShouldBeTrue();
        viewer.Cursor.Lag.ShouldBe(0);
        viewer.Pull();
        viewer.Messages().Count.ShouldBeGreaterThan(2);
    }

    [Fact]
    public void Without_video_a_joiner_starts_2_s_back()
    {
        var stream = new TestStream();
        var publisher = stream.Publish(video: false);
        publisher.Run(250, video: false);
        using var first = new WireViewer(stream, Flv);
        publisher.Run(250, video: false);
        using var second = new WireViewer(stream, Flv);
        foreach (var viewer in new[] { first, second })
        {
            viewer.Pull();
            var audio = viewer.Messages().FindAll(message => message.Type == 8);
            (20_000 - audio[0].Timestamp).ShouldBeInRange(1_900u, viewer == first ? 12_100u : 2_100u);
        }
    }

    [Fact]
    public void An_audio_only_viewer_of_a_stream_with_video_joins_by_audio()
    {
        var stream = new TestStream();
        var publisher = stream.Publish();
        publisher.Run(100);
        using var viewer = new WireViewer(stream, Flv with { Tracks = WireTracks.AudioOnly });
        publisher.Run(100, onFrame: () => viewer.Pull());
        var messages = viewer.Messages();
        messages.ShouldNotContain(message => message.Type == 9);
        messages.Count(message => message.Type == 8).ShouldBeGreaterThan(150);
    }

    [Fact]
    public void A_viewer_that_came_before_the_start_misses_nothing_when_it_attaches_late()
    {
        var stream = new TestStream();
        var reader = new WireReaderStub();
        var wire = stream.Live.Attach(Flv, reader, out var fromEnd, out _)!;
        // The Era opens between the stream's answer and the cursor's start.
        stream.Publish().Run(30);
        using var cursor = new Cursor(stream.Budget[MemoryUse.Spills]);
        cursor.Attach(wire, fromEnd);
        cursor.Position.ShouldBe(0);
        cursor.Lag.ShouldBe(wire.Committed);
    }

    [Fact]
    public void Blocks_wait_for_the_slowest_reader_and_go_when_it_is_offline()
    {
        var stream = new TestStream(new StreamOptions { WireLimits = new WireLimits(100, 1 << 30) });
        using var fast = new WireViewer(stream, Flv);
        using var slow = new WireViewer(stream, Flv);
        var publisher = stream.Publish();
        publisher.Run(2_000, onFrame: () => fast.Pull());
        fast.Wire.Bytes.Tail.ShouldBe(0);
        slow.Publish(WireReader.Offline);
        publisher.Run(1, onFrame: () => fast.Pull());
        publisher.Run(1);
        fast.Wire.Bytes.HeldBytes.ShouldBeLessThanOrEqualTo(2 * BlockLog.BlockBytes);
        // Back online: its place is gone, and it does not look there.
        slow.Publish(slow.Cursor.Position);
        slow.Pull();
        slow.Received.ShouldNotContain(b => b == PinnedBlockPool.Scribble, "no byte of the test's messages is the scribble");
        slow.Messages().Count.ShouldBeGreaterThan(0);
    }

    [Fact]
    public void Without_budget_the_log_sheds_then_refuses_and_resumes_at_a_key_frame_with_its_announcement()
    {
        var stream = new TestStream(new StreamOptions { LogLimits = new Log.LogLimits(0, 1_000) });
        using var viewer = new WireViewer(stream, Flv);
        var publisher = stream.Publish();
        publisher.Run(30, onFrame: () => viewer.Pull());
        var room = stream.Budget.Limit - stream.Budget.Used;
        stream.Budget[MemoryUse.JitterBuffers].TryCharge(room).ShouldBeTrue();
        // No pass: the reader's slot holds everything.
        publisher.Group = 100;
        for (var i = 0; viewer.Wire.Refused == 0 && i < 3_000; i++)
        {
            publisher.Video(isKey: false);
            publisher.Sender += TestStream.Frame;
            stream.Now += TestStream.Frame;
        }

        viewer.Wire.Refused.ShouldBeGreaterThan(0);
        stream.Budget[MemoryUse.JitterBuffers].Release(room);
        publisher.Video(isKey: false);
        viewer.Wire.AwaitsJoinPoint.ShouldBeTrue();
        publisher.Video(isKey: true);
        viewer.Wire.AwaitsJoinPoint.ShouldBeFalse();
        viewer.Pull();
        var video = viewer.Messages().FindAll(message => message.Type == 9);
        video[^2].Body[1].ShouldBe((byte)0, "a sequence header");
        (video[^1].Body[0] >> 4).ShouldBe(1);
    }

    private static WireEntry Oldest(WireLog wire) => wire.Index[wire.Index.Find(wire.Floor)];
}
