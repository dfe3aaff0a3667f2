using System.Buffers;

namespace Millrace.Protocols.Rtmp;

/// <summary>What a receiver remembers of one chunk stream: the last header and the message being put together.</summary>
internal sealed class RtmpChunkStream(int csid)
{
    private byte[]? _buffer;

    public int Csid { get; } = csid;

    /// <summary>False until the first header; only type 0 and (librtmp) type 1 may be first.</summary>
    public bool HasHeader { get; set; }

    public byte TypeId { get; set; }

    public uint StreamId { get; set; }

    public int Length { get; set; }

    /// <summary>Absolute timestamp of the current or last message, milliseconds.</summary>
    public uint Timestamp { get; set; }

    /// <summary>What a type 3 header that begins a message adds.</summary>
    public uint Delta { get; set; }

    /// <summary>The timestamp field as sent (24 or 32 bits): what the extended field of a type 3 header repeats.</summary>
    public uint Field { get; set; }

    public bool IsExtended { get; set; }

    /// <summary>Payload bytes received of the current message.</summary>
    public int Received { get; set; }

    public bool InMessage { get; set; }

    /// <summary>Size of the rented buffer, bytes.</summary>
    public int Capacity => _buffer?.Length ?? 0;

    public ReadOnlyMemory<byte> Payload => _buffer is null ? default : _buffer.AsMemory(0, Length);

    public Span<byte> Free => _buffer.AsSpan(Received);

    /// <summary>
    /// Makes room for <paramref name="needed"/> bytes in all. Doubles, so that memory follows what was received and never what a
    /// header claims.
    /// </summary>
    public void EnsureCapacity(int needed)
    {
        if (Capacity >= needed)
        {
            return;
        }

        var size = (int)Math.Min(Length, Math.Max(4096L, needed * 2L));
        var grown = ArrayPool<byte>.Shared.Rent(Math.Max(size, needed));
        if (_buffer is not null)
        {
            _buffer.AsSpan(0, Received).CopyTo(grown);
            ArrayPool<byte>.Shared.Return(_buffer);
        }

        _buffer = grown;
    }

    public void Reset()
    {
        if (_buffer is not null)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = null;
        }

        InMessage = false;
        Received = 0;
    }
}
