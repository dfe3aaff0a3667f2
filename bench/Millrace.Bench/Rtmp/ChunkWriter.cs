using System.Buffers;
using System.Buffers.Binary;

namespace Millrace.Bench.Rtmp;

/// <summary>RTMP messages to bytes, always with full (type 0) headers.</summary>
internal sealed class ChunkWriter
{
    private int _chunkSize = 128;

    public void WriteChunkSize(IBufferWriter<byte> to, int size)
    {
        WriteNumber(to, MediaMessage.SetChunkSize, (uint)size);
        _chunkSize = size;
    }

    public void WriteNumber(IBufferWriter<byte> to, byte type, uint value)
    {
        Span<byte> payload = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(payload, value);
        Write(to, 2, type, 0, 0, payload);
    }

    public void Write(IBufferWriter<byte> to, int chunkStream, byte type, uint timestamp, uint messageStream, ReadOnlySpan<byte> payload)
    {
        Span<byte> header = to.GetSpan(12);
        header[0] = (byte)chunkStream;
        WriteUInt24(header[1..], (int)Math.Min(timestamp, 0xFFFFFF));
        WriteUInt24(header[4..], payload.Length);
        header[7] = type;
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], messageStream);
        to.Advance(12);
        bool extended = timestamp >= 0xFFFFFF;
        if (extended) WriteExtended(to, timestamp);
        while (payload.Length > _chunkSize)
        {
            to.Write(payload[.._chunkSize]);
            payload = payload[_chunkSize..];
            to.Write((ReadOnlySpan<byte>)[(byte)(0xC0 | chunkStream)]);
            if (extended) WriteExtended(to, timestamp);
        }

        to.Write(payload);
    }

    private static void WriteExtended(IBufferWriter<byte> to, uint timestamp)
    {
        BinaryPrimitives.WriteUInt32BigEndian(to.GetSpan(4), timestamp);
        to.Advance(4);
    }

    private static void WriteUInt24(Span<byte> at, int value) => (at[0], at[1], at[2]) = ((byte)(value >> 16), (byte)(value >> 8), (byte)value);
}
