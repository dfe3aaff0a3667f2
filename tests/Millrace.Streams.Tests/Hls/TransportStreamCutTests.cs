using Millrace.Media.Tests.MpegTs;
using Millrace.Streams.Cuts;
using Millrace.Streams.Hls;

namespace Millrace.Streams.Tests.Hls;

/// <summary>MPEG-TS HLS that is cut by a rule of its own, beside LL-HLS, while the publisher does what it should not.</summary>
public sealed class TransportStreamCutTests
{
    private const int Pictures = 0x100;

    private static readonly CutRule After = new() { Mode = CutMode.After, SegmentMicros = 4_000_000, PartMicros = 0 };

    [Theory]
    [InlineData("nothing", 0)]
    [InlineData("a short hole", 0)]
    [InlineData("a hole of a segment", 0)]
    [InlineData("a hole of minutes", 1)]
    [InlineData("pictures stall", 0)]
    [InlineData("sound stalls", 0)]
    [InlineData("another size", 1)]
    [InlineData("other parameters", 0)]
    [InlineData("a pause", 1)]
    [InlineData("a pause and another size", 1)]
    [InlineData("a takeover", 1)]
    [InlineData("a clock that jumps", 1)]
    public void Both_forms_are_sound_and_have_the_same_discontinuities(string what, int breaks)
    {
        var rig = new HlsRig(new HlsOptions { Ts = new TsOptions { Cuts = After, WindowMicros = 600_000_000 }, Segments = 100 });
        rig.Publish().Run(5);
        var checker = new PlaylistChecker(rig.Use(), () => rig.Stream.Now) { IsTimeSteady = what != "a clock that jumps" };
        var transport = rig.Watch(HlsFormat.TransportStream);
        rig.Source.Run(8.3);
        Disturb(rig, what);
        rig.Source.Run(30);

        foreach (var history in new[] { checker.Of(HlsRig.Video), transport.Of(HlsRig.Video) })
            history.Segments.Select(segment => segment.Discontinuity).Distinct().ShouldBe(Enumerable.Range(0, breaks + 1).Select(n => (long)n));
        var segments = transport.Of(HlsRig.Video).Segments;
        segments.Count(segment => Math.Abs(segment.Micros - 4_000_000) < 50_000).ShouldBeGreaterThanOrEqualTo(4, "its own rule is what it is cut by");
        segments.Where(segment => !segment.IsGap).ShouldAllBe(segment => IsWhole(transport, segment));
        if (what is "nothing" or "sound stalls" or "another size" or "other parameters")
            segments.Sum(segment => CountPictures(transport, segment)).ShouldBe((int)(segments.Sum(segment => segment.Micros) / 40_000), "no picture is lost");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Strict_segments_hold_no_picture_before_a_key_frame_though_the_publisher_stops_sending_them(bool hasOwnCuts)
    {
        var rule = new CutRule { IsStrict = true, PartMicros = hasOwnCuts ? 0 : 500_000, SegmentMicros = hasOwnCuts ? 4_000_000 : 6_000_000 };
        var rig = new HlsRig(hasOwnCuts ? new HlsOptions { Segments = 40, Ts = new TsOptions { Cuts = rule } } : new HlsOptions { Segments = 40, Cuts = rule });
        rig.Publish(lease => new MediaSource(rig.Stream, lease) { IsKey = static number => number % 50 == 0 && number is < 400 or > 700 }).Run(2);
        var transport = rig.Watch(HlsFormat.TransportStream);
        rig.Source.Run(60);

        transport.Read(HlsRig.Video).IsIndependent.ShouldBeTrue();
        var segments = transport.Of(HlsRig.Video).Segments;
        foreach (var segment in segments.Where(segment => !segment.IsGap))
            Read(transport, segment).Pes(Pictures).Take(1).ShouldAllBe(pes => pes.IsRandomAccess, segment.Uri);
        segments.Count(segment => CountPictures(transport, segment) == 0).ShouldBeInRange(1, 4, "from the hard cut to the next key frame");
        segments.Sum(segment => CountPictures(transport, segment)).ShouldBeGreaterThan(1_000);
    }

    [Fact]
    public void Without_strict_a_segment_that_was_cut_hard_begins_with_what_came()
    {
        var rig = new HlsRig(new HlsOptions { Ts = new TsOptions { Cuts = After } });
        rig.Publish(lease => new MediaSource(rig.Stream, lease) { Group = 0 }).Run(5);
        var transport = rig.Watch(HlsFormat.TransportStream);
        rig.Source.Run(30);

        transport.Read(HlsRig.Video).IsIndependent.ShouldBeFalse();
        var segments = transport.Of(HlsRig.Video).Segments;
        segments.Skip(1).ShouldAllBe(segment => !Read(transport, segment).Pes(Pictures)[0].IsRandomAccess);
        segments.Sum(segment => CountPictures(transport, segment)).ShouldBe((int)(segments.Sum(segment => segment.Micros) / 40_000));
    }

    [Fact]
    public void Plain_names_mean_the_stream_that_ended_until_they_have_had_their_time()
    {
        var rig = new HlsRig(new HlsOptions { Ts = new TsOptions { HasPlainNames = true } });
        rig.Publish().Run(2);
        var transport = rig.Watch(HlsFormat.TransportStream);
        rig.Source.Run(40);
        rig.Live.FindEndedHls(HlsFormat.TransportStream).ShouldBeNull();
        rig.Source.Lease.End(isClean: true, rig.Stream.Now);
        rig.Live.FindEndedHls(HlsFormat.TransportStream).ShouldBeNull("it may come back");
        rig.Idle(11);

        var ended = rig.Live.FindEndedHls(HlsFormat.TransportStream).ShouldNotBeNull();
        ended.ShouldBe(transport.Packager);
        var listed = transport.Read(HlsRig.Video);
        (listed.IsEnded, listed.Segments[0].Uri).ShouldBe((true, "test-0.ts"));
        foreach (var segment in listed.Segments)
            IsWhole(transport, segment).ShouldBeTrue(segment.Uri);

        rig.Idle(120);
        rig.Live.FindEndedHls(HlsFormat.TransportStream).ShouldBeNull();
        rig.Stream.Budget.Used.ShouldBe(0);
    }

    [Fact]
    public void Plain_names_mean_the_new_stream_as_soon_as_it_is_live()
    {
        var rig = new HlsRig(new HlsOptions { Ts = new TsOptions { HasPlainNames = true } });
        rig.Publish().Run(2);
        var first = rig.Watch(HlsFormat.TransportStream);
        rig.Source.Run(30);
        rig.Source.Lease.End(isClean: true, rig.Stream.Now);
        rig.Idle(11);
        rig.Publish().Run(2);
        rig.Live.FindEndedHls(HlsFormat.TransportStream).ShouldBeNull();
        rig.Live.FindHls(HlsFormat.TransportStream).ShouldBeNull("nobody has asked for it");
        var second = rig.Watch(HlsFormat.TransportStream);
        rig.Source.Run(30);

        rig.Live.FindHls(HlsFormat.TransportStream).ShouldBe(second.Packager);
        second.Read(HlsRig.Video).Segments[0].Uri.ShouldBe("test-0.ts");
        var (old, now) = (first.Packager.FindSegment(HlsRig.Video, 0).ShouldNotBeNull(), second.Packager.FindSegment(HlsRig.Video, 0).ShouldNotBeNull());
        old.ShouldNotBe(now, "one name, two things: what has a plain name is not to be cached");

        rig.Source.Lease.End(isClean: true, rig.Stream.Now);
        rig.Idle(11);
        rig.Live.FindEndedHls(HlsFormat.TransportStream).ShouldBe(second.Packager);
    }

    [Theory]
    [InlineData(nameof(HlsFormat.LowLatency))]
    [InlineData(nameof(HlsFormat.TransportStream))]
    public void Two_Timelines_lie_side_by_side_while_the_old_one_can_still_be_fetched(string name)
    {
        var format = Enum.Parse<HlsFormat>(name);
        var rig = new HlsRig(new HlsOptions { Ts = new TsOptions { Cuts = After, IsEncrypted = true } });
        rig.Publish().Run(6);
        var old = rig.Watch(format);
        rig.Source.Run(40);
        rig.Source.Lease.End(isClean: true, rig.Stream.Now);
        rig.Idle(11);
        var last = old.Packager.Snapshot.Renditions[0].Segments[^1];
        var hash = HlsSegment.Hash(last.Bytes, 0, last.Bytes.Head);
        var text = old.Text(HlsRig.Video);
        rig.Publish().Run(6);
        var current = rig.Watch(format);
        rig.Source.Run(20);

        rig.Live.FindHls(format, old.Packager.Key).ShouldBe(old.Packager);
        rig.Live.FindHls(format, current.Packager.Key).ShouldBe(current.Packager);
        old.Packager.FindSegment(HlsRig.Video, last.Name).ShouldBe(last);
        HlsSegment.Hash(last.Bytes, 0, last.Bytes.Head).ShouldBe(hash);
        old.Text(HlsRig.Video).ShouldBe(text);
        current.Of(HlsRig.Video).Segments[0].Number.ShouldBe(0);
        current.Read(HlsRig.Video).All.ShouldAllBe(segment => segment.Discontinuity == 0);
        rig.Live.HeldHlsBytes.ShouldBe(old.Packager.Memory.HeldBytes + current.Packager.Memory.HeldBytes);

        rig.Source.Run(100, () => rig.Stream.Sweep());
        rig.Live.FindHls(format, old.Packager.Key).ShouldBeNull();
        old.Packager.Memory.HeldBytes.ShouldBe(0);
        rig.Live.HeldHlsBytes.ShouldBe(current.Packager.Memory.HeldBytes);
        current.Of(HlsRig.Video).Segments.Count.ShouldBeGreaterThan(15);
    }

    private static void Disturb(HlsRig rig, string what)
    {
        var from = rig.Source.Time;
        Func<long, bool> Lost(double seconds) => time => time >= from && time < from + (seconds * 1e6);
        switch (what)
        {
            case "a short hole":
                rig.Source.IsPictureLost = rig.Source.IsSoundLost = Lost(1.5);
                break;
            case "a hole of a segment":
                rig.Source.IsPictureLost = rig.Source.IsSoundLost = Lost(5);
                break;
            case "a hole of minutes":
                rig.Source.IsPictureLost = rig.Source.IsSoundLost = Lost(150);
                rig.Source.Run(150);
                break;
            case "pictures stall":
                rig.Source.IsPictureLost = Lost(9);
                rig.Source.Run(9);
                break;
            case "sound stalls":
                rig.Source.IsSoundLost = Lost(9);
                rig.Source.Run(9);
                break;
            case "another size":
                rig.Source.Lease.SetConfig(0, LowLatencyRules.Sized(1));
                break;
            case "other parameters":
                rig.Source.Lease.SetConfig(0, LowLatencyRules.SameSize(1));
                break;
            case "a clock that jumps":
                rig.Source.Clock = time => time + (time >= from ? 20_000_000 : 0);
                break;
            case "a takeover":
                rig.Publish(duplicate: DuplicatePolicy.Takeover);
                break;
            case "a pause" or "a pause and another size":
                rig.Source.Lease.End(isClean: false, rig.Stream.Now);
                rig.Idle(3);
                rig.Publish(lease => new MediaSource(rig.Stream, lease) { Picture = what == "a pause" ? TestStream.H264Config : LowLatencyRules.Sized(1) });
                break;
        }
    }

    private static TsReader Read(PlaylistChecker transport, ReadSegment segment)
    {
        var found = transport.Packager.FindSegment(HlsRig.Video, segment.Number).ShouldNotBeNull();
        return new TsReader(RenditionHistory.Slice(found, 0, found.Bytes.Head));
    }

    /// <summary>It begins with its tables and its counters at 0, and its pictures follow each other.</summary>
    private static bool IsWhole(PlaylistChecker transport, ReadSegment segment)
    {
        var reader = Read(transport, segment);
        reader.ShouldBeContinuous();
        var times = reader.Pes(Pictures).ConvertAll(static pes => pes.Dts ?? pes.Pts);
        return times.Zip(times.Skip(1)).All(static pair => pair.Second > pair.First);
    }

    private static int CountPictures(PlaylistChecker transport, ReadSegment segment) => segment.IsGap ? 0 : Read(transport, segment).Pes(Pictures).Count;
}
