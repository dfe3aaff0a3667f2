using Millrace.Media.Flv;
using Millrace.Streams.Buffers;
using Millrace.Streams.Hls;
using Millrace.Streams.Publishing;
using Millrace.Streams.Tests.Hls;
using Millrace.Streams.Wire;

namespace Millrace.Streams.Tests;

/// <summary>What goes when all media memory is used up, in which order, and what that costs.</summary>
public sealed class ShedTests
{
    [Fact]
    public void What_is_cheapest_to_lose_goes_first_wherever_it_lies()
    {
        var rig = new ShedRig();
        var (asker, other) = (rig.Add("asker"), rig.Add("other"));
        rig.Publish(asker).Run(30);
        var source = rig.Publish(other);
        source.Run(2);
        var packager = other.UseHls(HlsFormat.LowLatency, rig.Stream.Now, out _)!;
        source.Run(130);
        packager.LastUsed = rig.Stream.Now;
        rig.LeaveWireLog(other);
        MemoryUse[] order = [MemoryUse.WireLogs, MemoryUse.RetainedObjects, MemoryUse.HlsWindows, MemoryUse.StreamLogs, MemoryUse.StreamLogs];
        foreach (var use in order)
        {
            var before = rig.Stream.Budget.Accounts.ToArray().ToDictionary(account => account.Use, account => account.Used);
            rig.Shed(asker).ShouldBeTrue();
            foreach (var account in rig.Stream.Budget.Accounts)
                (account.Used < before[account.Use]).ShouldBe(account.Use == use, $"{account.Use} when it was the turn of {use}");
        }

        rig.Shed(asker).ShouldBeFalse();
        packager.Snapshot.Find(HlsRig.Video)!.DurationMicros.ShouldBeGreaterThanOrEqualTo(18_000_000);
        foreach (var log in new[] { asker.Log!, other.Log! })
            log.First.ShouldBe(log.JoinNumber);
    }

    [Fact]
    public void Of_one_level_a_stream_gives_its_own_before_that_of_others()
    {
        var rig = new ShedRig();
        var streams = Enumerable.Range(0, 20).Select(i => rig.Add($"s{i}")).ToList();
        foreach (var stream in streams)
        {
            rig.Publish(stream).Run(3);
            rig.LeaveWireLog(stream);
        }

        rig.Shed(streams[13]).ShouldBeTrue();
        streams.FindAll(stream => stream.WireCount == 0).ShouldBe([streams[13]]);
    }

    [Fact]
    public void A_packager_that_nobody_can_be_waiting_for_goes_first_and_one_that_is_asked_for_or_kept_warm_stays()
    {
        var rig = new ShedRig(new HlsOptions { IsWarm = true, IdleMicros = 3_600_000_000 });
        var live = rig.Add("live");
        var source = rig.Publish(live);
        source.Run(2);
        var warm = live.UseHls(HlsFormat.LowLatency, rig.Stream.Now, out _)!;
        var asked = live.UseHls(HlsFormat.TransportStream, rig.Stream.Now, out _)!;
        source.Run(18.9);
        rig.Shed(live, 1);
        live.HlsFormats.ShouldBe([HlsFormat.LowLatency, HlsFormat.TransportStream]);

        source.Run(0.2);
        rig.Shed(live, 1).ShouldBeTrue();
        live.HlsFormats.ShouldBe([HlsFormat.LowLatency]);
        asked.Memory.HeldBytes.ShouldBe(0);
        warm.Memory.HeldBytes.ShouldBeGreaterThan(0);
    }

    [Fact]
    public void What_is_retained_goes_oldest_first_and_no_more_of_it_than_is_needed()
    {
        var rig = new ShedRig();
        var live = rig.Add("live");
        var source = rig.Publish(live);
        source.Run(2);
        var packager = live.UseHls(HlsFormat.LowLatency, rig.Stream.Now, out _)!;
        source.Run(130);
        packager.LastUsed = rig.Stream.Now;
        var oldest = packager.Snapshot.Find(HlsRig.Video)!.Segments[0].Number;
        while (packager.FindSegment(HlsRig.Video, oldest - 1) is not null)
            oldest--;
        var retained = rig.Used(MemoryUse.RetainedObjects);

        rig.Shed(live, 1).ShouldBeTrue();
        packager.FindSegment(HlsRig.Video, oldest).ShouldBeNull();
        packager.FindSegment(HlsRig.Video, oldest + 1).ShouldNotBeNull();
        rig.Used(MemoryUse.RetainedObjects).ShouldBeInRange(1, retained - 1);
    }

    [Theory]
    [InlineData(-600_000)]
    [InlineData(700_000)]
    public void A_log_down_to_one_group_of_pictures_still_has_all_that_is_to_be_packaged(long soundLate)
    {
        var rig = new HlsRig();
        rig.Publish(lease => new MediaSource(rig.Stream, lease) { SoundLate = soundLate, PictureBytes = 10_000 }).Run(2);
        var (checker, transport) = (rig.Watch(), rig.Watch(HlsFormat.TransportStream));
        var freed = 0L;
        rig.Source.Run(40, () =>
        {
            lock (rig.Live.Gate)
                freed += rig.Live.Shed(ShedLevel.Logs, rig.Stream.Now, long.MaxValue);
            rig.Live.Log!.JoinNumber.ShouldBeGreaterThanOrEqualTo(rig.Live.Log.First);
        });

        freed.ShouldBeGreaterThan(1 << 20);
        foreach (var history in new[] { checker.Of(HlsRig.Video), checker.Of(HlsRig.Audio) })
            history.Parts.Skip(1).ShouldAllBe(part => !part.Part.IsGap);
        transport.Of(HlsRig.Video).Segments.ShouldAllBe(segment => !segment.IsGap);
        (rig.Live.Log!.End - rig.Live.Log.First).ShouldBeLessThan(300, "2 s of pictures and sound, what sound waits for, and Marks");
    }

    [Fact]
    public void A_wire_log_down_to_one_group_of_pictures_lets_laggards_skip_and_the_others_go_on()
    {
        var stream = new TestStream();
        using var fast = new WireViewer(stream, WireKey.Flv(FlvForm.Enhanced));
        using var slow = new WireViewer(stream, WireKey.Flv(FlvForm.Enhanced));
        var publisher = stream.Publish();
        publisher.Run(260, onFrame: () => fast.Pull());
        slow.Pull(1_000);
        lock (stream.Live.Gate)
            stream.Live.Shed(ShedLevel.Logs, stream.Now, long.MaxValue);
        fast.Wire.Index[fast.Wire.Index.Find(fast.Wire.Floor)].DtsMillis.ShouldBe(10_000);

        publisher.Run(50, onFrame: () => fast.Pull());
        slow.Pull();
        (fast.Cursor.Skips, slow.Cursor.Skips).ShouldBe((0, 1));
        slow.Messages().FindAll(message => message.Type == 9)[^1].Timestamp.ShouldBe(fast.Messages().FindAll(message => message.Type == 9)[^1].Timestamp);
    }

    [Theory]
    [InlineData(6)]
    [InlineData(8)]
    [InlineData(12)]
    public void A_stream_that_runs_out_of_memory_in_the_middle_of_packaging_is_not_damaged(int megabytes)
    {
        var rig = new HlsRig(new HlsOptions { IdleMicros = 3_600_000_001 }, budget: megabytes << 20);
        rig.Publish(lease => new MediaSource(rig.Stream, lease) { PictureBytes = 8_000, SoundLate = -300_000 }).Run(2);
        var checker = new PlaylistChecker(rig.Use(), () => rig.Stream.Now) { IsTimeSteady = false };
        var viewer = new WireViewer(rig.Stream, WireKey.Flv(FlvForm.Enhanced));
        var frame = 0;
        rig.Source.Run(120, () =>
        {
            rig.Stream.Budget.Used.ShouldBeLessThanOrEqualTo(rig.Stream.Budget.Limit);
            viewer.Pull();
            checker.Packager.LastUsed = rig.Stream.Now;
            // Those come and are left again; they end in the middle of what the others do.
            if (++frame % 2_500 == 0)
                rig.Live.UseHls(HlsFormat.TransportStream, rig.Stream.Now, out _);
            if (frame % 700 == 0)
            {
                var reader = new WireReaderStub();
                rig.Live.Detach(rig.Live.Attach(WireKey.WsFlv(FlvForm.Enhanced), reader, out _, out _)!, reader, rig.Stream.Now);
            }
        });

        viewer.Cursor.Skips.ShouldBe(0);
        viewer.Messages().Count(message => message.Type == 9).ShouldBeGreaterThan(120 * 25);
        rig.Live.Detach(viewer.Wire, viewer, rig.Stream.Now);
        viewer.Dispose();
        rig.Source.Lease.End(isClean: true, rig.Stream.Now);
        rig.Idle(300);
        foreach (var account in rig.Stream.Budget.Accounts)
            account.Used.ShouldBe(0, account.Use.ToString());
    }

    [Fact]
    public void A_wire_log_takes_what_is_cheaper_to_lose_before_its_own_past()
    {
        var rig = new ShedRig();
        var (live, other) = (rig.Add("live"), rig.Add("other"));
        rig.Publish(other).Run(20);
        rig.LeaveWireLog(other);
        var source = rig.Publish(live);
        source.Run(2);
        var reader = new WireReaderStub();
        var wire = live.Attach(WireKey.Flv(FlvForm.Enhanced), reader, out _, out _)!;
        source.Run(6);
        var floor = wire.Floor;
        rig.Stream.Budget[MemoryUse.JitterBuffers].TryCharge(rig.Stream.Budget.Limit - rig.Stream.Budget.Used).ShouldBeTrue();
        source.Run(0.2);

        other.WireCount.ShouldBe(0);
        wire.Floor.ShouldBe(floor);
        wire.Refused.ShouldBe(0);
    }

    [Fact]
    public void A_wire_log_that_ends_while_a_frame_is_on_its_way_to_it_holds_nothing_after()
    {
        var rig = new ShedRig();
        var live = rig.Add("live");
        var source = rig.Publish(live);
        source.Run(2);
        var reader = new WireReaderStub();
        var wire = live.Attach(WireKey.Flv(FlvForm.Enhanced), reader, out _, out _)!;
        var idle = new WireReaderStub();
        var ended = live.Attach(WireKey.WsFlv(FlvForm.Enhanced), idle, out _, out _)!;
        live.Detach(ended, idle, rig.Stream.Now);
        source.Run(2);
        var jitter = rig.Stream.Budget.Limit - rig.Stream.Budget.Used;
        rig.Stream.Budget[MemoryUse.JitterBuffers].TryCharge(jitter).ShouldBeTrue();
        // Room for the stream's own log, so that it is the wire log which has none.
        for (var i = 0; live.WireCount == 2 && i < 100; i++)
        {
            rig.Stream.Budget[MemoryUse.JitterBuffers].Release(BlockLog.BlockBytes);
            live.Log!.Bytes.TryReserve(BlockLog.BlockBytes).ShouldBeTrue();
            source.Run(0.04);
        }

        live.WireCount.ShouldBe(1);
        ended.Bytes.HeldBytes.ShouldBe(0);
        wire.Refused.ShouldBe(0);
    }

    [Fact]
    public void A_packager_that_was_stopped_takes_nothing_more()
    {
        var rig = new HlsRig();
        rig.Publish().Run(2);
        var packagers = new[] { rig.Use(), rig.Use(HlsFormat.TransportStream) };
        rig.Source.Run(20);
        lock (rig.Live.Gate)
            rig.Live.Shed(ShedLevel.Idle, rig.Stream.Now, long.MaxValue).ShouldBeGreaterThan(0);
        foreach (var packager in packagers)
        {
            packager.OnEra(rig.Stream.Era, rig.Live.Log!);
            rig.Stream.Entries.ForEach(entry => packager.OnEntry(entry, rig.Live.Log!));
            packager.Memory.HeldBytes.ShouldBe(0);
        }

        rig.Live.HlsFormats.ShouldBeEmpty();
    }

    [Fact]
    public void A_log_that_grows_takes_its_own_past_before_that_of_others()
    {
        var rig = new ShedRig();
        var (live, other) = (rig.Add("live"), rig.Add("other"));
        rig.Publish(other).Run(20);
        var source = rig.Publish(live);
        source.Run(19);
        var (own, others) = (live.Log!.First, other.Log!.First);
        rig.Stream.Budget[MemoryUse.JitterBuffers].TryCharge(rig.Stream.Budget.Limit - rig.Stream.Budget.Used).ShouldBeTrue();
        for (var step = 0; live.Log.First == own && step < 50; step++)
            source.Run(0.04);

        live.Log.First.ShouldBe(live.Log.JoinNumber);
        other.Log.First.ShouldBe(others);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Where_nobody_has_anything_left_a_key_frame_takes_the_place_of_its_own_log_and_another_picture_is_refused(bool isKey)
    {
        var stream = new TestStream();
        var publisher = stream.Publish(audio: false);
        publisher.Lease.Promise(video: true, audio: false);
        publisher.Group = int.MaxValue;
        publisher.Run(1_000, audio: false);
        stream.Budget[MemoryUse.JitterBuffers].TryCharge(stream.Budget.Limit - stream.Budget.Used).ShouldBeTrue();
        var result = AppendResult.Done;
        for (var i = 0; result == AppendResult.Done && i < 1_000; i++, publisher.Sender += TestStream.Frame)
        {
            stream.Now += TestStream.Frame;
            result = publisher.Video(isKey);
        }

        result.ShouldBe(isKey ? AppendResult.Done : AppendResult.OutOfMemory);
        stream.Live.Log!.JoinNumber.ShouldBeGreaterThanOrEqualTo(stream.Live.Log.First);
    }

    [Fact]
    public void A_publisher_is_refused_only_when_shedding_has_made_no_room()
    {
        var rig = new ShedRig(budget: 20 << 20);
        var live = rig.Add("live");
        rig.Publish(live).Run(30);
        rig.LeaveWireLog(live);
        var kept = rig.Stream.Budget.Limit - rig.Stream.Budget.Used;
        rig.Stream.Budget[MemoryUse.JitterBuffers].TryCharge(kept).ShouldBeTrue();
        var info = new PublisherInfo("2", "rtmp", "peer", DuplicatePolicy.Reject, 0);

        rig.Add("new").TryAcquire(info, _ => { }, rig.Stream.Now, out _).ShouldNotBeNull();
        live.WireCount.ShouldBe(0);
        var room = rig.Stream.Budget.Limit - rig.Stream.Budget.Used;
        rig.Stream.Budget[MemoryUse.JitterBuffers].TryCharge(room).ShouldBeTrue();
        rig.Shed(live);
        rig.Add("next").TryAcquire(info, _ => { }, rig.Stream.Now + Shedder.RestMicros, out var refusal).ShouldBeNull();
        refusal.ShouldBe("the media memory budget is used up");
    }

    [Fact]
    public void A_segment_of_an_ended_stream_that_is_being_sent_stays_whatever_is_shed()
    {
        var rig = new HlsRig();
        rig.Publish().Run(2);
        var packager = rig.Use();
        rig.Source.Run(60);
        rig.Source.Lease.End(isClean: true, rig.Stream.Now);
        rig.Idle(12);
        var segment = packager.Snapshot.Find(HlsRig.Video)!.Segments[0];
        segment.TryPin().ShouldBeTrue();
        var hash = HlsSegment.Hash(segment.Bytes, 0, segment.Bytes.Head);
        lock (rig.Live.Gate)
        {
            for (var level = ShedLevel.Idle; level <= ShedLevel.Logs; level++)
                rig.Live.Shed(level, rig.Stream.Now, long.MaxValue);
        }

        rig.Stream.Budget.Used.ShouldBe(segment.Bytes.HeldBytes);
        HlsSegment.Hash(segment.Bytes, 0, segment.Bytes.Head).ShouldBe(hash);
        segment.Unpin();
        rig.Stream.Budget.Used.ShouldBe(0);
    }

    [Fact]
    public void When_memory_is_short_packaging_stops_as_soon_as_nobody_can_be_waiting()
    {
        foreach (var isShort in new[] { false, true })
        {
            var rig = new HlsRig(new HlsOptions { IdleMicros = 50_000_000 });
            rig.Publish().Run(2);
            rig.Use();
            rig.Source.Run(20);
            if (isShort)
                rig.Stream.Budget[MemoryUse.JitterBuffers].TryCharge(rig.Stream.Budget.Limit / 10 * 9).ShouldBeTrue();
            rig.Stream.Sweep();
            rig.Live.HlsFormats.Any().ShouldBe(!isShort);
        }
    }
}
