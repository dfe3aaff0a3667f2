using System.Buffers;
using System.Buffers.Binary;

namespace Millrace.Protocols.Rtmp;

/// <summary>
/// Puts messages together from chunks (RTMP 1.0, 5.3). Buffers come from the shared pool; a message that lies in one chunk and in
/// one piece of the input is handed out as a slice of the input.
/// </summary>
internal sealed class RtmpChunkReader(RtmpOptions options) : IDisposable
{
    /// <summary>
    /// A type 3 header that begins a message right behind a type 0 adds that header's timestamp (5.3.1.2.4), as ffmpeg sends it. librtmp
    /// and nginx-rtmp mean "same timestamp" instead. A delta above this many milliseconds can only be the second.
    /// </summary>
    private const uint MaxImpliedDelta = 1_000;

    /// <summary>Chunk streams below this are found by index; every player and encoder in use stays below it.</summary>
    private const int LowIds = 64;

    // A player uses one or two of the first: the table is grown when an id asks for it.
    private RtmpChunkStream?[] _low = new RtmpChunkStream?[4];
    private Dictionary<int, RtmpChunkStream>? _high;
    private RtmpChunkStream? _current;
    private RtmpChunkStream? _delivered;
    private int _chunkLeft;
    private int _count;

    /// <summary>The peer's chunk size, bytes.</summary>
    public int ChunkSize { get; set; } = RtmpIds.DefaultChunkSize;

    /// <summary>Set once, when the input cannot be RTMP or breaks a limit; nothing is read after that.</summary>
    public string? Error { get; private set; }

    /// <summary>Limit of <see cref="BufferedBytes"/>; <see cref="RtmpOptions.MaxBufferedBytes"/> unless the session says less.</summary>
    public int MaxBufferedBytes { get; set; } = options.MaxBufferedBytes;

    /// <summary>Bytes of pooled memory in use.</summary>
    public long BufferedBytes { get; private set; }

    /// <summary>
    /// Reads until one message is complete (true) or the input is used up but for a piece of a header (false). The payload stays valid
    /// until the next call.
    /// </summary>
    public bool TryRead(ref SequenceReader<byte> input, out RtmpMessage message)
    {
        Release();
        message = default;
        while (Error is null)
        {
            if (_current is null && !TryReadHeader(ref input))
            {
                return false;
            }

            if (_current is null)
            {
                continue;
            }

            if (!TryReadPayload(ref input, out message, out var complete))
            {
                return false;
            }

            if (complete)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Gives back the buffer of the message handed out last.</summary>
    public void Release()
    {
        if (_delivered is not null)
        {
            Drop(_delivered);
            _delivered = null;
        }
    }

    /// <summary>Forgets the unfinished message of a chunk stream (5.4.2).</summary>
    public void Abort(int csid)
    {
        if (Find(csid) is { } stream)
        {
            if (ReferenceEquals(stream, _current))
            {
                _current = null;
            }

            Drop(stream);
        }
    }

    public void Dispose()
    {
        foreach (var stream in _low)
        {
            stream?.Reset();
        }

        if (_high is not null)
        {
            foreach (var stream in _high.Values)
            {
                stream.Reset();
            }
        }

        _current = _delivered = null;
        BufferedBytes = 0;
        Error ??= "closed";
    }

    /// <summary>False when more bytes are needed. True with no current chunk stream after an error.</summary>
    private bool TryReadHeader(ref SequenceReader<byte> input)
    {
        Span<byte> scratch = stackalloc byte[RtmpChunkHeader.MaxSize];
        var bytes = Peek(in input, scratch);
        if (!RtmpChunkHeader.TryParse(bytes, out var header))
        {
            return false;
        }

        var stream = Find(header.Csid);
        if (Refusal(stream, in header) is { } refusal)
        {
            return Fail(refusal);
        }

        var size = header.Size;
        var isExtended = header.Format == 3 ? stream!.IsExtended : header.Field == RtmpIds.ExtendedTimestamp;
        var field = header.Format == 3 ? stream!.Field : header.Field;
        if (isExtended)
        {
            if (bytes.Length < size + 4)
            {
                return false;
            }

            var extended = BinaryPrimitives.ReadUInt32BigEndian(bytes[size..]);
            if (header.Format != 3)
            {
                field = extended;
                size += 4;
            }
            else if (extended == field || extended == stream!.Timestamp)
            {
                // Adobe repeats the field on type 3 chunks (5.3.1.3); older ffmpeg leaves it out. Equal bytes tell which.
                size += 4;
            }
        }

        input.Advance(size);
        stream ??= Add(header.Csid);
        Apply(stream, in header, field, isExtended);
        _current = stream;
        _chunkLeft = Math.Min(ChunkSize, stream.Length - stream.Received);
        return true;
    }

    private string? Refusal(RtmpChunkStream? stream, in RtmpChunkHeader header)
    {
        if (header.Format <= 1 && header.Length > options.MaxMessageBytes)
        {
            return $"message of {header.Length} bytes is longer than the limit of {options.MaxMessageBytes}";
        }

        if (stream is null)
        {
            return header.Format > 1 ? $"chunk stream {header.Csid} begins with a type {header.Format} header"
                : _count >= options.MaxChunkStreams ? $"more than {options.MaxChunkStreams} chunk streams"
                : null;
        }

        if (!stream.InMessage || header.Format == 3)
        {
            return null;
        }

        // Type 3 is only a SHOULD for continuations (5.3.1.2.4): others are allowed if they describe the same message.
        var same = header.Format == 2 || header.Format == 1 && header.Length == stream.Length && header.TypeId == stream.TypeId;
        return same ? null : $"new message inside another on chunk stream {header.Csid}";
    }

    private static void Apply(RtmpChunkStream stream, in RtmpChunkHeader header, uint field, bool isExtended)
    {
        if (stream.InMessage)
        {
            return;
        }

        if (header.Format <= 2)
        {
            stream.IsExtended = isExtended;
            stream.Field = field;
        }

        if (header.Format <= 1)
        {
            stream.Length = header.Length;
            stream.TypeId = header.TypeId;
        }

        if (header.Format == 0)
        {
            stream.StreamId = header.StreamId;
            stream.Timestamp = field;
            stream.Delta = field <= MaxImpliedDelta ? field : 0;
        }
        else
        {
            stream.Delta = header.Format == 3 ? stream.Delta : field;
            stream.Timestamp = unchecked(stream.Timestamp + stream.Delta);
        }

        stream.HasHeader = stream.InMessage = true;
        stream.Received = 0;
    }

    /// <summary>False when the input is used up before the chunk ends.</summary>
    private bool TryReadPayload(ref SequenceReader<byte> input, out RtmpMessage message, out bool complete)
    {
        var stream = _current!;
        message = default;
        complete = false;
        if (stream.Received == 0 && _chunkLeft == stream.Length && input.UnreadSpan.Length >= _chunkLeft)
        {
            var payload = input.Sequence.Slice(input.Position, _chunkLeft).First;
            input.Advance(_chunkLeft);
            message = Finish(stream, payload);
            complete = true;
            return true;
        }

        while (_chunkLeft > 0)
        {
            var take = Math.Min(_chunkLeft, input.UnreadSpan.Length);
            if (take == 0)
            {
                return false;
            }

            if (!TryReserve(stream, stream.Received + take))
            {
                return true;
            }

            input.UnreadSpan[..take].CopyTo(stream.Free);
            input.Advance(take);
            stream.Received += take;
            _chunkLeft -= take;
        }

        if (stream.Received < stream.Length)
        {
            _current = null;
            return true;
        }

        _delivered = stream;
        message = Finish(stream, stream.Payload);
        complete = true;
        return true;
    }

    private RtmpMessage Finish(RtmpChunkStream stream, ReadOnlyMemory<byte> payload)
    {
        _current = null;
        stream.InMessage = false;
        return new RtmpMessage((RtmpMessageType)stream.TypeId, stream.Timestamp, stream.StreamId, stream.Csid, payload);
    }

    private bool TryReserve(RtmpChunkStream stream, int needed)
    {
        if (stream.Capacity >= needed)
        {
            return true;
        }

        if (BufferedBytes - stream.Capacity + needed > MaxBufferedBytes)
        {
            Fail($"unfinished messages hold more than {MaxBufferedBytes} bytes");
            return false;
        }

        BufferedBytes -= stream.Capacity;
        stream.EnsureCapacity(needed);
        BufferedBytes += stream.Capacity;
        return true;
    }

    private void Drop(RtmpChunkStream stream)
    {
        BufferedBytes -= stream.Capacity;
        stream.Reset();
    }

    private bool Fail(string reason)
    {
        Error ??= reason;
        _current = null;
        return true;
    }

    private RtmpChunkStream? Find(int csid) =>
        (uint)csid < (uint)_low.Length ? _low[csid] : _high is not null && _high.TryGetValue(csid, out var stream) ? stream : null;

    private RtmpChunkStream Add(int csid)
    {
        var stream = new RtmpChunkStream(csid);
        _count++;
        if (csid < LowIds)
        {
            if (csid >= _low.Length)
            {
                Array.Resize(ref _low, csid < 8 ? 8 : LowIds);
            }

            _low[csid] = stream;
        }
        else
        {
            (_high ??= []).Add(csid, stream);
        }

        return stream;
    }

    /// <summary>The next bytes as one span: in place when they are contiguous, else copied.</summary>
    private static ReadOnlySpan<byte> Peek(in SequenceReader<byte> input, Span<byte> scratch)
    {
        if (input.UnreadSpan.Length >= scratch.Length || input.Remaining == input.UnreadSpan.Length)
        {
            return input.UnreadSpan;
        }

        var length = (int)Math.Min(scratch.Length, input.Remaining);
        input.TryCopyTo(scratch[..length]);
        return scratch[..length];
    }
}
