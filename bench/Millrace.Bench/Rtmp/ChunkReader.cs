using System.Buffers.Binary;

namespace Millrace.Bench.Rtmp;

/// <summary>Bytes to RTMP messages (RTMP 1.0, 5.3). Used where a viewer parses; the mass of viewers only counts bytes.</summary>
internal sealed class ChunkReader
{
    private const int MaxMessage = 16 << 20;
    private readonly Dictionary<int, ChunkStream> _streams = [];
    private readonly ByteQueue _input = new();
    private int _chunkSize = 128;

    public void Append(ReadOnlySpan<byte> bytes) => _input.Append(bytes);

    /// <summary>Takes raw bytes of the handshake that precedes the chunks.</summary>
    public bool TryTakeRaw(int count, out ReadOnlySpan<byte> bytes)
    {
        bytes = _input.Span;
        if (bytes.Length < count) return false;
        bytes = bytes[..count];
        _input.Consume(count);
        return true;
    }

    /// <exception cref="InvalidDataException">The bytes are not RTMP.</exception>
    public bool TryRead(out MediaMessage message)
    {
        message = default;
        while (TryReadChunk(out var done))
        {
            if (done is null) continue;
            message = new MediaMessage(done.Type, done.Timestamp, done.MessageStream, done.Payload.AsMemory(0, done.Length));
            if (message.Type == MediaMessage.SetChunkSize && done.Length >= 4)
            {
                _chunkSize = (int)(BinaryPrimitives.ReadUInt32BigEndian(done.Payload) & 0x7FFFFFFF);
                if (_chunkSize is < 1 or > MaxMessage) throw new InvalidDataException($"chunk size {_chunkSize}");
            }

            return true;
        }

        return false;
    }

    private bool TryReadChunk(out ChunkStream? done)
    {
        done = null;
        var span = _input.Span;
        if (span.Length < 1) return false;
        int format = span[0] >> 6, id = span[0] & 0x3F, basic = id switch { 0 => 2, 1 => 3, _ => 1 };
        if (span.Length < basic) return false;
        if (id == 0) id = 64 + span[1];
        else if (id == 1) id = 64 + span[1] + (span[2] << 8);

        if (!_streams.TryGetValue(id, out var stream))
        {
            if (format != 0 && format != 1) throw new InvalidDataException($"chunk stream {id} starts with format {format}");
            _streams.Add(id, stream = new ChunkStream());
        }

        int header = basic + format switch { 0 => 11, 1 => 7, 2 => 3, _ => 0 };
        if (span.Length < header) return false;
        bool extended = format == 3 ? stream.Extended : ReadUInt24(span[basic..]) == 0xFFFFFF;
        int total = header + (extended ? 4 : 0);
        int length = format < 2 ? ReadUInt24(span[(basic + 3)..]) : stream.Length;
        if (length > MaxMessage) throw new InvalidDataException($"message of {length} bytes");
        int have = format == 3 ? stream.Have : 0;
        if (format != 3 && stream.Have != 0) throw new InvalidDataException("a new message starts inside another");
        int body = Math.Min(_chunkSize, length - have);
        if (span.Length < total + body) return false;

        stream.Accept(format, span[basic..total], extended);
        stream.Take(span.Slice(total, body));
        _input.Consume(total + body);
        if (stream.Have == stream.Length)
        {
            stream.Have = 0;
            done = stream;
        }

        return true;
    }

    private static int ReadUInt24(ReadOnlySpan<byte> at) => (at[0] << 16) | (at[1] << 8) | at[2];

    private sealed class ChunkStream
    {
        private uint _delta;

        public bool Extended { get; private set; }
        public byte Type { get; private set; }
        public uint Timestamp { get; private set; }
        public uint MessageStream { get; private set; }
        public int Length { get; private set; }
        public int Have { get; set; }
        public byte[] Payload { get; private set; } = [];

        public void Accept(int format, ReadOnlySpan<byte> header, bool extended)
        {
            if (format < 2)
            {
                Length = ReadUInt24(header[3..]);
                Type = header[6];
                if (Payload.Length < Length) Payload = new byte[Length];
            }

            if (format == 0) MessageStream = BinaryPrimitives.ReadUInt32LittleEndian(header[7..]);
            if (format != 3)
            {
                Extended = extended;
                _delta = extended ? BinaryPrimitives.ReadUInt32BigEndian(header[^4..]) : (uint)ReadUInt24(header);
                Timestamp = format == 0 ? _delta : Timestamp + _delta;
            }
            else if (Have == 0)
            {
                // A type 3 chunk that starts a message repeats the delta; after type 0 that is the timestamp itself (5.3.1.2.4).
                Timestamp += _delta;
            }
        }

        public void Take(ReadOnlySpan<byte> body)
        {
            body.CopyTo(Payload.AsSpan(Have));
            Have += body.Length;
        }
    }
}
