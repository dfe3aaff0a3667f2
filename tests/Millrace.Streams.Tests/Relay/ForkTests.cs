using System.Buffers;
using System.Text;
using Millrace.Media;
using Millrace.Protocols.Relay;
using Millrace.Streams.Buffers;
using Millrace.Streams.Hls;
using Millrace.Streams.Log;
using Millrace.Streams.Publishing;
using Millrace.Streams.Relay;
using Millrace.Streams.Tests.Hls;
using Millrace.Streams.Wire;

namespace Millrace.Streams.Tests.Relay;

/// <summary>A node whose upstream brings another Timeline goes on with the numbering that its viewers have.</summary>
public sealed class ForkTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Viewers_go_on_in_one_new_era_where_the_next_origin_has_another_timeline(bool isTransportStream)
    {
        var format = isTransportStream ? HlsFormat.TransportStream : HlsFormat.LowLatency;
        var (first, second) = (Origin(format, 23), Origin(format, 40));
        using var edge = new RelayEdge(first.Stream);
        var packager = edge.Use(format);
        var checker = new PlaylistChecker(packager, () => edge.Stream.Now);
        using var below = new RelayEdge(edge.Stream, "below");
        var copy = below.Use(format);
        Run(first, second, 8, edge, below);
        var (key, eras, last) = (packager.NameKey, edge.Stream.Era.Number, packager.Snapshot.Renditions[0].LastSegment);

        edge.Connect(second.Stream);
        below.Follow();
        Run(first, second, 16, edge, below);

        edge.Live.IsAuthority.ShouldBeTrue();
        edge.Live.FindHls(format).ShouldBe(packager, "nothing was started anew");
        (edge.Stream.Era.Number - eras).ShouldBe(1);
        edge.Stream.Entries.Count(entry => entry.Kind == LogEntryKind.Fork).ShouldBeLessThanOrEqualTo(1);
        packager.Snapshot.Renditions[0].LastSegment.ShouldBeGreaterThan(last);
        packager.NameKey.ShouldNotBe(key, "what it decides has names of its own");
        packager.Snapshot.Renditions[0].Segments.ShouldContain(segment => segment.IsBreak);
        packager.Snapshot.Renditions[0].Segments.Count(segment => segment.IsBreak).ShouldBe(1);
        checker.Snapshots.ShouldBeGreaterThan(4);
        foreach (var view in packager.Snapshot.Renditions)
            Text(copy.Snapshot, view.Id).ShouldBe(Text(packager.Snapshot, view.Id), "the node below has gone along");
        below.Live.IsAuthority.ShouldBeFalse();
    }

    [Fact]
    public void Who_waits_for_the_other_nodes_playlists_when_this_one_goes_on_by_itself_asks_again_and_has_its_own()
    {
        var (first, second) = (Origin(HlsFormat.LowLatency, 8), Origin(HlsFormat.LowLatency, 12));
        using var edge = new RelayEdge(first.Stream);
        Run(first, second, 2, edge);
        var isTold = false;
        edge.Live.UseHls(HlsFormat.LowLatency, edge.Stream.Now, out _, () => isTold = true).ShouldBeNull();

        edge.Connect(second.Stream);
        Run(first, second, 6, edge);

        edge.Live.IsAuthority.ShouldBeTrue();
        isTold.ShouldBeTrue();
        edge.Live.UseHls(HlsFormat.LowLatency, edge.Stream.Now, out _).ShouldNotBeNull();
    }

    [Fact]
    public void Two_nodes_that_go_on_from_the_same_timeline_never_give_one_name_to_two_things()
    {
        var (first, second) = (Origin(HlsFormat.LowLatency, 23), Origin(HlsFormat.LowLatency, 40.3));
        using var left = new RelayEdge(first.Stream, "left");
        using var right = new RelayEdge(first.Stream, "right");
        var packagers = new[] { left.Use(HlsFormat.LowLatency), right.Use(HlsFormat.LowLatency) };
        Run(first, second, 5.1, left, right);
        left.Connect(second.Stream);
        Run(first, second, 0.7, left, right);
        right.Connect(second.Stream);
        Run(first, second, 9, left, right);
        var names = packagers.Select(Objects).ToArray();
        var shared = names[0].Keys.Intersect(names[1].Keys).ToList();
        shared.ShouldNotBeEmpty();
        shared.ShouldAllBe(name => names[0][name] == names[1][name]);
    }

    [Fact]
    public void Time_goes_on_for_players()
    {
        var (first, second) = (Origin(HlsFormat.LowLatency, 23), Origin(HlsFormat.LowLatency, 900));
        using var edge = new RelayEdge(first.Stream);
        using var viewer = new WireViewer(edge.Stream, Wire.WireKey.Rtmp(Media.Flv.FlvForm.Enhanced));
        Run(first, second, 2, edge);
        edge.Connect(second.Stream);
        Run(first, second, 4, edge);
        viewer.Pull();
        var times = viewer.Messages().Where(message => message.Type == 9).Select(message => message.Timestamp).ToList();
        times.ShouldBe([.. times.Order()], "monotonic");
        times.Zip(times.Skip(1), (a, b) => b - a).Max().ShouldBeLessThan(2_000u);
        viewer.Signals.ShouldBeEmpty();
        foreach (var kind in new[] { TrackKind.Video, TrackKind.Audio })
            edge.Stream.Units(kind).Select(unit => unit.DtsMicros).ShouldBe(edge.Stream.Units(kind).Select(unit => unit.DtsMicros).Order());
    }

    [Fact]
    public void A_publisher_of_this_node_goes_on_where_a_copy_was_left()
    {
        var first = Origin(HlsFormat.LowLatency, 23);
        using var edge = new RelayEdge(first.Stream);
        var packager = edge.Use(HlsFormat.LowLatency);
        var checker = new PlaylistChecker(packager, () => edge.Stream.Now);
        first.Source.Run(3, edge.Follow);
        edge.Lease.Leave(grace: 10_000_000, edge.Stream.Now);
        edge.Live.State.ShouldBe(StreamState.Live, "viewers are kept");

        var rig = new HlsRig(edge.Stream);
        rig.Publish().Run(12);
        edge.Live.IsAuthority.ShouldBeTrue();
        edge.Live.FindHls(HlsFormat.LowLatency).ShouldBe(packager);
        packager.Snapshot.Renditions[0].Segments.ShouldContain(segment => segment.IsBreak);
        checker.Snapshots.ShouldBeGreaterThan(10);
    }

    [Fact]
    public void Nodes_below_know_by_a_fork_that_the_stream_does_not_come_by_the_former_nodes_any_more()
    {
        var first = Origin(HlsFormat.LowLatency, 9);
        using var edge = new RelayEdge(first.Stream, "edge");
        using var before = new RelayEdge(edge.Stream, "below");
        before.Live.Path.ShouldBe([first.Stream.Live.Resources.Node, "edge"]);
        edge.Lease.Leave(grace: 10_000_000, edge.Stream.Now);

        var rig = new HlsRig(edge.Stream);
        rig.Publish().Run(1, before.Follow);
        using var after = new RelayEdge(edge.Stream, "below too");

        before.Live.Path.ShouldBe(["edge"]);
        after.Live.Path.ShouldBe(["edge"]);
        after.Live.Timeline.Id.ShouldBe(edge.Live.Timeline.Id);
    }

    [Fact]
    public void Nodes_below_are_told_when_the_one_that_publishes_has_gone_and_this_one_waits()
    {
        var first = Origin(HlsFormat.LowLatency, 9);
        using var edge = new RelayEdge(first.Stream);
        using var below = new WireViewer(edge.Stream, WireKey.Relay);
        edge.Lease.Leave(grace: 10_000_000, edge.Stream.Now);
        edge.Live.IsOrphan.ShouldBeTrue();
        below.Signals.ShouldBe([WireSignal.Orphaned]);

        var info = new PublisherInfo("r", "relay", "another", DuplicatePolicy.Reject, 10_000_000);
        edge.Live.TryAcquireReplica(info, static _ => { }, static _ => { }, edge.Stream.Now, out _).ShouldNotBeNull();
        edge.Live.IsOrphan.ShouldBeFalse();
    }

    [Fact]
    public void A_publisher_who_takes_a_copy_that_was_left_and_brings_nothing_writes_nothing_into_it()
    {
        var first = Origin(HlsFormat.LowLatency, 9);
        using var edge = new RelayEdge(first.Stream);
        edge.Lease.Leave(grace: 10_000_000, edge.Stream.Now);
        var end = edge.Live.Log!.End;

        var info = new PublisherInfo("p", "test", "test", DuplicatePolicy.Reject, 60_000_000);
        var publisher = edge.Live.TryAcquire(info, static _ => { }, edge.Stream.Now, out _).ShouldNotBeNull();
        edge.Live.IsOrphan.ShouldBeTrue("nothing has come yet");
        publisher.End(isClean: true, edge.Stream.Now);

        edge.Live.Log!.End.ShouldBe(end, "the next number is the other node's to give");
        edge.Live.IsAuthority.ShouldBeFalse();
        edge.Live.IsOrphan.ShouldBeTrue();
        edge.Stream.Now += 10_000_001;
        edge.Live.Sweep(edge.Stream.Now);
        edge.Live.State.ShouldBe(StreamState.Idle);
    }

    [Fact]
    public void A_head_that_is_never_reached_keeps_no_more_waiting_than_a_log_holds()
    {
        var limits = new LogLimits(KeepMicros: 2_000_000, KeepBytes: 20_000);
        var (first, second) = (Origin(HlsFormat.LowLatency, 9), Origin(HlsFormat.LowLatency, 9));
        using var edge = new RelayEdge(first.Stream, limits: limits);
        var eras = edge.Stream.Era.Number;

        edge.Connect(second.Stream, head: long.MaxValue);
        for (var i = 0; i < 100; i++)
            Run(first, second, 0.1, edge);

        edge.Live.IsAuthority.ShouldBeTrue();
        (edge.Stream.Era.Number - eras).ShouldBe(1);
        edge.Live.Timeline.EndMicros.ShouldBeGreaterThan(15_000_000, "viewers go on with what comes");
        edge.Stream.Budget[MemoryUse.PendingUnits].Used.ShouldBe(0);
    }

    [Fact]
    public void Of_many_forks_the_newest_are_known()
    {
        var origin = Origin(HlsFormat.LowLatency, 9);
        using var edge = new RelayEdge(origin.Stream);
        var packager = edge.Use(HlsFormat.LowLatency);
        using var below = new WireViewer(edge.Stream, WireKey.Relay);
        var number = edge.Live.Log!.End;
        var ids = new List<ulong> { edge.Live.Timeline.Id };
        for (var i = 1; i <= 1_000; i++)
        {
            var fork = new ArrayBufferWriter<byte>();
            RelayEntry.WriteFork(fork, new LogEntry { Dts = i, Pts = (long)ids[^1] }, origin.Live);
            edge.Lease.Receive(RelayMessageType.Fork, fork.WrittenSpan, edge.Stream.Now).ShouldBeNull();
            ids.Add((ulong)i);
        }

        var wire = below.Wire;
        edge.Live.FindRelay(wire, ids[^2], edge.Live.Log.End - 1).ShouldBeGreaterThan(0);
        edge.Live.FindRelay(wire, ids[^60], number).ShouldBeGreaterThan(0);
        edge.Live.FindRelay(wire, ids[0], number).ShouldBe(-1, "nobody resumes after so many");
        packager.IsNamed(packager.Key).ShouldBeTrue();
        packager.IsNamed(packager.NameKey).ShouldBeTrue();
        packager.IsNamed(HlsNames.KeyOf(edge.Live.Name, 900)).ShouldBeTrue();
        packager.IsNamed(HlsNames.KeyOf(edge.Live.Name, 1)).ShouldBeFalse();
    }

    [Fact]
    public void A_copy_that_is_taken_away_is_no_leak()
    {
        var first = Origin(HlsFormat.LowLatency, 9);
        using var edge = new RelayEdge(first.Stream);
        var end = edge.Live.Log!.End;
        edge.Live.Kick("by the API", edge.Stream.Now).ShouldBeTrue();
        edge.Lease.Leave(grace: 0, edge.Stream.Now);
        edge.Live.Log!.End.ShouldBe(end);
        edge.Stream.Now += 10_000_001;
        edge.Live.Sweep(edge.Stream.Now);
        edge.Live.State.ShouldBe(StreamState.Idle);
    }

    [Fact]
    public void A_copy_that_is_left_and_not_gone_on_with_ends()
    {
        var first = Origin(HlsFormat.LowLatency, 9);
        using var edge = new RelayEdge(first.Stream);
        edge.Lease.Leave(grace: 10_000_000, edge.Stream.Now);
        edge.Stream.Now += 9_000_000;
        edge.Stream.Sweep();
        edge.Live.State.ShouldBe(StreamState.Live);
        edge.Stream.Now += 2_000_000;
        edge.Stream.Sweep();
        edge.Live.State.ShouldBe(StreamState.Idle);
        edge.Live.IsLost.ShouldBeTrue("others may have it still");
    }

    private static HlsRig Origin(HlsFormat format, double seconds)
    {
        var rig = new HlsRig();
        rig.Publish().Run(seconds);
        rig.Use(format);
        return rig;
    }

    /// <summary>Both origins go on, at the same time.</summary>
    private static void Run(HlsRig first, HlsRig second, double seconds, params RelayEdge[] edges)
    {
        for (var time = 0.0; time < seconds; time += 0.1)
        {
            first.Source.Run(0.1);
            second.Source.Run(0.1);
            foreach (var edge in edges)
                edge.Follow();
        }
    }

    private static string Text(HlsSnapshot snapshot, RenditionId id) => Encoding.UTF8.GetString(snapshot.Playlist(snapshot.Find(id)!, PlaylistForm.Full).Bytes);

    private static Dictionary<string, string> Objects(HlsPackager packager)
    {
        var objects = new Dictionary<string, string>();
        foreach (var view in packager.Snapshot.Renditions)
        {
            foreach (var segment in view.Segments)
            {
                objects[HlsNames.Segment(view.Id, segment.Number, segment.NameKey)] = segment.ETag;
                for (var i = 0; i < segment.PartCount; i++)
                    objects[HlsNames.Part(view.Id, segment.Number, i, segment.NameKeyOf(i))] = segment.Parts[i].ToString();
            }
        }

        return objects;
    }
}
