using Millrace.Streams.Buffers;
using Millrace.Streams.Hls;

namespace Millrace.Streams.Tests.Hls;

/// <summary>A publisher that goes, comes back, is replaced, or stays away.</summary>
public sealed class ReconnectTests
{
    [Theory]
    [InlineData(true, 0.1)]
    [InlineData(false, 2.7)]
    [InlineData(true, 8.0)]
    public void A_reconnect_within_the_grace_is_one_discontinuity_and_the_sequence_goes_on(bool isClean, double seconds)
    {
        var rig = new HlsRig();
        rig.Publish().Run(2);
        var checker = rig.Watch();
        var transport = rig.Watch(HlsFormat.TransportStream);
        rig.Source.Run(15.3);
        var last = checker.Packager.Snapshot.Find(HlsRig.Video)!.NextSegment;
        rig.Source.Lease.End(isClean, rig.Stream.Now);
        rig.Idle(seconds);
        rig.Publish().Run(21);

        foreach (var history in new[] { checker.Of(HlsRig.Video), checker.Of(HlsRig.Audio), transport.Of(HlsRig.Video) })
        {
            history.Segments.Select(segment => segment.Discontinuity).Distinct().ShouldBe([0, 1]);
            // The segment that the publisher left is complete, the next number is the new one's.
            history.Segments.First(segment => segment.Discontinuity == 1).Number.ShouldBe(last + 1);
        }

        checker.Text(HlsRig.Video).Split("#EXT-X-DISCONTINUITY\n").Length.ShouldBe(2);
    }

    [Fact]
    public void A_publisher_whose_picture_of_another_size_is_refused_and_who_comes_back_is_one_discontinuity()
    {
        var rig = new HlsRig();
        rig.Publish().Run(2);
        var (checker, transport) = (rig.Watch(), rig.Watch(HlsFormat.TransportStream));
        rig.Source.Run(15);
        var account = rig.Stream.Budget[MemoryUse.JitterBuffers];
        var room = rig.Stream.Budget.Limit - rig.Stream.Budget.Used;
        account.TryCharge(room).ShouldBeTrue();
        rig.Source.Lease.SetConfig(0, LowLatencyRules.Sized(1));
        rig.Source.Lease.Append(Media.TrackKind.Video, 0, rig.Source.Time, 0, isKey: true, new byte[64 << 20], rig.Stream.Now).ShouldBe(Publishing.AppendResult.OutOfMemory);
        rig.Source.Lease.End(isClean: false, rig.Stream.Now);
        account.Release(room);
        rig.Idle(2);
        rig.Publish().Run(30);

        foreach (var history in new[] { checker.Of(HlsRig.Video), checker.Of(HlsRig.Audio), transport.Of(HlsRig.Video) })
        {
            history.Segments.Select(segment => segment.Discontinuity).Distinct().ShouldBe([0, 1]);
            history.Segments.ShouldAllBe(segment => segment.Micros > 0);
        }
    }

    [Fact]
    public void Sound_that_comes_later_than_the_picture_begins_its_segment_later()
    {
        const double LostMicros = 3 * 1_024 * 1_000_000.0 / 44_100;
        var rig = new HlsRig();
        rig.Publish().Run(2);
        var checker = rig.Watch();
        rig.Source.Run(10);
        rig.Source.Lease.End(isClean: true, rig.Stream.Now);
        rig.Idle(3);
        rig.Publish(lease => new MediaSource(rig.Stream, lease) { IsSoundLost = static time => time < 69_000 }).Run(20);

        var (video, audio) = (After(HlsRig.Video), After(HlsRig.Audio));
        (audio[0].Date!.Value - video[0].Date!.Value).TotalMicroseconds.ShouldBe(LostMicros, 3_000);
        audio[0].Date!.Value.AddMicroseconds(audio[0].Micros).ShouldBe(audio[1].Date!.Value, TimeSpan.FromMilliseconds(3));
        (video[0].Micros - audio[0].Micros - LostMicros).ShouldBeInRange(-30_000, 30_000);

        List<ReadSegment> After(RenditionId id) => [.. checker.Of(id).Segments.Where(segment => segment.Discontinuity == 1)];
    }

    [Theory]
    [InlineData(0.02)]
    [InlineData(0.06)]
    [InlineData(0.3)]
    [InlineData(0.52)]
    public void What_a_publisher_left_lasts_as_long_as_its_samples(double seconds)
    {
        var rig = new HlsRig();
        rig.Publish().Run(2);
        var checker = rig.Watch();
        rig.Source.Run(8 + seconds);
        rig.Source.Lease.End(isClean: true, rig.Stream.Now);
        rig.Idle(1);
        rig.Publish().Run(12);

        foreach (var id in (RenditionId[])[HlsRig.Video, HlsRig.Audio])
        {
            var timescale = id == HlsRig.Video ? 90_000 : 44_100;
            foreach (var segment in checker.Of(id).Segments)
                (checker.Of(id).Samples(segment.Number).Sum(sample => (long)sample.Duration) * 1_000_000.0 / timescale).ShouldBe(segment.Micros, 50, $"segment {segment.Number} of {id}");
        }
    }

    [Fact]
    public void A_backlog_at_the_start_is_dated_by_what_its_first_part_has_shown()
    {
        const long Backlog = 900_000;
        var rig = new HlsRig();
        var origin = DateTime.UnixEpoch.AddMicroseconds(rig.Stream.Now + 1_700_000_000_000_000);
        // The first second of media comes within a tenth.
        rig.Publish(lease => new MediaSource(rig.Stream, lease) { FrameRate = 100, Group = 200, Sound = null, Clock = static time => time < 100_000 ? time * 10 : time + Backlog }).Run(2);
        var checker = rig.Watch();
        rig.Source.Run(20);

        var first = checker.Of(HlsRig.Video).Segments[0];
        // It was dated as the first frame arrived, 0.9 s after the sender took it; what came within its first part takes that much back.
        (first.Date!.Value - (origin - TimeSpan.FromMicroseconds(Backlog))).TotalSeconds.ShouldBeInRange(-0.05, 0.6);
        checker.Of(HlsRig.Video).Segments.Select(segment => segment.Discontinuity).Distinct().ShouldBe([0]);
    }

    [Theory]
    [InlineData(900)]
    [InlineData(-900)]
    public void A_clock_that_is_corrected_moves_no_date_by_more_than_a_frame(int lateMillis)
    {
        var rig = new HlsRig();
        // Its first frames come late, or in a burst: when the sender took them is known a second later.
        rig.Publish(lease => new MediaSource(rig.Stream, lease) { Clock = time => time + (time > 1_000_000 ? lateMillis * 1_000L : 0) }).Run(2);
        var checker = rig.Watch();
        rig.Source.Run(90);

        var segments = checker.Of(HlsRig.Video).Segments;
        segments.Count.ShouldBeGreaterThan(10);
        for (var i = 1; i < segments.Count; i++)
        {
            if (segments[i].Discontinuity == segments[i - 1].Discontinuity)
                (segments[i].Date!.Value - segments[i - 1].Date!.Value).TotalMicroseconds.ShouldBe(segments[i - 1].Micros, 41_000);
        }
    }

    [Fact]
    public void A_takeover_is_one_discontinuity()
    {
        var rig = new HlsRig();
        var old = rig.Publish();
        old.Run(2);
        var checker = rig.Watch();
        old.Run(9.5);
        var next = rig.Publish(duplicate: DuplicatePolicy.Takeover);
        next.Run(20);
        checker.Of(HlsRig.Video).Segments.Select(segment => segment.Discontinuity).Distinct().ShouldBe([0, 1]);
        checker.Of(HlsRig.Audio).Segments.Select(segment => segment.Discontinuity).Distinct().ShouldBe([0, 1]);
    }

    [Fact]
    public void Publishers_that_come_and_go_at_once_leave_a_sound_playlist()
    {
        var rig = new HlsRig();
        rig.Publish().Run(2);
        var checker = rig.Watch();
        for (var i = 0; i < 20; i++)
        {
            rig.Source.Lease.End(isClean: i % 2 == 0, rig.Stream.Now);
            rig.Idle(i % 3);
            rig.Publish().Run(0.01 + (i * 0.13));
        }

        rig.Source.Run(20);
        checker.Of(HlsRig.Video).Segments.Select(segment => segment.Discontinuity).ShouldBeInOrder();
        checker.Read(HlsRig.Video).All.Last().Discontinuity.ShouldBe(20);
    }

    [Fact]
    public void After_the_grace_the_playlist_ends_and_all_that_waits_is_answered()
    {
        var rig = new HlsRig();
        rig.Publish().Run(2);
        var checker = rig.Watch();
        var transport = rig.Watch(HlsFormat.TransportStream);
        rig.Source.Run(30.3);
        var view = checker.Packager.Snapshot.Find(HlsRig.Video)!;
        rig.Source.Lease.End(isClean: true, rig.Stream.Now);
        checker.Read(HlsRig.Video).IsEnded.ShouldBeFalse();
        checker.Packager.Snapshot.Find(HlsRig.Video)!.HasSegment(view.NextSegment).ShouldBeTrue("what came last is made available at once");
        rig.Idle(11);

        checker.Packager.Snapshot.IsEnded.ShouldBeTrue();
        foreach (var playlist in new[] { checker.Read(HlsRig.Video), checker.Read(HlsRig.Audio), transport.Read(HlsRig.Video) })
        {
            (playlist.IsEnded, playlist.Hint, playlist.Reports.Count).ShouldBe((true, "", 0));
            playlist.Duration.ShouldBeGreaterThan(32_000_000);
        }

        rig.Live.FindHls(HlsFormat.LowLatency).ShouldBeNull();
        rig.Live.FindHls(HlsFormat.LowLatency, checker.Packager.Key).ShouldBe(checker.Packager);
    }

    [Fact]
    public void Objects_of_an_ended_stream_can_be_fetched_for_their_time_and_then_all_memory_is_back()
    {
        var rig = new HlsRig();
        rig.Publish().Run(2);
        var checker = rig.Watch();
        rig.Watch(HlsFormat.TransportStream);
        rig.Source.Run(60);
        rig.Source.Lease.End(isClean: true, rig.Stream.Now);
        rig.Idle(12);
        var last = checker.Read(HlsRig.Video).Segments[^1];
        rig.Idle(55);
        checker.Packager.FindSegment(HlsRig.Video, last.Number).ShouldNotBeNull("L11: its duration and its playlist's");
        rig.Idle(40);
        checker.Packager.FindSegment(HlsRig.Video, last.Number).ShouldBeNull();
        rig.Live.FindHls(HlsFormat.LowLatency, checker.Packager.Key).ShouldBeNull();
        foreach (var account in rig.Stream.Budget.Accounts)
            account.Used.ShouldBe(0, account.Use.ToString());
        rig.Stream.Registry.Count.ShouldBe(0);
    }

    [Fact]
    public void A_new_Timeline_has_another_key_and_begins_at_0()
    {
        var rig = new HlsRig();
        rig.Publish().Run(2);
        var old = rig.Watch();
        rig.Source.Run(20);
        rig.Source.Lease.End(isClean: true, rig.Stream.Now);
        rig.Idle(12);
        rig.Publish().Run(2);
        var checker = rig.Watch();
        rig.Source.Run(20);

        checker.Packager.Key.ShouldNotBe(old.Packager.Key);
        checker.Of(HlsRig.Video).Segments[0].Number.ShouldBe(0);
        rig.Live.FindHls(HlsFormat.LowLatency, old.Packager.Key).ShouldBe(old.Packager);
        rig.Live.FindHls(HlsFormat.LowLatency, checker.Packager.Key).ShouldBe(checker.Packager);
        rig.Live.FindHls(HlsFormat.LowLatency).ShouldBe(checker.Packager);
        old.Packager.Timeline.ContentKey(0).ShouldNotBe(checker.Packager.Timeline.ContentKey(0));
    }

    [Fact]
    public void Sound_that_comes_or_goes_with_an_Era_keeps_the_numbers_of_both_playlists_together()
    {
        var rig = new HlsRig();
        rig.Publish(lease => new MediaSource(rig.Stream, lease) { Sound = null }).Run(2);
        var checker = rig.Watch();
        rig.Source.Run(14);
        foreach (var hasSound in new[] { true, false, true })
        {
            rig.Source.Lease.End(isClean: false, rig.Stream.Now);
            rig.Idle(1);
            rig.Publish(lease => new MediaSource(rig.Stream, lease) { Sound = hasSound ? TestStream.AacConfig : null }).Run(14);
        }

        var (pictures, sound) = (checker.Of(HlsRig.Video).Segments, checker.Of(HlsRig.Audio).Segments);
        sound[^1].Number.ShouldBe(pictures[^1].Number);
        sound[0].Number.ShouldBe(pictures.First(segment => segment.Discontinuity == 1).Number);
        sound.Count(segment => segment.IsGap).ShouldBeInRange(2, 4);
    }

    [Theory]
    [InlineData("half speed")]
    [InlineData("jumps")]
    [InlineData("jumps back")]
    [InlineData("stands still")]
    [InlineData("double speed")]
    public void A_clock_that_is_wrong_breaks_no_rule(string what)
    {
        var rig = new HlsRig();
        rig.Publish(lease => new MediaSource(rig.Stream, lease) { Pace = what switch { "half speed" => 2, "double speed" => 0.5, _ => 1 } }).Run(2);
        var checker = new PlaylistChecker(rig.Use(), () => rig.Stream.Now) { IsTimeSteady = false };
        rig.Source.Clock = what switch
        {
            "jumps" => time => time + (time / 10_000_000 * 7_000_000),
            "jumps back" => time => time - (time / 10_000_000 * 4_000_000),
            "stands still" => time => Math.Min(time, 20_000_000),
            _ => static time => time,
        };
        rig.Source.Run(60);
        checker.Of(HlsRig.Video).Segments.Count.ShouldBeGreaterThan(what == "stands still" ? 2 : 5);
        if (what != "stands still")
            checker.Read(HlsRig.Video).All.Last().Discontinuity.ShouldBeGreaterThan(0);
    }

    [Fact]
    public void A_hole_of_minutes_is_not_filled()
    {
        var rig = new HlsRig();
        rig.Publish().Run(2);
        var checker = rig.Watch();
        rig.Source.IsPictureLost = rig.Source.IsSoundLost = static time => time is > 20_000_000 and < 200_000_000;
        rig.Source.Run(240);
        checker.Of(HlsRig.Video).Parts.Count(part => part.Part.IsGap).ShouldBeLessThan(20);
        checker.Of(HlsRig.Video).Segments.Select(segment => segment.Discontinuity).Distinct().ShouldBe([0, 1]);
    }

    [Fact]
    public void The_retained_account_is_what_left_the_playlists()
    {
        var rig = new HlsRig();
        rig.Publish().Run(2);
        rig.Watch();
        rig.Source.Run(50);
        rig.Stream.Budget[MemoryUse.RetainedObjects].Used.ShouldBe(0);
        rig.Source.Run(60);
        rig.Stream.Budget[MemoryUse.RetainedObjects].Used.ShouldBeGreaterThan(0);
        rig.Stream.Budget[MemoryUse.HlsWindows].Used.ShouldBeGreaterThan(0);
        (rig.Stream.Budget[MemoryUse.RetainedObjects].Used + rig.Stream.Budget[MemoryUse.HlsWindows].Used).ShouldBe(rig.Live.HeldHlsBytes);
    }
}
