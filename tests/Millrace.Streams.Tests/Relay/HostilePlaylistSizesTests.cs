using System.Buffers;
using System.Globalization;
using Millrace.Media;
using Millrace.Protocols.Relay;
using Millrace.Streams.Cuts;
using Millrace.Streams.Hls;
using Millrace.Streams.Relay;
using Millrace.Streams.Tests.Hls;

namespace Millrace.Streams.Tests.Relay;

/// <summary>Playlists of another node that are long, that nobody has asked for, or that are never due: they cost what they weigh, and no more.</summary>
public sealed class HostilePlaylistSizesTests
{
    private const string Tag = "0123456789abcdef01234567";
    private const string Key = "0123456789ab";

    [Fact]
    public void Many_segments_cost_a_few_times_their_bytes()
    {
        var stream = new TestStream();
        var payload = Write(segments: 20_000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        RelayPlaylists.TryRead(payload, stream.Live.Resources, out var playlists).ShouldBeTrue();
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(12L * payload.Length);
        playlists!.FileKeys.ShouldHaveSingleItem();
    }

    [Fact]
    public void Parts_that_are_announced_and_are_not_there_cost_nothing()
    {
        var resources = new TestStream().Live.Resources;
        var payload = Write(segments: 1, parts: 500_000);
        RelayPlaylists.TryRead(payload, resources, out _).ShouldBeFalse();
        var before = GC.GetAllocatedBytesForCurrentThread();
        RelayPlaylists.TryRead(payload, resources, out _).ShouldBeFalse();
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(20_000);
    }

    [Theory]
    [InlineData(255, true)]
    [InlineData(256, false)]
    [InlineData(20_000, false)]
    public void As_many_keys_are_taken_as_nodes_may_have_gone_on_with_a_stream(int keys, bool isTaken)
    {
        var payload = Write(segments: keys, key: static i => i.ToString("x12", CultureInfo.InvariantCulture));
        RelayPlaylists.TryRead(payload, new TestStream().Live.Resources, out _).ShouldBe(isTaken);
    }

    [Fact]
    public void More_segments_than_a_message_of_a_node_holds_are_refused()
    {
        var payload = Write(segments: 140_000);
        payload.Length.ShouldBeLessThan(RelayFrame.MaxPayload);
        RelayPlaylists.TryRead(payload, new TestStream().Live.Resources, out _).ShouldBeFalse();
    }

    [Fact]
    public void Thousands_of_segments_are_listed_with_a_few_copies_of_the_list()
    {
        // Its own segments have higher numbers than those that are sent.
        var hls = new HlsOptions { Segments = 10_000, Cuts = new CutRule { IsContinuous = true } };
        var rig = new HlsRig(new TestStream(new StreamOptions { UnixOffsetMicros = 1_760_000_000_000_000 }, hls: hls));
        rig.Publish().Run(3);
        using var edge = new RelayEdge(rig.Stream);
        edge.Live.UseHls(HlsFormat.LowLatency, edge.Stream.Now, out _).ShouldBeNull();
        var before = GC.GetAllocatedBytesForCurrentThread();

        edge.Lease.ReceivePlaylists(Write(segments: 20_000), edge.Stream.Now).ShouldBeNull();

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(100 << 20);
        var packager = edge.Live.FindHls(HlsFormat.LowLatency).ShouldNotBeNull();
        packager.Snapshot.Find(HlsRig.Video)!.Segments.Length.ShouldBe(10_000);
    }

    [Fact]
    public void Playlists_that_nobody_has_asked_for_are_left_alone()
    {
        var rig = new HlsRig();
        rig.Publish().Run(9);
        using var edge = new RelayEdge(rig.Stream);
        edge.Lease.ReceivePlaylists(Write(segments: 2), edge.Stream.Now).ShouldBeNull();
        edge.Lease.ReceivePlaylists([(byte)HlsFormat.LowLatency, 0xFF], edge.Stream.Now).ShouldBeNull("it is not looked at");
        edge.Live.HlsFormats.ShouldBeEmpty();

        edge.Live.UseHls(HlsFormat.LowLatency, edge.Stream.Now, out _).ShouldBeNull();
        edge.Lease.ReceivePlaylists([(byte)HlsFormat.LowLatency, 0xFF], edge.Stream.Now).ShouldNotBeNull();
        edge.Lease.ReceivePlaylists(Write(segments: 2), edge.Stream.Now).ShouldBeNull();
        edge.Live.HlsFormats.ShouldBe([HlsFormat.LowLatency]);
    }

    [Fact]
    public void Playlists_of_a_number_that_never_comes_are_refused()
    {
        var rig = new HlsRig();
        rig.Publish().Run(9);
        using var edge = new RelayEdge(rig.Stream);
        edge.Live.UseHls(HlsFormat.LowLatency, edge.Stream.Now, out _).ShouldBeNull();
        edge.Lease.ReceivePlaylists(Write(segments: 2, number: long.MaxValue), edge.Stream.Now).ShouldNotBeNull();
        edge.Lease.ReceivePlaylists(Write(segments: 2, number: edge.Live.Log!.End + 100), edge.Stream.Now).ShouldBeNull();
        edge.Live.HlsFormats.ShouldBeEmpty("they are not due");
    }

    private static byte[] Write(int segments, long number = 0, int parts = 1, Func<int, string>? key = null)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var output = new RelayWriter(buffer);
        output.Byte((byte)HlsFormat.LowLatency);
        output.Number(number);
        output.Text(Key);
        output.Number(1UL);
        output.Byte((byte)TrackKind.Video);
        output.Number(0UL);
        output.Number((ulong)segments);
        for (var i = 0; i < segments; i++)
        {
            output.Byte(1);
            output.Signed(i);
            output.Signed(i);
            output.Number(0UL);
            output.Signed(0);
            output.Signed(0);
            output.Signed(0);
            output.Signed(6_000_000);
            output.Signed(-1);
            output.Number(100UL);
            output.Text(Tag);
            output.Text(key?.Invoke(i) ?? Key);
            output.Number(int.MaxValue);
            output.Text(key?.Invoke(i) ?? Key);
            output.Number((ulong)parts);
            output.Number((100UL << 1) | 1);
            output.Signed(6_000_000);
            output.Text(Tag);
        }

        return buffer.WrittenSpan.ToArray();
    }
}
