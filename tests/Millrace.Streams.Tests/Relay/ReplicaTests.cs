using System.Text;
using Millrace.Media;
using Millrace.Media.Flv;
using Millrace.Protocols.Relay;
using Millrace.Streams.Hls;
using Millrace.Streams.Tests.Hls;
using Millrace.Streams.Wire;

namespace Millrace.Streams.Tests.Relay;

/// <summary>A copy of a stream says and has the same, whenever it was begun.</summary>
public sealed class ReplicaTests
{
    public static TheoryData<string, bool> Scenarios => Sources.Scenarios;

    [Theory]
    [MemberData(nameof(Scenarios))]
    public void Every_playlist_and_object_of_a_copy_is_the_authoritys(string name, bool isTransportStream)
    {
        var format = isTransportStream ? HlsFormat.TransportStream : HlsFormat.LowLatency;
        var rig = new HlsRig(new HlsOptions { Segments = 4, HoldBackParts = 4 });
        Sources.Begin(rig, name);
        rig.Source.Run(1);
        var authority = rig.Use(format);
        foreach (var start in new[] { 0.04, 5.3, 11.97, 17 })
        {
            rig.Source.Run(start);
            using var edge = new RelayEdge(rig.Stream);
            var copy = edge.Use(format);
            Compare(authority, copy);
            Sources.Go(rig, name, () =>
            {
                edge.Follow();
                if (rig.Stream.Now % 7 == 0)
                    Compare(authority, copy);
            });
            edge.Follow();
            Compare(authority, copy).ShouldBeGreaterThan(2);
            Entries(rig.Stream).TakeLast(300).ShouldBe(Entries(edge.Stream).TakeLast(300));
        }
    }

    [Fact]
    public void A_copy_is_not_let_go_while_somebody_watches_it()
    {
        var rig = new HlsRig();
        rig.Publish().Run(8);
        using var edge = new RelayEdge(rig.Stream);
        var viewer = new WireViewer(edge.Stream, WireKey.Flv(FlvForm.Legacy));
        edge.Lease.TryLeave(edge.Stream.Now).ShouldBeFalse("by FLV");
        edge.Live.Detach(viewer.Wire, viewer, edge.Stream.Now);
        viewer.Dispose();
        var packager = edge.Use(HlsFormat.LowLatency);
        edge.Lease.TryLeave(edge.Stream.Now).ShouldBeFalse("by HLS");
        edge.Live.State.ShouldBe(StreamState.Live);

        edge.Lease.TryLeave(edge.Stream.Now + packager.Window.LongestHoldMicros).ShouldBeTrue();
        edge.Live.State.ShouldBe(StreamState.Idle);
    }

    [Fact]
    public void Who_waits_where_a_stream_is_published_in_mid_era_begins_with_the_first_key_frame()
    {
        var rig = new HlsRig();
        rig.Publish().Run(23);
        WireViewer? viewer = null;
        using var edge = new RelayEdge(rig.Stream, before: stream => viewer = new WireViewer(stream, WireKey.Flv(FlvForm.Legacy)));
        viewer!.Pull();
        edge.Types.ShouldNotContain(RelayMessageType.Era, "else the test shows nothing");
        var first = edge.Stream.Units(TrackKind.Video).First(static unit => unit.IsKey);
        var pictures = viewer.Messages().Where(static message => message.Type == 9).ToList();
        pictures[0].Body[1].ShouldBe((byte)0, "a sequence header");
        pictures[1].Body[0].ShouldBe((byte)0x17, "a key frame");
        pictures[1].Timestamp.ShouldBe((uint)(first.DtsMicros / 1_000));
        viewer.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_copy_of_a_copy_is_the_same(bool isTransportStream)
    {
        var format = isTransportStream ? HlsFormat.TransportStream : HlsFormat.LowLatency;
        var rig = new HlsRig(new HlsOptions { Ts = new TsOptions { IsEncrypted = true, SegmentsPerKey = 2 } });
        rig.Publish().Run(23);
        var authority = rig.Use(format);
        rig.Source.Run(14);
        using var first = new RelayEdge(rig.Stream, "first");
        using var second = new RelayEdge(first.Stream, "second");
        using var third = new RelayEdge(second.Stream, "third");
        var copies = Array.ConvertAll(new[] { first, second, third }, edge => edge.Use(format));
        rig.Source.Run(20, () =>
        {
            first.Follow();
            second.Follow();
            third.Follow();
        });
        foreach (var copy in copies)
            Compare(authority, copy).ShouldBeGreaterThan(3);
        third.Live.Path.ShouldBe(["node", "first", "second"]);
        third.Live.Hops.Latest.Select(hop => hop.Node).ShouldBe(["node", "first", "second", "third"]);
    }

    [Fact]
    public void Who_was_away_goes_on_where_it_was()
    {
        var rig = new HlsRig();
        rig.Publish().Run(9);
        var authority = rig.Use();
        using var edge = new RelayEdge(rig.Stream);
        var copy = edge.Use(HlsFormat.LowLatency);
        rig.Source.Run(3, edge.Follow);
        var before = edge.Live.Log!.End;
        rig.Source.Run(1.5);
        edge.Connect();
        rig.Source.Run(3, edge.Follow);
        edge.Live.FindHls(HlsFormat.LowLatency).ShouldBe(copy);
        edge.Live.Log.End.ShouldBeGreaterThan(before);
        Compare(authority, copy).ShouldBeGreaterThan(1);
        Entries(edge.Stream).ShouldBe(Entries(rig.Stream).TakeLast(Entries(edge.Stream).Count));
    }

    [Fact]
    public void Who_was_away_for_too_long_begins_with_the_segment_that_is_open_and_has_the_others_fetched()
    {
        var rig = new HlsRig();
        rig.Publish().Run(9);
        var authority = rig.Use();
        using var edge = new RelayEdge(rig.Stream);
        edge.Use(HlsFormat.LowLatency);
        rig.Source.Run(60);
        edge.Connect();
        edge.Follow();
        var copy = edge.Live.FindHls(HlsFormat.LowLatency).ShouldNotBeNull();
        rig.Source.Run(10, edge.Follow);
        Compare(authority, copy).ShouldBeGreaterThan(1);
        copy.Snapshot.Renditions[0].Segments.ShouldContain(segment => segment.IsAway);
    }

    [Fact]
    public void The_end_of_the_stream_is_the_end_of_the_copy()
    {
        var rig = new HlsRig();
        rig.Publish().Run(9);
        using var edge = new RelayEdge(rig.Stream);
        rig.Source.Run(1, edge.Follow);
        rig.Source.Lease.End(isClean: true, rig.Stream.Now);
        edge.Follow();
        edge.Live.State.ShouldBe(StreamState.Grace);
        edge.Live.IsWaiting.ShouldBeTrue();
    }

    private static List<string> Entries(TestStream stream) =>
        stream.Entries.ConvertAll(entry => $"{entry.Kind} {entry.Track} {entry.Number} {entry.EraNumber} {entry.Dts} {entry.Pts} {entry.DtsMicros} {entry.IsKey} {entry.Length} {entry.Mark}");

    /// <summary>Returns how many segments of the copy have bytes of its own making.</summary>
    private static int Compare(HlsPackager authority, HlsPackager copy)
    {
        var (ours, theirs) = (copy.Snapshot, authority.Snapshot);
        ours.Renditions.Length.ShouldBe(theirs.Renditions.Length);
        var local = 0;
        foreach (var view in theirs.Renditions)
        {
            var mine = ours.Find(view.Id).ShouldNotBeNull();
            foreach (var form in Enum.GetValues<PlaylistForm>())
                Text(ours.Playlist(mine, form)).ShouldBe(Text(theirs.Playlist(view, form)));
            foreach (var segment in mine.Segments)
            {
                var original = authority.FindSegment(view.Id, segment.Name).ShouldNotBeNull();
                segment.ETag.ShouldBe(original.ETag);
                segment.Length.ShouldBe(original.Length);
                segment.Init?.ETag.ShouldBe(original.Init!.ETag);
                segment.Parts[..segment.PartCount].ShouldBe(original.Parts[..original.PartCount]);
                if (segment.IsAway || segment.IsGap)
                    continue;
                HlsSegment.Hash(segment.Bytes, 0, segment.Length).ShouldBe(HlsSegment.Hash(original.Bytes, 0, original.Length));
                local++;
            }
        }

        if (copy.Format == HlsFormat.LowLatency)
            Text(ours.Master(PlaylistForm.Full)).ShouldBe(Text(theirs.Master(PlaylistForm.Full)));
        return local;
    }

    private static string Text(HlsDocument document) => Encoding.UTF8.GetString(document.Bytes);
}
