using System.Buffers;
using System.Buffers.Binary;

namespace Millrace.Protocols.Rtmp;

/// <summary>
/// Writes messages as chunks with full (type 0) headers, and type 3 headers inside a message. The static members are the same
/// rules as plain functions, for packagers that lay out shared bytes themselves.
/// </summary>
internal sealed class RtmpChunkWriter
{
    /// <summary>Longest header written here: 3 bytes basic, 11 message, 4 extended timestamp.</summary>
    public const int MaxHeaderSize = RtmpChunkHeader.MaxSize;

    /// <summary>Payload bytes per chunk; the caller announces a change to the peer before it sets this.</summary>
    public int ChunkSize { get; set; } = RtmpIds.DefaultChunkSize;

    /// <summary>
    /// Writes the header that begins a message (5.3.1.2.1). Returns the bytes written, at most <see cref="MaxHeaderSize"/>; throws
    /// IndexOutOfRangeException when <paramref name="destination"/> is too short, which is a bug of the caller.
    /// </summary>
    /// <param name="timestamp">Absolute, milliseconds; from 0xFFFFFF on the extended field is written too.</param>
    /// <param name="length">Payload bytes of the whole message, 0 to 0xFFFFFF.</param>
    public static int WriteType0Header(Span<byte> destination, int csid, uint timestamp, int length, byte typeId, uint messageStreamId)
    {
        var at = WriteBasicHeader(destination, 0, csid);
        var isExtended = timestamp >= RtmpIds.ExtendedTimestamp;
        var field = isExtended ? RtmpIds.ExtendedTimestamp : timestamp;
        BinaryPrimitives.WriteUInt16BigEndian(destination[at..], (ushort)(field >> 8));
        destination[at + 2] = (byte)field;
        BinaryPrimitives.WriteUInt16BigEndian(destination[(at + 3)..], (ushort)(length >> 8));
        destination[at + 5] = (byte)length;
        destination[at + 6] = typeId;
        BinaryPrimitives.WriteUInt32LittleEndian(destination[(at + 7)..], messageStreamId);
        at += 11;
        return isExtended ? WriteExtended(destination, at, timestamp) : at;
    }

    /// <summary>Writes the header of a continuation (5.3.1.2.4), which repeats an extended timestamp (5.3.1.3). Returns 1 to 7.</summary>
    public static int WriteType3Header(Span<byte> destination, int csid, uint timestamp)
    {
        var at = WriteBasicHeader(destination, 3, csid);
        return timestamp >= RtmpIds.ExtendedTimestamp ? WriteExtended(destination, at, timestamp) : at;
    }

    /// <summary>Bytes that a message takes on the wire, headers included.</summary>
    public static int MeasureMessage(int length, uint timestamp, int chunkSize, int csid)
    {
        var basic = BasicHeaderSize(csid);
        var extended = timestamp >= RtmpIds.ExtendedTimestamp ? 4 : 0;
        var continuations = length == 0 ? 0 : (length - 1) / chunkSize;
        return basic + 11 + extended + length + continuations * (basic + extended);
    }

    public static int BasicHeaderSize(int csid) => csid switch { < 64 => 1, < 320 => 2, _ => 3 };

    /// <summary>Writes one whole message.</summary>
    public void Write(IBufferWriter<byte> output, int csid, RtmpMessageType type, uint timestamp, uint messageStreamId, ReadOnlySpan<byte> payload)
    {
        var header = output.GetSpan(MaxHeaderSize);
        output.Advance(WriteType0Header(header, csid, timestamp, payload.Length, (byte)type, messageStreamId));
        while (true)
        {
            var size = Math.Min(ChunkSize, payload.Length);
            output.Write(payload[..size]);
            payload = payload[size..];
            if (payload.IsEmpty)
            {
                return;
            }

            output.Advance(WriteType3Header(output.GetSpan(MaxHeaderSize), csid, timestamp));
        }
    }

    /// <summary>A protocol control message of one 32-bit number (5.4): chunk size, acknowledgement, window.</summary>
    public void WriteControl(IBufferWriter<byte> output, RtmpMessageType type, uint value)
    {
        Span<byte> body = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(body, value);
        Write(output, RtmpIds.ProtocolCsid, type, 0, 0, body);
    }

    /// <summary>SetPeerBandwidth (5.4.5) with limit type 2, dynamic.</summary>
    public void WritePeerBandwidth(IBufferWriter<byte> output, uint window)
    {
        Span<byte> body = stackalloc byte[5];
        BinaryPrimitives.WriteUInt32BigEndian(body, window);
        body[4] = 2;
        Write(output, RtmpIds.ProtocolCsid, RtmpMessageType.SetPeerBandwidth, 0, 0, body);
    }

    /// <summary>A user control message (6.2, 7.1.7) of one 32-bit number, or two for SetBufferLength.</summary>
    public void WriteUserControl(IBufferWriter<byte> output, RtmpUserControl kind, uint value, uint second = 0)
    {
        Span<byte> body = stackalloc byte[10];
        BinaryPrimitives.WriteUInt16BigEndian(body, (ushort)kind);
        BinaryPrimitives.WriteUInt32BigEndian(body[2..], value);
        BinaryPrimitives.WriteUInt32BigEndian(body[6..], second);
        Write(output, RtmpIds.ProtocolCsid, RtmpMessageType.UserControl, 0, 0, kind == RtmpUserControl.SetBufferLength ? body : body[..6]);
    }

    private static int WriteBasicHeader(Span<byte> destination, int format, int csid)
    {
        var top = (byte)(format << 6);
        switch (BasicHeaderSize(csid))
        {
            case 1:
                destination[0] = (byte)(top | csid);
                return 1;
            case 2:
                destination[0] = top;
                destination[1] = (byte)(csid - 64);
                return 2;
            default:
                destination[0] = (byte)(top | 1);
                BinaryPrimitives.WriteUInt16LittleEndian(destination[1..], (ushort)(csid - 64));
                return 3;
        }
    }

    private static int WriteExtended(Span<byte> destination, int at, uint timestamp)
    {
        BinaryPrimitives.WriteUInt32BigEndian(destination[at..], timestamp);
        return at + 4;
    }
}
