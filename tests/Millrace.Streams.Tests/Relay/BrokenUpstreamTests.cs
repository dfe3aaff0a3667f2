using System.Buffers;
using Millrace.Protocols.Relay;
using Millrace.Streams.Hls;
using Millrace.Streams.Log;
using Millrace.Streams.Relay;
using Millrace.Streams.Tests.Hls;

namespace Millrace.Streams.Tests.Relay;

/// <summary>Whatever another node says: what cannot be is refused, and the stream goes on with the next one.</summary>
public sealed class BrokenUpstreamTests
{
    [Fact]
    public void A_copy_that_ends_before_its_first_era_leaves_room_for_another_timeline()
    {
        var (silent, other) = (new HlsRig(), new HlsRig());
        silent.Publish().Run(3);
        other.Publish().Run(3);
        using var edge = new RelayEdge(new HlsRig().Stream);
        using var viewer = new WireViewer(edge.Stream, Wire.WireKey.Relay);
        edge.Lease.Receive(RelayMessageType.Start, StartOf(silent.Live, silent.Live.Log!.End), edge.Stream.Now).ShouldBeNull();
        edge.Live.Timeline.Era.ShouldBeNull();

        edge.Connect(other.Stream);
        other.Source.Run(5, edge.Follow);

        edge.Stream.Units(Media.TrackKind.Video).ShouldNotBeEmpty();
        edge.Lease.Leave(grace: 0, edge.Stream.Now);
        edge.Live.State.ShouldBe(StreamState.Idle);
    }

    [Fact]
    public void Where_hls_is_off_at_the_authority_its_copies_say_so_also_when_they_go_on_by_themselves()
    {
        var (first, second) = (new HlsRig(new HlsOptions { IsEnabled = false }), new HlsRig());
        first.Publish().Run(3);
        second.Publish().Run(3);
        using var edge = new RelayEdge(first.Stream);
        first.Source.Run(1, edge.Follow);
        edge.Connect(second.Stream);
        second.Source.Run(1, edge.Follow);

        edge.Live.IsAuthority.ShouldBeTrue();
        edge.Live.UseHls(HlsFormat.LowLatency, edge.Stream.Now, out var unsupported).ShouldBeNull();
        unsupported.ShouldNotBeNull().ShouldContain("switched off");
    }

    [Fact]
    public void A_segment_that_another_node_never_ended_is_not_cut_into_millions()
    {
        var (first, second) = (new HlsRig(), new HlsRig());
        first.Publish().Run(9);
        second.Publish().Run(9);
        using var edge = new RelayEdge(first.Stream);
        edge.Use(HlsFormat.LowLatency);
        first.Source.Run(1, edge.Follow);
        var entries = edge.Live.Log!.End;
        edge.Lease.Receive(RelayMessageType.Mark, MarkAt(edge.Stream, -RelayReader.MaxTime), edge.Stream.Now).ShouldBeNull();

        edge.Connect(second.Stream);
        second.Source.Run(3, edge.Follow);
        (edge.Live.Log.End - entries).ShouldBeLessThan(1_000);
    }

    [Fact]
    public void Times_that_cannot_be_added_up_are_refused()
    {
        var rig = new HlsRig();
        rig.Publish().Run(3);
        using var edge = new RelayEdge(rig.Stream);
        edge.Lease.Receive(RelayMessageType.Mark, MarkAt(edge.Stream, RelayReader.MaxTime + 1), edge.Stream.Now).ShouldNotBeNull();
        edge.Lease.Receive(RelayMessageType.Mark, MarkAt(edge.Stream, long.MinValue), edge.Stream.Now).ShouldNotBeNull();
    }

    private static byte[] StartOf(LiveStream stream, long number)
    {
        var message = RelayStart.Write(stream, stream.Log!, number);
        RelayFrame.TryReadHeader(message, out _, out var header, out _).ShouldBeTrue();
        return message[header..];
    }

    private static byte[] MarkAt(TestStream stream, long time)
    {
        var last = stream.Entries.FindLast(static entry => entry is { Kind: LogEntryKind.Mark, Mark.Kind: MarkKind.Segment });
        var payload = new ArrayBufferWriter<byte>();
        RelayEntry.WriteMark(payload, last with { DtsMicros = time, Mark = last.Mark with { Number = last.Mark.Number + 1 } });
        return payload.WrittenSpan.ToArray();
    }
}
