using System.Buffers;
using System.Buffers.Binary;
using Millrace.Media.Flv;
using Millrace.Protocols.Rtmp;
using Millrace.Streams.Buffers;
using Millrace.Streams.Wire;

namespace Millrace.Streams.Packaging;

/// <summary>
/// Frames message bodies for the wire: RTMP chunks with full headers and absolute times (so that a viewer can start at any
/// message), FLV tags, or FLV tags in WebSocket messages.
/// </summary>
internal static class WireFraming
{
    private const int FlvOverhead = FlvTagHeader.Length + FlvTagHeader.TrailerLength;
    private const int LargestPrefix = 32;

    /// <summary>Bytes of a framed message.</summary>
    public static long Measure(in WireKey key, int chunkSize, uint timestamp, int bodyLength)
    {
        if (key.Format == WireFormat.Rtmp)
            return RtmpChunkWriter.MeasureMessage(bodyLength, timestamp, chunkSize, RtmpIds.VideoCsid);
        var tag = (long)bodyLength + FlvOverhead;
        return tag + key.Format switch
        {
            WireFormat.WsFlv => WebSocketHeaderLength(tag),
            WireFormat.ChunkedFlv => HttpChunk.HeaderLength(tag) + HttpChunk.End.Length,
            _ => 0,
        };
    }

    /// <summary>Appends one framed message whose body is <paramref name="head"/> followed by bytes of the stream log.</summary>
    public static void Append(BlockLog target, in WireKey key, int chunkSize, byte type, uint timestamp, ReadOnlySpan<byte> head, BlockLog? source, long position, int length)
    {
        Span<byte> prefix = stackalloc byte[LargestPrefix];
        var body = head.Length + length;
        if (key.Format == WireFormat.Rtmp)
        {
            AppendChunks(target, key, chunkSize, type, timestamp, head, source, position, length);
            return;
        }

        var used = WriteEnvelope(prefix, key.Format, (long)body + FlvOverhead);
        FlvTagHeader.Write(prefix[used..], (FlvTagType)type, body, timestamp);
        target.Append(prefix[..(used + FlvTagHeader.Length)]);
        target.Append(head);
        while (length > 0)
        {
            var run = source!.Read(position, length);
            target.Append(run);
            position += run.Length;
            length -= run.Length;
        }

        FlvTagHeader.WriteTrailer(prefix, body);
        target.Append(prefix[..FlvTagHeader.TrailerLength]);
        if (key.Format == WireFormat.ChunkedFlv)
            target.Append(HttpChunk.End);
    }

    /// <summary>What a viewer that starts at a join point is sent first, stamped with that point's time.</summary>
    public static byte[] FramePreamble(in WireKey key, WirePreamble preamble, long dtsMillis, int chunkSize)
    {
        if (key.Format == WireFormat.Relay)
            return preamble.Headers[0].Body.ToArray();
        var output = new ArrayBufferWriter<byte>(1024);
        foreach (var header in preamble.Headers)
            FrameHeader(output, key, header, header.TimestampAt(dtsMillis), chunkSize);
        return output.WrittenSpan.ToArray();
    }

    private static void FrameHeader(ArrayBufferWriter<byte> output, in WireKey key, in WireHeader header, uint timestamp, int chunkSize)
    {
        var body = header.Body.Span;
        var prefix = output.GetSpan(LargestPrefix);
        if (key.Format != WireFormat.Rtmp)
        {
            var used = WriteEnvelope(prefix, key.Format, (long)body.Length + FlvOverhead);
            FlvTagHeader.Write(prefix[used..], (FlvTagType)header.Type, body.Length, timestamp);
            output.Advance(used + FlvTagHeader.Length);
            output.Write(body);
            FlvTagHeader.WriteTrailer(output.GetSpan(FlvTagHeader.TrailerLength), body.Length);
            output.Advance(FlvTagHeader.TrailerLength);
            if (key.Format == WireFormat.ChunkedFlv)
                output.Write(HttpChunk.End);
            return;
        }

        var csid = ChunkStreamOf(header.Type);
        output.Advance(RtmpChunkWriter.WriteType0Header(prefix, csid, timestamp, body.Length, header.Type, key.MessageStreamId));
        while (body.Length > chunkSize)
        {
            output.Write(body[..chunkSize]);
            body = body[chunkSize..];
            output.Advance(RtmpChunkWriter.WriteType3Header(output.GetSpan(LargestPrefix), csid, timestamp));
        }

        output.Write(body);
    }

    private static void AppendChunks(BlockLog target, in WireKey key, int chunkSize, byte type, uint timestamp, ReadOnlySpan<byte> head, BlockLog? source, long position, int length)
    {
        Span<byte> prefix = stackalloc byte[LargestPrefix];
        var csid = ChunkStreamOf(type);
        var used = RtmpChunkWriter.WriteType0Header(prefix, csid, timestamp, head.Length + length, type, key.MessageStreamId);
        target.Append(prefix[..used]);
        used = RtmpChunkWriter.WriteType3Header(prefix, csid, timestamp);
        var continuation = prefix[..used];
        var room = chunkSize;
        while (head.Length > 0)
        {
            AppendRun(target, continuation, chunkSize, ref room, head[..Math.Min(head.Length, room == 0 ? chunkSize : room)], out var taken);
            head = head[taken..];
        }

        while (length > 0)
        {
            var run = source!.Read(position, Math.Min(length, room == 0 ? chunkSize : room));
            AppendRun(target, continuation, chunkSize, ref room, run, out var taken);
            position += taken;
            length -= taken;
        }
    }

    private static void AppendRun(BlockLog target, ReadOnlySpan<byte> continuation, int chunkSize, ref int room, ReadOnlySpan<byte> run, out int taken)
    {
        if (room == 0)
        {
            target.Append(continuation);
            room = chunkSize;
        }

        taken = run.Length;
        target.Append(run);
        room -= taken;
    }

    private static int ChunkStreamOf(byte type) => type switch
    {
        (byte)RtmpMessageType.Audio => RtmpIds.AudioCsid,
        (byte)RtmpMessageType.Video => RtmpIds.VideoCsid,
        _ => RtmpIds.DataCsid,
    };

    private static int WriteEnvelope(Span<byte> target, WireFormat format, long payload) => format switch
    {
        WireFormat.WsFlv => WriteWebSocketHeader(target, payload),
        WireFormat.ChunkedFlv => HttpChunk.WriteHeader(target, payload),
        _ => 0,
    };

    private static int WebSocketHeaderLength(long payload) => payload < 126 ? 2 : payload <= ushort.MaxValue ? 4 : 10;

    private static int WriteWebSocketHeader(Span<byte> target, long payload)
    {
        const byte FinalBinary = 0x82;
        target[0] = FinalBinary;
        switch (WebSocketHeaderLength(payload))
        {
            case 2:
                target[1] = (byte)payload;
                return 2;
            case 4:
                target[1] = 126;
                BinaryPrimitives.WriteUInt16BigEndian(target[2..], (ushort)payload);
                return 4;
            default:
                target[1] = 127;
                BinaryPrimitives.WriteInt64BigEndian(target[2..], payload);
                return 10;
        }
    }
}
