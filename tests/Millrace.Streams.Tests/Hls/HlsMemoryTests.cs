using Millrace.Streams.Buffers;
using Millrace.Streams.Hls;
using Millrace.Streams.Publishing;

namespace Millrace.Streams.Tests.Hls;

/// <summary>What goes when the media memory is used up, and in which order.</summary>
public sealed class HlsMemoryTests
{
    /// <summary>Bytes of a picture: 2 Mbit/s.</summary>
    private const int PictureBytes = 10_000;

    [Fact]
    public void Retained_objects_go_before_windows()
    {
        var rig = new HlsRig();
        Publish(rig).Run(2);
        var checker = rig.Watch();
        Watch(rig, 130, checker.Packager);
        var listed = checker.Read(HlsRig.Video).Segments.Count;
        rig.Stream.Budget[MemoryUse.RetainedObjects].Used.ShouldBeGreaterThan(0);
        checker.Packager.Listener = null;

        lock (rig.Live.Gate)
        {
            Shed(rig, ShedLevel.Idle).ShouldBe(0);
            Shed(rig, ShedLevel.Retained).ShouldBeGreaterThan(0);
            rig.Stream.Budget[MemoryUse.RetainedObjects].Used.ShouldBe(0);
            checker.Read(HlsRig.Video).Segments.Count.ShouldBe(listed);

            Shed(rig, ShedLevel.Windows).ShouldBeGreaterThan(0);
        }

        checker.Read(HlsRig.Video).Segments.Count.ShouldBe(3);
        checker.Read(HlsRig.Video).Duration.ShouldBeGreaterThanOrEqualTo(18_000_000);
        rig.Stream.Budget[MemoryUse.RetainedObjects].Used.ShouldBe(0);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(9)]
    [InlineData(14)]
    public void Little_memory_shortens_windows_and_then_makes_gaps_but_never_stops_the_publisher(int megabytes)
    {
        var rig = new HlsRig(budget: megabytes << 20);
        Publish(rig).Run(2);
        var packager = rig.Use();
        var transport = rig.Use(HlsFormat.TransportStream);
        Watch(rig, 90, packager, transport);

        var view = packager.Snapshot.Find(HlsRig.Video)!;
        view.Segments.Length.ShouldBeLessThan(10);
        new ReadPlaylist(System.Text.Encoding.UTF8.GetString(packager.Snapshot.Playlist(view, PlaylistForm.Full).Bytes)).Duration.ShouldBeGreaterThanOrEqualTo(18_000_000);
        if (megabytes == 5)
            view.Segments.ShouldContain(segment => segment.Parts.Take(segment.PartCount).Any(part => part.IsGap));

        // It ends as any other.
        rig.Source.Lease.End(isClean: true, rig.Stream.Now);
        rig.Idle(200);
        rig.Stream.Budget.Used.ShouldBe(0);
        transport.Memory.IsDrained.ShouldBeTrue();
    }

    [Fact]
    public void A_stream_whose_window_grows_takes_from_its_own_first_and_the_other_publishes_on()
    {
        var rig = new HlsRig(budget: 12 << 20);
        Publish(rig).Run(2);
        var packager = rig.Use();
        HlsPackager? others = null;
        var other = rig.Stream.Registry.Use(new StreamName("default", "live", "other"), 0, static (stream, _) => stream);
        var lease = other.TryAcquire(new PublisherInfo("2", "rtmp", "peer", DuplicatePolicy.Reject, 10_000_000), _ => { }, rig.Stream.Now, out _)!;
        var second = new MediaSource(rig.Stream, lease);
        second.Announce();
        for (var i = 0; i < 120; i++)
        {
            Watch(rig, 0.5, packager);
            second.Run(0.5);
            others = i < 2 ? null : other.UseHls(HlsFormat.LowLatency, rig.Stream.Now, out _).ShouldNotBeNull();
        }

        var view = others!.Snapshot.Find(HlsRig.Video)!;
        view.Segments.ShouldAllBe(segment => !segment.IsGap);
        view.DurationMicros.ShouldBeGreaterThanOrEqualTo(18_000_000);
    }

    [Fact]
    public void A_pinned_segment_outlives_its_removal_and_is_released_after()
    {
        var rig = new HlsRig();
        Publish(rig).Run(2);
        var packager = rig.Use();
        rig.Source.Run(10);
        var segment = packager.Snapshot.Find(HlsRig.Video)!.Segments[0];
        segment.TryPin().ShouldBeTrue();
        var hash = HlsSegment.Hash(segment.Bytes, 0, segment.Bytes.Head);

        rig.Source.Lease.End(isClean: true, rig.Stream.Now);
        rig.Idle(300);
        packager.FindSegment(HlsRig.Video, segment.Number).ShouldBeNull();
        rig.Stream.Budget.Used.ShouldBe(segment.Bytes.HeldBytes);
        rig.Stream.Budget[MemoryUse.RetainedObjects].Used.ShouldBe(segment.Bytes.HeldBytes);
        HlsSegment.Hash(segment.Bytes, 0, segment.Bytes.Head).ShouldBe(hash);

        segment.Unpin();
        rig.Stream.Budget.Used.ShouldBe(0);
        segment.TryPin().ShouldBeFalse();
    }

    [Fact]
    public void A_packager_that_stops_idling_gives_all_back()
    {
        var rig = new HlsRig(new HlsOptions { IdleMicros = 30_000_000 });
        Publish(rig).Run(2);
        rig.Use();
        rig.Use(HlsFormat.TransportStream);
        rig.Source.Run(31);
        rig.Live.HeldHlsBytes.ShouldBeGreaterThan(0);
        rig.Stream.Sweep();
        rig.Live.HeldHlsBytes.ShouldBe(0);
        rig.Stream.Budget[MemoryUse.HlsWindows].Used.ShouldBe(0);
        rig.Source.Run(5);
        rig.Live.HeldHlsBytes.ShouldBe(0);
    }

    [Fact]
    public void A_warm_app_packages_from_the_first_frame_on_and_never_stops()
    {
        var rig = new HlsRig(new HlsOptions { IsWarm = true, IdleMicros = 5_000_000 });
        rig.Publish().Run(90);
        rig.Stream.Sweep();
        rig.Live.FindHls(HlsFormat.LowLatency).ShouldBeNull("nobody has asked, so nothing is promised");
        rig.Use().Snapshot.Find(HlsRig.Video)!.Segments.Length.ShouldBe(10);
    }

    [Fact]
    public void Segments_that_are_kept_for_good_go_when_the_memory_is_needed()
    {
        var rig = new HlsRig(new HlsOptions { Ts = new TsOptions { KeepsRemoved = true } }, budget: 20 << 20);
        Publish(rig).Run(2);
        var packager = rig.Use(HlsFormat.TransportStream);
        Watch(rig, 20, packager);
        var first = packager.Snapshot.Renditions[0].Segments[0];
        Watch(rig, 300, packager);
        packager.FindSegment(HlsRig.Video, first.Name).ShouldBeNull();
        packager.Snapshot.Renditions[0].Segments.ShouldAllBe(segment => !segment.IsGap);
    }

    /// <summary>Plays on with viewers who ask all the time, within the budget.</summary>
    private static void Watch(HlsRig rig, double seconds, params HlsPackager[] packagers) => rig.Source.Run(seconds, () =>
    {
        rig.Stream.Budget.Used.ShouldBeLessThanOrEqualTo(rig.Stream.Budget.Limit);
        foreach (var packager in packagers)
            packager.LastUsed = rig.Stream.Now;
    });

    private static long Shed(HlsRig rig, ShedLevel level) => rig.Live.Shed(level, rig.Stream.Now, long.MaxValue);

    private static MediaSource Publish(HlsRig rig) => rig.Publish(lease => new MediaSource(rig.Stream, lease) { PictureBytes = PictureBytes });
}
