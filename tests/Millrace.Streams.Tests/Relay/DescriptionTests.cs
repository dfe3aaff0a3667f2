using System.Buffers;
using Millrace.Media;
using Millrace.Streams.Hls;
using Millrace.Streams.Relay;
using Millrace.Streams.Tests.Hls;

namespace Millrace.Streams.Tests.Relay;

/// <summary>What a node tells another of a stream that is not played.</summary>
public sealed class DescriptionTests
{
    [Fact]
    public void It_is_what_a_play_would_begin_with()
    {
        var rig = new HlsRig();
        rig.Publish().Run(1);
        rig.Use();
        rig.Use(HlsFormat.TransportStream);
        rig.Source.Run(22);

        var description = Describe(rig, formats: 1 << (int)HlsFormat.LowLatency);

        description.IsLive.ShouldBeTrue();
        description.SilenceMicros.ShouldBeLessThan(100_000);
        description.AgeMicros.ShouldBeInRange(20_000_000, 24_000_000);
        var start = description.Start;
        start.Timeline.Value.ShouldBe(rig.Live.Timeline.Id);
        start.Timeline.Secret.ShouldBe(rig.Live.Timeline.Secret.ToArray());
        start.Number.ShouldBe(rig.Live.Log!.End);
        start.Path.ShouldBe(["node"]);
        start.Metadata.ToArray().ShouldBe(rig.Live.Metadata.ToArray());
        var own = rig.Live.Timeline.Era!;
        start.Era!.Number.ShouldBe(own.Number);
        start.Era.Tracks.Select(static track => (track.Kind, track.Codec, track.Config?.CodecString))
            .ShouldBe(own.Tracks.Select(static track => (track.Kind, track.Codec, track.Config?.CodecString)));
        start.Era.Tracks.ShouldContain(static track => track.Kind == TrackKind.Video);
        var playlists = description.Playlists.ShouldHaveSingleItem();
        playlists.Format.ShouldBe(HlsFormat.LowLatency);
        var sent = new ArrayBufferWriter<byte>();
        rig.Live.TryWritePlaylists(HlsFormat.LowLatency, sent).ShouldBeTrue();
        playlists.State.ToArray().ShouldBe(sent.WrittenSpan.ToArray());
        RelayPlaylists.TryRead(playlists.State.Span, rig.Live.Resources, out var state).ShouldBeTrue();
        playlists.Listed.ShouldBe(state!.Renditions[0].Segments.Count(static segment => segment.IsListed));
        playlists.Listed.ShouldBeGreaterThan(1);
    }

    [Fact]
    public void A_copy_names_the_nodes_that_it_has_come_through()
    {
        var rig = new HlsRig();
        rig.Publish().Run(9);
        using var edge = new RelayEdge(rig.Stream, "edge");
        edge.Follow();

        var output = new ArrayBufferWriter<byte>();
        edge.Live.TryDescribe(byte.MaxValue, edge.Stream.Now, output).ShouldBeTrue();
        RelayDescription.TryRead(output.WrittenSpan, out var description).ShouldBeTrue();

        description!.Start.Path.ShouldBe(["node", "edge"]);
        description.Start.Timeline.Value.ShouldBe(rig.Live.Timeline.Id);
        description.Playlists.ShouldBeEmpty("nobody has asked for any");
    }

    [Fact]
    public void A_publisher_who_has_gone_for_a_while_shows_and_one_who_was_never_there_is_nothing()
    {
        var rig = new HlsRig();
        rig.Live.TryDescribe(byte.MaxValue, rig.Stream.Now, new ArrayBufferWriter<byte>()).ShouldBeFalse();
        rig.Publish().Run(5);
        rig.Source.Lease.End(isClean: false, rig.Stream.Now);
        rig.Stream.Now += 3_000_000;

        var description = Describe(rig, formats: 0);

        description.IsLive.ShouldBeFalse();
        description.SilenceMicros.ShouldBeInRange(3_000_000, 3_200_000);
        description.Publisher.ShouldBeNull();
    }

    [Fact]
    public void What_is_cut_off_is_not_read()
    {
        var rig = new HlsRig();
        rig.Publish().Run(9);
        rig.Use();
        var output = new ArrayBufferWriter<byte>();
        rig.Live.TryDescribe(byte.MaxValue, rig.Stream.Now, output).ShouldBeTrue();
        for (var length = 0; length < output.WrittenCount; length++)
            RelayDescription.TryRead(output.WrittenSpan[..length], out _).ShouldBeFalse($"{length} of {output.WrittenCount} bytes");
    }

    private static RelayDescription Describe(HlsRig rig, byte formats)
    {
        var output = new ArrayBufferWriter<byte>();
        rig.Live.TryDescribe(formats, rig.Stream.Now, output).ShouldBeTrue();
        RelayDescription.TryRead(output.WrittenSpan, out var description).ShouldBeTrue();
        return description!;
    }
}
