using System.Buffers;
using Millrace.Protocols.Rtmp;

namespace Millrace.Protocols.Tests.Rtmp;

public sealed class RtmpHostileTests
{
    [Fact]
    public void A_header_that_claims_16_MB_costs_only_what_was_sent()
    {
        using var reader = new RtmpChunkReader(RtmpOptions.Default) { ChunkSize = 1 };
        var input = new List<byte> { 0x06, 0, 0, 0, 0xFF, 0xFF, 0xFF, 9, 1, 0, 0, 0, 0 };
        for (var i = 0; i < 10_000; i++)
        {
            input.AddRange([0xC6, 0]);
        }

        var sequence = new SequenceReader<byte>(new ReadOnlySequence<byte>(input.ToArray()));
        reader.TryRead(ref sequence, out _).ShouldBeFalse();

        reader.Error.ShouldBeNull();
        reader.BufferedBytes.ShouldBeLessThanOrEqualTo(64 * 1024);
    }

    [Fact]
    public void Chunk_streams_are_limited_by_count_and_unfinished_bytes_in_all()
    {
        var options = RtmpOptions.Default with { MaxBufferedBytes = 300_000 };
        var many = new List<byte>();
        for (var csid = 64; csid < 64 + 65_000; csid++)
        {
            many.AddRange([0x01, (byte)(csid - 64), (byte)((csid - 64) >> 8), 0, 0, 0, 0, 1, 0, 9, 1, 0, 0, 0, .. new byte[128]]);
        }

        ErrorOf(options, many.ToArray(), 128).ShouldBe("more than 64 chunk streams");

        var fat = new List<byte>();
        for (var csid = 3; csid < 60; csid++)
        {
            fat.AddRange([(byte)csid, 0, 0, 0, 0xFF, 0xFF, 0xFF, 9, 1, 0, 0, 0, .. new byte[30_000]]);
        }

        ErrorOf(options, fat.ToArray(), 30_000)!.ShouldContain("hold more than 300000");
    }

    [Fact]
    public void Limits_end_the_session_with_a_clear_reason()
    {
        ReasonOf(new RtmpBytes().Handshake().Connect().ToArray(), [0x06, 0, 0, 0, 0x20, 0, 0, 9, 1, 0, 0, 0], RtmpOptions.Default with { MaxMessageBytes = 1_000_000 })
            .ShouldBe("message of 2097152 bytes is longer than the limit of 1000000");
        ReasonOf(new RtmpBytes().Handshake().ToArray(), [0x02, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0]).ShouldBe("chunk size 0 is not allowed");
        ReasonOf(new RtmpBytes().Handshake().ToArray(), [0x02, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0x80, 0, 0, 0]).ShouldBe("chunk size 2147483648 is not allowed");
        ReasonOf(new RtmpBytes().Handshake().ToArray(), [0x03, 0, 0, 0, 0, 0, 2, 20, 0, 0, 0, 0, 2, 0xFF]).ShouldContain("malformed command");
        ReasonOf(new RtmpBytes().Handshake().Connect().Connect().ToArray(), []).ShouldBe("connect twice");
    }

    [Fact]
    public void Damaged_captures_never_throw_and_never_hold_much()
    {
        string[] files = ["ffmpeg-publish.bin", "nginx-push.bin", "gst-rtmpsink-librtmp.bin", "rtmpdump-live.bin"];
        var captures = files.Select(f => RtmpFeed.Capture(f)).ToArray();
        var random = new Random(20_250);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = captures[round % captures.Length][3073..];
            for (var hits = random.Next(1, 12); hits > 0; hits--)
            {
                // Near the beginning live the commands; anywhere else the chunk headers.
                bytes[random.Next(random.Next(2) == 0 ? Math.Min(400, bytes.Length) : bytes.Length)] = (byte)random.Next(256);
            }

            Play([.. Prefix, .. bytes], random);
        }

        (GC.GetTotalMemory(forceFullCollection: true) - before).ShouldBeLessThan(64L * 1024 * 1024);
    }

    [Fact]
    public void Garbage_never_throws()
    {
        var random = new Random(7);
        for (var round = 0; round < 3_000; round++)
        {
            var bytes = new byte[random.Next(2_000)];
            random.NextBytes(bytes);
            Play([.. Prefix, .. bytes], random);
        }
    }

    private static readonly byte[] Prefix = new RtmpBytes().Handshake().ToArray();

    private static void Play(byte[] bytes, Random random)
    {
        using var session = new RtmpServerSession(RtmpOptions.Default, 0);
        var reply = new ArrayBufferWriter<byte>(8192);
        var from = 0;
        var to = 3073;
        while (!session.IsClosed && from < bytes.Length)
        {
            to = Math.Min(bytes.Length, Math.Max(to, from) + random.Next(1, 4_000));
            var input = new ReadOnlySequence<byte>(bytes, from, to - from);
            session.Receive(in input, reply, 0, out var consumed);
            var used = (int)input.Slice(0, consumed).Length;
            from += used;
            var hadEvent = false;
            while (session.TryTakeEvent(out var e))
            {
                hadEvent = true;
                if (e.Kind == RtmpEventKind.PublishRequested)
                {
                    session.AcceptPublish(reply);
                }
                else if (e.Kind == RtmpEventKind.PlayRequested)
                {
                    session.AcceptPlay(reply);
                }
            }

            if (to == bytes.Length && used == 0 && !hadEvent)
            {
                break;
            }
        }

        reply.WrittenCount.ShouldBeLessThan(200_000);
    }

    private static string? ErrorOf(RtmpOptions options, byte[] bytes, int chunkSize)
    {
        using var reader = new RtmpChunkReader(options) { ChunkSize = chunkSize };
        var input = new SequenceReader<byte>(new ReadOnlySequence<byte>(bytes));
        while (reader.TryRead(ref input, out _))
        {
        }

        return reader.Error;
    }

    private static string ReasonOf(byte[] start, byte[] rest, RtmpOptions? options = null)
    {
        using var session = new RtmpServerSession(options ?? RtmpOptions.Default, 0);
        new RtmpFeed(session).Push([.. start, .. rest]);
        return session.CloseReason.ShouldNotBeNull();
    }
}
