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
