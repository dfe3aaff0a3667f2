using System.Security.Cryptography;
using Millrace.Media.Tests.MpegTs;
using Millrace.Streams.Cuts;
using Millrace.Streams.Hls;

namespace Millrace.Streams.Tests.Hls;

/// <summary>HLS with MPEG-TS segments.</summary>
public sealed class TransportStreamTests
{
    [Fact]
    public void Each_segment_stands_alone_and_together_they_hold_every_unit()
    {
        var rig = new HlsRig();
        rig.Publish(lease => new MediaSource(rig.Stream, lease) { HasReordering = true }).Run(0.5);
        var checker = rig.Watch(HlsFormat.TransportStream);
        rig.Source.Run(60);

        var pictures = 0;
        foreach (var segment in checker.Packager.Snapshot.Renditions[0].Segments)
        {
            var reader = Read(segment);
            reader.ShouldBeContinuous();
            pictures += reader.Packets.Count(packet => packet is { IsStart: true, Pid: 0x100 });
        }

        pictures.ShouldBe((int)(checker.Read(HlsRig.Video).Duration / 40_000));
        var playlist = checker.Read(HlsRig.Video);
        (playlist.Version, playlist.Control, playlist.Hint).ShouldBe((3, "", ""));
        playlist.Segments.ShouldAllBe(segment => segment.Uri.StartsWith($"test-{checker.Packager.Key}-", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void AES_segments_decrypt_with_the_key_that_the_playlist_names(int segmentsPerKey)
    {
        var rig = new HlsRig(new HlsOptions { Ts = new TsOptions { IsEncrypted = true, SegmentsPerKey = segmentsPerKey } });
        rig.Publish().Run(2);
        var checker = rig.Watch(HlsFormat.TransportStream);
        rig.Source.Run(50);

        foreach (var listed in checker.Read(HlsRig.Video).Segments)
        {
            var segment = checker.Packager.FindSegment(HlsRig.Video, listed.Number)!;
            var number = long.Parse(listed.Key[(listed.Key.LastIndexOf('-') + 1)..^4], System.Globalization.CultureInfo.InvariantCulture);
            checker.Packager.HasKey(number, checker.Packager.Key).ShouldBeTrue();
            using var aes = Aes.Create();
            aes.Key = checker.Packager.Timeline.ContentKey(number);
            var iv = new byte[16];
            System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(iv.AsSpan(8), listed.Number);
            new TsReader(aes.DecryptCbc(RenditionHistory.Slice(segment, 0, segment.Bytes.Head), iv)).ShouldBeContinuous();
        }

        checker.Packager.HasKey(99_999, checker.Packager.Key).ShouldBeFalse();
        var segments = checker.Read(HlsRig.Video).Segments;
        segments.Count.ShouldBe(9);
        segments.Select(segment => segment.Key).Distinct().Count().ShouldBe(segmentsPerKey == 0 ? 1 : 5);
    }

    [Fact]
    public void An_event_playlist_loses_nothing()
    {
        var rig = new HlsRig(new HlsOptions { Ts = new TsOptions { IsEvent = true } });
        rig.Publish().Run(2);
        var checker = rig.Watch(HlsFormat.TransportStream);
        rig.Source.Run(200);
        var playlist = checker.Read(HlsRig.Video);
        (playlist.Type, playlist.Sequence, playlist.Segments.Count).ShouldBe(("EVENT", 0L, 34));
    }

    [Theory]
    [InlineData(2_000_000, 60_000_000, 30)]
    [InlineData(2_000_000, 1_000_000, 3)]
    [InlineData(90_000_000, 0, 2)]
    public void Cuts_of_its_own_and_a_window_in_time(long fragment, long window, int segments)
    {
        var rig = new HlsRig(new HlsOptions { Ts = new TsOptions { WindowMicros = window, Cuts = new CutRule { Mode = CutMode.After, SegmentMicros = fragment, PartMicros = 0 } } });
        rig.Publish().Run(fragment / 1e6 + 1);
        var checker = rig.Watch(HlsFormat.TransportStream);
        rig.Source.Run(fragment > 10_000_000 ? 200 : 100);
        var playlist = checker.Read(HlsRig.Video);
        playlist.Segments.ShouldAllBe(segment => Math.Abs(segment.Micros - fragment) < 100_000);
        playlist.Segments.Count.ShouldBeInRange(segments, segments + 1);
    }

    [Fact]
    public void Another_size_where_sound_has_just_begun_a_segment_is_one_discontinuity_and_loses_no_sound()
    {
        var rig = new HlsRig();
        rig.Publish(lease => new MediaSource(rig.Stream, lease) { SoundLate = -600_000, Group = 10 }).Run(2);
        var (checker, transport) = (rig.Watch(), rig.Watch(HlsFormat.TransportStream));
        rig.Source.Run(9);
        // The sound is ahead: its new parameters begin a segment at a time that pictures have not come to.
        rig.Source.Lease.SetConfig(0, LowLatencyRules.Mono());
        rig.Source.Run(0.03);
        rig.Source.Lease.SetConfig(0, LowLatencyRules.Sized(1));
        rig.Source.Run(20);

        foreach (var history in new[] { checker.Of(HlsRig.Video), checker.Of(HlsRig.Audio), transport.Of(HlsRig.Video) })
            history.Segments.Select(segment => segment.Discontinuity).Distinct().ShouldBe([0, 1]);
        var sounds = transport.Packager.Snapshot.Renditions[0].Segments.SelectMany(segment => Read(segment).Pes(0x101)).ToList();
        foreach (var (pes, next) in sounds.Zip(sounds.Skip(1)))
        {
            // Each frame has an ADTS header of 7 bytes before its 120.
            var frames = pes.Data.Length / 127;
            (next.Pts - pes.Pts).ShouldBeInRange(frames * 2_089, frames * 2_091, "90 kHz");
        }
    }

    [Theory]
    [InlineData(true, false, "{0}.ts")]
    [InlineData(false, true, "test-{0}.ts")]
    [InlineData(true, true, "{0}.ts")]
    public void Names_are_nested_or_plain_as_the_settings_say(bool isNested, bool isPlain, string form)
    {
        var rig = new HlsRig(new HlsOptions { Ts = new TsOptions { IsNested = isNested, HasPlainNames = isPlain, IsEncrypted = true } });
        rig.Publish().Run(2);
        var checker = rig.Watch(HlsFormat.TransportStream);
        rig.Source.Run(20);
        var expected = isPlain ? form : $"{checker.Packager.Key}-" + form;
        checker.Read(HlsRig.Video).Segments.ShouldAllBe(segment => segment.Uri == string.Format(System.Globalization.CultureInfo.InvariantCulture, expected, segment.Number));
        checker.Read(HlsRig.Video).Segments[0].Key.ShouldBe(checker.Read(HlsRig.Video).Segments[0].Uri.Replace(".ts", ".key", StringComparison.Ordinal));
    }

    private static TsReader Read(HlsSegment segment) => new(RenditionHistory.Slice(segment, 0, segment.Bytes.Head));
}
