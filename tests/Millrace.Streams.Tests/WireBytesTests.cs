using Millrace.Media;
using Millrace.Media.Flv;
using Millrace.Streams.Wire;
using Millrace.Testing;

namespace Millrace.Streams.Tests;

/// <summary>What a viewer is sent, read by parsers that know nothing of the packager, against what was published.</summary>
public sealed class WireBytesTests
{
    private const byte Script = (byte)FlvTagType.Script;

    internal static readonly WireKey[] Keys =
        [.. new[] { FlvForm.Legacy, FlvForm.Enhanced }.SelectMany(form => new[] { WireKey.Rtmp(form), WireKey.Flv(form), WireKey.ChunkedFlv(form), WireKey.WsFlv(form) })];

    public static TheoryData<int, int> KeysAndChunkSizes()
    {
        var data = new TheoryData<int, int>();
        for (var i = 0; i < Keys.Length; i++)
        {
            data.Add(i, 60_000);
            data.Add(i, 128);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(KeysAndChunkSizes))]
    public void A_viewer_from_the_start_gets_every_unit_of_the_clip_byte_for_byte(int key, int chunkSize)
    {
        var stream = new TestStream(new StreamOptions { RtmpChunkSize = chunkSize });
        using var viewer = new WireViewer(stream, Keys[key]);
        viewer.FromEnd.ShouldBeTrue();
        var publisher = new ClipPublisher(stream);
        publisher.Send(onTag: () => viewer.Pull(7_001));
        viewer.Pull();

        viewer.Cursor.Skips.ShouldBe(0);
        var media = viewer.Messages().FindAll(message => message.Type != Script);
        var clip = MediaClip.Tags.Where(tag => tag.Type != FlvTagType.Script && !IsEnd(tag)).ToList();
        media.Count.ShouldBe(clip.Count);
        foreach (var type in new[] { FlvTagType.Video, FlvTagType.Audio })
        {
            var seen = media.FindAll(message => message.Type == (byte)type);
            var sent = clip.FindAll(tag => tag.Type == type);
            for (var i = 0; i < sent.Count; i++)
            {
                Data(seen[i]).ShouldBe(Data(new SeenMessage((byte)type, 0, sent[i].Body)));
                // Audio is counted by samples: the sender's rounding may differ by one.
                Math.Abs(seen[i].Timestamp - (long)sent[i].TimestampMs).ShouldBeLessThanOrEqualTo(type == FlvTagType.Video ? 0 : 1);
            }
        }
    }

    [Theory]
    [InlineData(0x00FF_FFFFL)]
    [InlineData(0x7FFF_FFFFL)]
    [InlineData(0xFFFF_FFFFL)]
    public void Timestamps_pass_24_31_and_32_bits(long millis)
    {
        foreach (var key in Keys)
        {
            var stream = new TestStream(new StreamOptions { RtmpChunkSize = 128 });
            var first = stream.Publish(grace: long.MaxValue / 4);
            first.Run(30);
            // A long absence brings the Timeline near the border.
            first.Lease.End(isClean: false, stream.Now);
            stream.Now += (millis * 1_000) - stream.Live.Timeline.EndMicros - 600_000;
            using var viewer = new WireViewer(stream, key);
            stream.Publish().Run(50, onFrame: () => viewer.Pull());
            var video = viewer.Messages().FindAll(message => message.Type == (byte)FlvTagType.Video);
            video.RemoveAt(0);
            video.Count.ShouldBe(50);
            video.Zip(video.Skip(1)).ShouldAllBe(pair => (uint)(pair.Second.Timestamp - pair.First.Timestamp) == 40);
            video[0].Timestamp.ShouldBeLessThan((uint)millis);
            unchecked((int)(video[^1].Timestamp - (uint)millis)).ShouldBeGreaterThan(0);
        }
    }

    [Fact]
    public void A_joiner_gets_metadata_sequence_headers_and_the_newest_key_frame_with_its_time()
    {
        foreach (var key in Keys)
        {
            var stream = new TestStream();
            var publisher = stream.Publish();
            publisher.Run(90);
            using var viewer = new WireViewer(stream, key);
            viewer.FromEnd.ShouldBeFalse();
            viewer.Pull();
            var messages = viewer.Messages();
            messages.ShouldAllBe(message => message.Type == Script ? message.Timestamp == 0 : message.Timestamp >= 3_000);
            messages.TakeWhile(message => message.Type == Script).Count().ShouldBe(key.Format == WireFormat.Rtmp ? 1 : 2);
            var media = messages.SkipWhile(message => message.Type == Script).ToList();
            Payload(media[0]).Type.ShouldBe(FlvPacketType.SequenceStart);
            Payload(media[1]).Type.ShouldBe(FlvPacketType.SequenceStart);
            Payload(media[2]).Type.ShouldBe(FlvPacketType.Frames);
            Payload(media[2]).IsKey.ShouldBeTrue();
            media[2].Timestamp.ShouldBe(3_000u);
        }
    }

    [Fact]
    public void Back_fill_gives_the_bytes_of_a_wire_log_that_was_there_from_the_start()
    {
        foreach (var key in Keys)
        {
            var stream = new TestStream();
            using var early = new WireViewer(stream, key);
            var publisher = new ClipPublisher(stream);
            publisher.Send(0, 300, () => early.Pull());
            // A TimeJump in mid-group: the join point lies in the Era before.
            publisher.Shift = 5_000_000;
            publisher.Send(300, 330, () => early.Pull());
            publisher.Lease.SetMetadata([2, 0, 10, .. "onMetaData"u8, 8, 0, 0, 0, 0, 0, 0, 9], stream.Now);

            var late = new WireReaderStub();
            var before = Bytes(early.Wire, early.Wire.Index[early.Wire.JoinNumber].Start);
            stream.Live.Detach(early.Wire, early, 0);
            stream.Sweep();
            stream.Live.WireCount.ShouldBe(0);
            var filled = stream.Live.Attach(key, late, out _, out _)!;
            Bytes(filled, filled.Index[filled.JoinNumber].Start).ShouldBe(before);
        }
    }

    private static byte[] Bytes(WireLog wire, long from)
    {
        var bytes = new byte[wire.Committed - from];
        wire.Bytes.CopyTo(from, bytes);
        return bytes;
    }

    private static bool IsEnd(ClipTag tag) => tag.Type == FlvTagType.Video && tag.Body[1] == 2;

    private static byte[] Data(SeenMessage message) => Payload(message).Data.ToArray();

    private static FlvPayload Payload(SeenMessage message)
    {
        var reader = new FlvBodyReader(message.Type == (byte)FlvTagType.Audio ? TrackKind.Audio : TrackKind.Video, message.Body);
        reader.TryRead(out var payload).ShouldBeTrue();
        return payload;
    }
}

/// <summary>A reader that is told and does nothing.</summary>
internal sealed class WireReaderStub : WireReader
{
    public int Commits { get; private set; }

    public override void OnCommitted() => Commits++;

    public override void OnSignal(WireSignal signal)
    {
    }
}
