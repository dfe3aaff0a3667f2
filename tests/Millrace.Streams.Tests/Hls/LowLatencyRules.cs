using System.IO.Compression;
using System.Text;
using Millrace.Media;
using Millrace.Streams.Cuts;
using Millrace.Streams.Hls;

namespace Millrace.Streams.Tests.Hls;

/// <summary>
/// The requirements on a low-latency origin by their numbers, as far as they concern playlists and objects. Those on HTTP
/// are in the node's tests; what must hold of every single snapshot is in <see cref="PlaylistChecker"/>.
/// </summary>
public sealed class LowLatencyRules
{
    [Fact]
    public void L1_PART_INF_is_there_iff_parts_are()
    {
        var checker = Played(20, out _);
        checker.Read(HlsRig.Video).PartTarget.ShouldBeGreaterThan(0);
        var legacy = checker.Read(HlsRig.Video, PlaylistForm.Legacy);
        legacy.PartTarget.ShouldBe(-1);
        legacy.All.ShouldAllBe(segment => segment.Parts.Count == 0);
        (legacy.Control, legacy.Hint, legacy.Reports.Count).ShouldBe(("", "", 0));
        legacy.Segments.Count.ShouldBe(checker.Read(HlsRig.Video).Segments.Count);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(8)]
    public void L3_PART_HOLD_BACK_is_what_the_setting_says(int parts)
    {
        var playlist = Played(20, out _, new HlsOptions { HoldBackParts = parts }).Read(HlsRig.Video);
        playlist.ControlMicros("PART-HOLD-BACK").ShouldBe(parts * playlist.PartTarget);
        playlist.Control.ShouldStartWith("CAN-BLOCK-RELOAD=YES,");
    }

    [Fact]
    public void L4_HOLD_BACK_is_left_to_its_default() =>
        Played(20, out _).Read(HlsRig.Video).Control.Replace("PART-HOLD-BACK", "").ShouldNotContain("HOLD-BACK");

    [Fact]
    public void L5_CAN_SKIP_UNTIL_is_six_target_durations()
    {
        var playlist = Played(20, out _).Read(HlsRig.Video);
        playlist.ControlMicros("CAN-SKIP-UNTIL").ShouldBe(36_000_000);
        playlist.Control.ShouldNotContain("CAN-SKIP-DATERANGES");
    }

    [Fact]
    public void L6_L7_TARGETDURATION_holds_for_the_looped_clip_whose_key_frames_are_irregular()
    {
        foreach (var isWarm in new[] { true, false })
        {
            var rig = new HlsRig(new HlsOptions { IsWarm = isWarm });
            var publisher = new ClipPublisher(rig.Stream);
            publisher.Send(to: 300);
            var checker = rig.Watch();
            var transport = rig.Watch(HlsFormat.TransportStream);
            publisher.Send(from: 300);
            for (var round = 1; round < 12; round++)
            {
                publisher.Shift += 10_020_000;
                publisher.Send(from: 3);
            }

            // What the checker holds every snapshot to is the point; here only that there was something to check.
            checker.Of(HlsRig.Video).Segments.Count.ShouldBeGreaterThan(10);
            transport.Of(HlsRig.Video).Segments.Count.ShouldBeGreaterThan(10);
            transport.Read(HlsRig.Video).Target.ShouldBe(checker.Read(HlsRig.Video).Target);
            checker.Of(HlsRig.Video).ShouldHaveFullParts();
        }
    }

    [Theory]
    [InlineData(30)]
    [InlineData(0)]
    [InlineData(12)]
    public void L7_no_segment_is_longer_whatever_the_key_interval(int seconds)
    {
        var rig = new HlsRig();
        rig.Publish(lease => new MediaSource(rig.Stream, lease) { Group = seconds * 25 }).Run(2);
        var checker = rig.Watch();
        rig.Source.Run(90);
        checker.Read(HlsRig.Video).Target.ShouldBe(6);
        checker.Of(HlsRig.Video).Segments.Count.ShouldBeGreaterThan(12);
        checker.Of(HlsRig.Video).ShouldHaveFullParts();
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public void L7_no_segment_of_sound_is_longer_though_frames_of_it_are_missing_everywhere(int kept)
    {
        var rig = new HlsRig();
        rig.Publish(lease => new MediaSource(rig.Stream, lease) { Group = 0, IsSoundLost = time => time / 23_220 % kept != 0 }).Run(2);
        var checker = rig.Watch();
        rig.Source.Run(120);
        checker.Read(HlsRig.Audio).Target.ShouldBe(6);
        checker.Of(HlsRig.Audio).Segments.Count.ShouldBeGreaterThan(16);
        Math.Abs(checker.Of(HlsRig.Audio).Segments.Sum(segment => segment.Micros) - checker.Of(HlsRig.Video).Segments.Sum(segment => segment.Micros)).ShouldBeLessThan(150_000);
    }

    [Fact]
    public void L8_parts_and_segments_come_in_time()
    {
        var rig = new HlsRig();
        rig.Publish().Run(2);
        var checker = rig.Watch();
        var (parts, lastPart, segments, lastSegment) = (0, rig.Stream.Now, 0, rig.Stream.Now);
        rig.Source.Run(60, () =>
        {
            if (checker.Of(HlsRig.Video).Parts.Count > parts)
            {
                (parts > 0 && rig.Stream.Now - lastPart > checker.Read(HlsRig.Video).PartTarget + 40_000).ShouldBeFalse();
                (parts, lastPart) = (checker.Of(HlsRig.Video).Parts.Count, rig.Stream.Now);
            }

            if (checker.Of(HlsRig.Video).Segments.Count > segments)
            {
                (segments > 0 && rig.Stream.Now - lastSegment > 9_000_000).ShouldBeFalse();
                (segments, lastSegment) = (checker.Of(HlsRig.Video).Segments.Count, rig.Stream.Now);
            }
        });
        segments.ShouldBeGreaterThan(8);
    }

    [Fact]
    public void L9_L10_a_window_slides_by_one_segment_and_keeps_three_target_durations()
    {
        foreach (var segments in new[] { 3, 10 })
        {
            var rig = new HlsRig(new HlsOptions { Segments = segments });
            rig.Publish(lease => new MediaSource(rig.Stream, lease) { Group = 100 }).Run(2);
            var checker = rig.Watch();
            rig.Source.Run(120);
            var playlist = checker.Read(HlsRig.Video);
            playlist.Type.ShouldBeEmpty();
            // Segments of 4 s: three of them would be less than three target durations of 6 s.
            playlist.Segments.Count.ShouldBe(segments == 3 ? 5 : 10);
            playlist.Sequence.ShouldBe(checker.Of(HlsRig.Video).Segments[^1].Number + 1 - playlist.Segments.Count);
        }
    }

    [Fact]
    public void L11_a_removed_segment_stays_for_its_duration_and_that_of_its_longest_playlist_and_no_longer()
    {
        var rig = new HlsRig();
        rig.Publish().Run(2);
        var checker = rig.Watch();
        rig.Source.Run(150);
        var packager = checker.Packager;
        var first = checker.Read(HlsRig.Video).Sequence;
        packager.FindSegment(HlsRig.Video, first - 1).ShouldNotBeNull();
        packager.FindSegment(HlsRig.Video, 0).ShouldBeNull();
        packager.FindSegment(HlsRig.Video, first - 13).ShouldBeNull();
        rig.Stream.Budget[Buffers.MemoryUse.RetainedObjects].Used.ShouldBeGreaterThan(0);
    }

    [Fact]
    public void L12_parts_leave_the_playlist_three_target_durations_from_its_end_and_stay_fetchable()
    {
        var checker = Played(60, out _);
        var playlist = checker.Read(HlsRig.Video);
        playlist.Segments.Count(segment => segment.Parts.Count > 0).ShouldBeInRange(2, 3);
        var old = checker.Packager.FindSegment(HlsRig.Video, playlist.Segments[^4].Number)!;
        playlist.Segments[^4].Parts.ShouldBeEmpty();
        checker.Packager.Snapshot.TryFindPart(old, HlsRig.Video, 0, out var part).ShouldBeTrue();
        part.Length.ShouldBeGreaterThan(0);
    }

    [Fact]
    public void L13_a_new_picture_size_is_a_discontinuity_and_a_new_map_at_the_same_segment_of_all_renditions()
    {
        var rig = new HlsRig();
        rig.Publish().Run(2);
        var checker = rig.Watch();
        rig.Source.Run(20);
        rig.Source.Lease.SetConfig(0, Sized(1));
        rig.Source.Run(20);

        var segments = checker.Of(HlsRig.Video).Segments;
        segments.Select(segment => segment.Map).Distinct().Count().ShouldBe(2);
        segments.Select(segment => segment.Discontinuity).Distinct().ShouldBe([0, 1]);
        segments.First(segment => segment.Discontinuity == 1).Map.ShouldNotBe(segments[0].Map);
        checker.Text(HlsRig.Audio).Split("#EXT-X-DISCONTINUITY\n").Length.ShouldBe(2);
    }

    [Fact]
    public void L13_parameters_of_the_same_size_are_a_new_map_without_a_discontinuity()
    {
        var rig = new HlsRig();
        rig.Publish().Run(2);
        var checker = rig.Watch();
        rig.Source.OnKey = number => rig.Source.Lease.SetConfig(0, SameSize((int)(number / 50 % 7)));
        rig.Source.Run(60);

        var segments = checker.Of(HlsRig.Video).Segments;
        segments.Zip(segments.Skip(1)).ShouldAllBe(pair => pair.First.Map != pair.Second.Map);
        segments.ShouldAllBe(segment => segment.Discontinuity == 0 && segment.Micros <= 2_100_000);
        segments.ShouldAllBe(segment => InitOf(checker.Packager, segment) != null);
    }

    [Fact]
    public void L13_other_parameters_of_sound_begin_a_segment()
    {
        var rig = new HlsRig();
        rig.Publish().Run(2);
        var checker = rig.Watch();
        rig.Source.Run(7.3);
        rig.Source.Lease.SetConfig(0, Mono());
        rig.Source.Run(20);

        var segments = checker.Of(HlsRig.Audio).Segments;
        segments.Select(segment => segment.Map).Distinct().Count().ShouldBe(2);
        segments.Sum(segment => checker.Of(HlsRig.Audio).Samples(segment.Number).Count).ShouldBeGreaterThan((int)(segments.Sum(segment => segment.Micros) / 23_300));
    }

    [Fact]
    public void L14_dates_follow_the_durations_and_agree_with_the_wall_clock()
    {
        var checker = Played(60, out var rig);
        foreach (var id in new[] { HlsRig.Video, HlsRig.Audio })
        {
            var segments = checker.Of(id).Segments;
            for (var i = 1; i < segments.Count; i++)
                (segments[i].Date!.Value - segments[i - 1].Date!.Value).TotalMicroseconds.ShouldBe(segments[i - 1].Micros, 2_000);
        }

        var end = checker.Of(HlsRig.Video).Segments[^1];
        var wall = DateTime.UnixEpoch.AddMicroseconds(rig.Stream.Now + 1_700_000_000_000_000);
        (wall - end.Date!.Value.AddMicroseconds(end.Micros)).TotalSeconds.ShouldBeInRange(0, 6.1);
    }

    [Fact]
    public void L15_a_segment_is_listed_when_it_is_whole()
    {
        var checker = Played(20, out _);
        var view = checker.Packager.Snapshot.Find(HlsRig.Video)!;
        view.HasSegment(view.LastSegment).ShouldBeTrue();
        view.HasSegment(view.LastSegment - 2).ShouldBeTrue();
        view.HasSegment(view.NextSegment).ShouldBeFalse();
    }

    [Fact]
    public void L16_a_part_behind_the_last_of_its_segment_is_the_first_of_the_next()
    {
        var checker = Played(20, out var rig);
        var view = checker.Packager.Snapshot.Find(HlsRig.Video)!;
        var parts = view.Segments[^1].PartCount;
        view.HasPart(view.LastSegment, parts - 1).ShouldBeTrue();
        view.HasPart(view.LastSegment, parts).ShouldBe(view.OpenParts > 0);
        view.HasPart(view.NextSegment, view.OpenParts - 1).ShouldBeTrue();
        view.HasPart(view.NextSegment, view.OpenParts).ShouldBeFalse();
        view.HasPart(view.NextSegment + 1, 0).ShouldBeFalse();
        view.HasPart(0, 1_000).ShouldBeTrue();

        // Until the very segment that has been asked for is complete, without a part of the next.
        RenditionView? seen = null;
        var asked = view.NextSegment;
        rig.Source.Run(10, () => seen ??= checker.Packager.Snapshot.Find(HlsRig.Video) is { LastSegment: var last, OpenParts: 0 } now && last == asked ? now : null);
        seen.ShouldNotBeNull().HasPart(asked, 1_000).ShouldBeFalse();
        seen.HasPart(asked, seen.Segments[^1].PartCount - 1).ShouldBeTrue();
    }

    [Fact]
    public void L22_a_delta_update_leaves_out_what_lies_behind_the_skip_boundary()
    {
        var checker = Played(100, out _, new HlsOptions { Segments = 14 });
        var full = checker.Read(HlsRig.Video);
        foreach (var (form, version) in new[] { (PlaylistForm.Delta, 9), (PlaylistForm.DeltaV2, 10) })
        {
            var delta = checker.Read(HlsRig.Video, form);
            delta.Version.ShouldBe(version);
            delta.Skipped.ShouldBe(full.Segments.Count - delta.Segments.Count);
            delta.Skipped.ShouldBeInRange(7, 9);
            delta.Segments.ConvertAll(segment => segment.Uri).ShouldBe(full.Segments.Skip(delta.Skipped).Select(segment => segment.Uri));
            delta.Duration.ShouldBeGreaterThanOrEqualTo(30_000_000);
            (delta.Sequence, delta.Hint, delta.Control).ShouldBe((full.Sequence, full.Hint, full.Control));
        }
    }

    [Fact]
    public void L22_a_young_playlist_has_nothing_to_skip_and_an_ended_one_skips_nothing()
    {
        var checker = Played(30, out var rig, new HlsOptions { Segments = 14 });
        checker.Read(HlsRig.Video, PlaylistForm.Delta).Skipped.ShouldBe(0);
        checker.Read(HlsRig.Video, PlaylistForm.Delta).Version.ShouldBe(6);
        rig.Source.Run(60);
        checker.Read(HlsRig.Video, PlaylistForm.Delta).Skipped.ShouldBeGreaterThan(0);
        rig.Source.Lease.End(isClean: true, rig.Stream.Now);
        rig.Idle(12);
        checker.Read(HlsRig.Video, PlaylistForm.Delta).IsEnded.ShouldBeTrue();
        checker.Read(HlsRig.Video, PlaylistForm.Delta).Skipped.ShouldBe(0);
    }

    [Fact]
    public void L24_nearly_every_hint_comes_true()
    {
        var checker = Played(60, out _);
        foreach (var id in new[] { HlsRig.Video, HlsRig.Audio })
            checker.Of(id).Hints.ShouldBeGreaterThanOrEqualTo(checker.Of(id).Parts.Count * 85 / 100);
    }

    [Fact]
    public void L27_a_playlist_comes_in_two_encodings_that_say_the_same()
    {
        var checker = Played(20, out _);
        var document = checker.Packager.Snapshot.Playlist(checker.Packager.Snapshot.Find(HlsRig.Video)!, PlaylistForm.Full);
        using var unzipped = new GZipStream(new MemoryStream(document.Gzip), CompressionMode.Decompress);
        new StreamReader(unzipped, Encoding.UTF8).ReadToEnd().ShouldBe(Encoding.UTF8.GetString(document.Bytes));
        document.GzipETag.ShouldNotBe(document.ETag);
        document.Gzip.Length.ShouldBeLessThan(document.Bytes.Length / 2);
    }

    [Fact]
    public void L32_strict_segments_all_begin_with_an_IDR_and_the_playlists_say_so()
    {
        var rig = new HlsRig(new HlsOptions { Cuts = new CutRule { IsStrict = true } });
        rig.Publish(lease => new MediaSource(rig.Stream, lease) { IsKey = number => number % 50 == 0 && (number < 400 || number > 700) }).Run(2);
        var checker = rig.Watch();
        rig.Source.Run(60);
        checker.Read(HlsRig.Video).IsIndependent.ShouldBeTrue();
        Master(checker).ShouldContain("#EXT-X-INDEPENDENT-SEGMENTS\n");
        foreach (var segment in checker.Of(HlsRig.Video).Segments.Where(segment => !segment.IsGap && segment.Number >= checker.Read(HlsRig.Video).Sequence))
            (checker.Of(HlsRig.Video).Samples(segment.Number)[0].Flags & 0x10000).ShouldBe(0u, segment.Uri);
    }

    [Fact]
    public void L32_without_strict_nothing_is_promised()
    {
        var checker = Played(20, out _);
        checker.Read(HlsRig.Video).IsIndependent.ShouldBeFalse();
        Master(checker).ShouldNotContain("INDEPENDENT");
    }

    [Fact]
    public void The_master_lists_pictures_with_their_sound()
    {
        var checker = Played(20, out _);
        var key = checker.Packager.Key;
        var lines = Master(checker).Split('\n');
        lines[0].ShouldBe("#EXTM3U");
        lines[1].ShouldBe("#EXT-X-VERSION:6");
        var media = ReadPlaylist.Attributes(lines.Single(line => line.StartsWith("#EXT-X-MEDIA:", StringComparison.Ordinal))["#EXT-X-MEDIA:".Length..]);
        media["URI"].ShouldBe($"chunklist_0_audio_{key}_llhls.m3u8");
        (media["TYPE"], media["DEFAULT"], media["CHANNELS"]).ShouldBe(("AUDIO", "YES", "2"));
        var variant = ReadPlaylist.Attributes(lines.Single(line => line.StartsWith("#EXT-X-STREAM-INF:", StringComparison.Ordinal))["#EXT-X-STREAM-INF:".Length..]);
        (variant["CODECS"], variant["RESOLUTION"], variant["AUDIO"]).ShouldBe(("avc1.42c01e,mp4a.40.2", "640x360", media["GROUP-ID"]));
        lines.ShouldContain($"chunklist_0_video_{key}_llhls.m3u8");

        // A peak that no listed segment passes.
        var peak = new[] { HlsRig.Video, HlsRig.Audio }.Sum(id => checker.Packager.Snapshot.Find(id)!.Segments.Max(segment => segment.Bytes.Head * 8_000_000 / segment.DurationMicros));
        long.Parse(variant["BANDWIDTH"], System.Globalization.CultureInfo.InvariantCulture).ShouldBeInRange(peak, peak * 12 / 10);
    }

    private static PlaylistChecker Played(double seconds, out HlsRig rig, HlsOptions? options = null)
    {
        rig = new HlsRig(options);
        rig.Publish().Run(2);
        var checker = rig.Watch();
        rig.Source.Run(seconds);
        return checker;
    }

    private static string Master(PlaylistChecker checker) => Encoding.UTF8.GetString(checker.Packager.Snapshot.Master(PlaylistForm.Full).Bytes);

    private static HlsInit? InitOf(HlsPackager packager, ReadSegment segment)
    {
        var words = segment.Map.Split('_');
        return packager.FindSegment(HlsRig.Video, segment.Number) is null
            ? new HlsInit(0, 0, [], "", "")
            : packager.FindInit(HlsRig.Video, int.Parse(words[2], System.Globalization.CultureInfo.InvariantCulture), int.Parse(words[3], System.Globalization.CultureInfo.InvariantCulture), words[5]);
    }

    internal static Config Sized(int number) => Changed(number, 1_280);

    internal static Config Mono() => new()
    {
        Codec = Codec.Aac,
        InitData = new byte[] { 0x12, 0x08, 0x56, 0xE5, 0x00 },
        CodecString = "mp4a.40.2",
        SampleRate = 44_100,
        Channels = 1,
        SamplesPerFrame = 1_024,
    };

    internal static Config SameSize(int number) => Changed(number, TestStream.H264Config.Width);

    private static Config Changed(int number, int width)
    {
        var old = TestStream.H264Config;
        var data = old.InitData.ToArray();
        data[^1] = (byte)number;
        return new Config
        {
            Codec = Codec.H264,
            InitData = data,
            CodecString = old.CodecString,
            Width = width,
            Height = old.Height,
            FrameRate = old.FrameRate,
            NalLengthSize = old.NalLengthSize,
        };
    }
}
