using System.Buffers;
using Millrace.Protocols.Rtmp;

namespace Millrace.Protocols.Tests.Rtmp;

public sealed class RtmpChunkTests
{
    [Theory]
    [InlineData(0u)]
    [InlineData(1u)]
    [InlineData(0xFFFFFEu)]
    [InlineData(0xFFFFFFu)]
    [InlineData(0x1000000u)]
    [InlineData(0x7FFFFFFFu)]
    [InlineData(0x80000000u)]
    [InlineData(0xFFFFFFFFu)]
    public void Every_timestamp_edge_survives_chunks_of_any_size_and_any_csid(uint timestamp)
    {
        var payload = Enumerable.Range(0, 300).Select(i => (byte)i).ToArray();
        foreach (var csid in new[] { 2, 63, 64, 319, 320, 65_599 })
        {
            foreach (var size in new[] { 1, 7, 128, 299, 300, 301 })
            {
                var output = new ArrayBufferWriter<byte>();
                var writer = new RtmpChunkWriter { ChunkSize = size };
                writer.Write(output, csid, RtmpMessageType.Video, timestamp, 1, payload);
                output.WrittenCount.ShouldBe(RtmpChunkWriter.MeasureMessage(payload.Length, timestamp, size, csid));

                var message = Read(output.WrittenSpan.ToArray(), size).Single();
                message.Timestamp.ShouldBe(timestamp);
                message.Csid.ShouldBe(csid);
                message.StreamId.ShouldBe(1u);
                message.Payload.ToArray().ShouldBe(payload);
            }
        }
    }

    [Theory]
    [InlineData(0xFFFFF0u, 0x10u, 0x1000000u)]
    [InlineData(0xFFFFFFF0u, 0x20u, 0x10u)]
    [InlineData(0x7FFFFFFFu, 1u, 0x80000000u)]
    public void Deltas_wrap_at_32_bits(uint from, uint delta, uint expected)
    {
        var output = new ArrayBufferWriter<byte>();
        new RtmpChunkWriter().Write(output, 4, RtmpMessageType.Audio, from, 1, [1]);
        output.Write<byte>([0x44, (byte)(delta >> 16), (byte)(delta >> 8), (byte)delta, 0, 0, 2, 8, 9, 9]);

        var messages = Read(output.WrittenSpan.ToArray());

        messages[1].Timestamp.ShouldBe(expected);
        messages[1].Payload.Length.ShouldBe(2);
    }

    [Fact]
    public void Type_2_and_type_3_headers_repeat_length_type_and_delta()
    {
        byte[] bytes =
        [
            0x04, 0, 0, 100, 0, 0, 1, 8, 1, 0, 0, 0, 0xA0,
            0x84, 0, 0, 23, 0xA1,
            0xC4, 0xA2,
            0xC4, 0xA3,
        ];

        Read(bytes).Select(m => m.Timestamp).ShouldBe([100u, 123u, 146u, 169u]);
    }

    [Theory]
    [InlineData(23, 46)]
    [InlineData(50_000, 50_000)]
    public void Type_3_behind_type_0_adds_its_timestamp_only_when_that_can_be_a_delta(int first, int second)
    {
        byte[] bytes = [0x04, (byte)(first >> 16), (byte)(first >> 8), (byte)first, 0, 0, 1, 8, 1, 0, 0, 0, 0xA0, 0xC4, 0xA1];

        Read(bytes).Select(m => (int)m.Timestamp).ShouldBe([first, second]);
    }

    [Fact]
    public void A_first_header_of_type_1_is_tolerated_and_of_type_2_or_3_is_not()
    {
        Read([0x43, 0, 0, 5, 0, 0, 1, 8, 0xAA]).Single().Timestamp.ShouldBe(5u);
        ErrorOf([0x83, 0, 0, 5, 0xAA])!.ShouldContain("type 2");
        ErrorOf([0xC3, 0xAA])!.ShouldContain("type 3");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_extended_timestamp_of_continuations_may_be_repeated_or_left_out(bool isRepeated)
    {
        var payload = new byte[200];
        Array.Fill(payload, (byte)0x77);
        List<byte> bytes = [0x06, 0xFF, 0xFF, 0xFF, 0, 0, 200, 9, 1, 0, 0, 0, 0x01, 0x02, 0x03, 0x04, .. payload[..128], 0xC6];
        if (isRepeated)
        {
            bytes.AddRange([0x01, 0x02, 0x03, 0x04]);
        }

        bytes.AddRange(payload[128..]);

        var message = Read([.. bytes]).Single();

        message.Timestamp.ShouldBe(0x01020304u);
        message.Payload.ToArray().ShouldBe(payload);
    }

    [Fact]
    public void Messages_of_several_chunk_streams_interleave()
    {
        byte[] audio = [.. Enumerable.Repeat((byte)1, 130)];
        byte[] video = [.. Enumerable.Repeat((byte)2, 130)];
        byte[] bytes =
        [
            0x04, 0, 0, 1, 0, 0, 130, 8, 1, 0, 0, 0, .. audio[..128],
            0x06, 0, 0, 2, 0, 0, 130, 9, 1, 0, 0, 0, .. video[..128],
            0xC4, .. audio[128..], 0xC6, .. video[128..],
        ];

        var messages = Read(bytes);

        messages.Select(m => m.Type).ShouldBe([RtmpMessageType.Audio, RtmpMessageType.Video]);
        messages[0].Payload.ToArray().ShouldBe(audio);
        messages[1].Payload.ToArray().ShouldBe(video);
    }

    [Fact]
    public void An_aborted_message_is_forgotten_and_its_chunk_stream_goes_on()
    {
        using var reader = new RtmpChunkReader(RtmpOptions.Default);
        Feed(reader, [0x06, 0, 0, 2, 0, 0, 200, 9, 1, 0, 0, 0, .. new byte[128]]).ShouldBeEmpty();
        reader.BufferedBytes.ShouldBeGreaterThan(0);

        reader.Abort(6);

        reader.BufferedBytes.ShouldBe(0);
        Feed(reader, [0x06, 0, 0, 3, 0, 0, 1, 9, 1, 0, 0, 0, 5]).Single().Timestamp.ShouldBe(3u);
    }

    [Fact]
    public void A_new_message_inside_another_is_an_error()
    {
        ErrorOf([0x06, 0, 0, 2, 0, 0, 200, 9, 1, 0, 0, 0, .. new byte[128], 0x06, 0, 0, 2, 0, 0, 200, 9, 1, 0, 0, 0])!
            .ShouldContain("inside another");
    }

    [Fact]
    public void A_message_in_one_piece_of_input_is_not_copied()
    {
        using var reader = new RtmpChunkReader(RtmpOptions.Default);
        byte[] bytes = [0x04, 0, 0, 1, 0, 0, 2, 8, 1, 0, 0, 0, 7, 8];
        var input = new SequenceReader<byte>(new ReadOnlySequence<byte>(bytes));

        reader.TryRead(ref input, out var message).ShouldBeTrue();
        bytes[12] = 99;

        message.Payload.Span[0].ShouldBe((byte)99);
        reader.BufferedBytes.ShouldBe(0);
    }

    [Fact]
    public void A_stream_of_messages_allocates_nothing()
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new RtmpChunkWriter { ChunkSize = 4096 };
        for (var i = 0; i < 100; i++)
        {
            writer.Write(output, 6, RtmpMessageType.Video, (uint)i * 40, 1, new byte[10_000]);
            writer.Write(output, 4, RtmpMessageType.Audio, (uint)i * 40, 1, new byte[300]);
        }

        using var reader = new RtmpChunkReader(RtmpOptions.Default) { ChunkSize = 4096 };
        var bytes = new ReadOnlySequence<byte>(output.WrittenMemory);
        Count(reader, bytes).ShouldBe(200);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Count(reader, bytes).ShouldBe(200);

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(2_000);
    }

    private static int Count(RtmpChunkReader reader, ReadOnlySequence<byte> bytes)
    {
        var input = new SequenceReader<byte>(bytes);
        var count = 0;
        while (reader.TryRead(ref input, out _))
        {
            count++;
        }

        return count;
    }

    private static List<RtmpMessage> Read(byte[] bytes, int chunkSize = 128)
    {
        using var reader = new RtmpChunkReader(RtmpOptions.Default) { ChunkSize = chunkSize };
        var messages = Feed(reader, bytes);
        reader.Error.ShouldBeNull();
        return messages;
    }

    private static string? ErrorOf(byte[] bytes)
    {
        using var reader = new RtmpChunkReader(RtmpOptions.Default);
        Feed(reader, bytes);
        return reader.Error;
    }

    private static List<RtmpMessage> Feed(RtmpChunkReader reader, byte[] bytes)
    {
        var input = new SequenceReader<byte>(new ReadOnlySequence<byte>(bytes));
        var messages = new List<RtmpMessage>();
        while (reader.TryRead(ref input, out var message))
        {
            messages.Add(message with { Payload = message.Payload.ToArray() });
        }

        return messages;
    }
}
