using System.Buffers;
using Millrace.Media.Flv;
using Millrace.Protocols.Relay;
using Millrace.Protocols.Rtmp;
using Millrace.Streams;
using Millrace.Streams.Buffers;
using Millrace.Streams.Wire;

namespace Millrace.Fuzz.Targets;

/// <summary>A viewer of one wire log that checks each byte which it is sent: whatever was published, the framing is whole.</summary>
internal sealed unsafe class WireViewer : WireReader
{
    private readonly Cursor _cursor;
    private readonly ArrayBufferWriter<byte> _received = new(8 * 1024);
    private readonly RtmpChunkReader _chunks = new(RtmpOptions.Default);
    private readonly FlvTagReader _tags = new();
    private WireLog? _wire;
    private int _parsed;
    private bool _hasLeft;
    private bool _keeps;

    private WireViewer(MemoryAccount spills) => _cursor = new Cursor(spills);

    public static WireViewer? Attach(LiveStream stream, WireKey key, MemoryBudget budget)
    {
        var viewer = new WireViewer(budget[MemoryUse.Spills]);
        viewer._wire = stream.Attach(key, viewer, out var fromEnd, out _);
        if (viewer._wire is null)
            return null;
        viewer._chunks.ChunkSize = viewer._wire.ChunkSize;
        viewer._cursor.Attach(viewer._wire, fromEnd);
        return viewer;
    }

    public static void PumpAll(WireViewer?[] viewers)
    {
        foreach (var viewer in viewers)
            viewer?.Pump(int.MaxValue);
    }

    /// <summary>Takes about so many bytes, as a socket would, and reads them.</summary>
    public void Pump(int limit)
    {
        if (_wire is null || _hasLeft)
            return;
        var floor = _wire.Floor;
        // No room for the rest of a message: the node closes such a viewer.
        if (!_cursor.TryFollow())
        {
            _hasLeft = true;
            return;
        }

        Span<WireRun> runs = stackalloc WireRun[4];
        while (limit > 0 && _cursor.Fill(runs, limit, out _) is var count and > 0)
        {
            var sent = 0;
            for (var i = 0; i < count && sent < limit; i++)
            {
                var take = Math.Min((int)runs[i].Length, limit - sent);
                _received.Write(new ReadOnlySpan<byte>(runs[i].Address, take));
                sent += take;
            }

            _cursor.Advance(sent);
            limit -= sent;
        }

        Publish(floor);
        if (!_keeps)
            Parse();
    }

    /// <summary>All that is there, as it is.</summary>
    public byte[] TakeAll()
    {
        _keeps = true;
        Pump(int.MaxValue);
        return _received.WrittenSpan.ToArray();
    }

    public void Detach(LiveStream stream, long now)
    {
        if (_wire is { } wire)
            stream.Detach(wire, this, now);
        _cursor.Dispose();
        _chunks.Dispose();
    }

    public override void OnCommitted()
    {
    }

    public override void OnSignal(WireSignal signal)
    {
    }

    private void Parse()
    {
        var rest = _received.WrittenMemory[_parsed..];
        _parsed += _wire!.Key.Format switch
        {
            WireFormat.Rtmp => ParseChunks(rest),
            WireFormat.Flv => ParseTags(rest.Span),
            WireFormat.Relay => ParseMessages(rest.Span),
            _ => ParseFrames(rest.Span),
        };
        if (_parsed < _received.WrittenCount)
            return;
        _received.ResetWrittenCount();
        _parsed = 0;
    }

    private int ParseChunks(ReadOnlyMemory<byte> bytes)
    {
        var reader = new SequenceReader<byte>(new ReadOnlySequence<byte>(bytes));
        while (_chunks.TryRead(ref reader, out var message))
        {
            BrokenInvariantException.ThrowIf(message.Type is not (RtmpMessageType.Audio or RtmpMessageType.Video or RtmpMessageType.DataAmf0), $"message type {message.Type}");
            BrokenInvariantException.ThrowIf(message.Payload.IsEmpty, "an empty message");
        }

        BrokenInvariantException.ThrowIf(_chunks.Error is not null, $"RTMP: {_chunks.Error}");
        return (int)reader.Consumed;
    }

    private int ParseTags(ReadOnlySpan<byte> bytes)
    {
        var taken = 0;
        bool isTag;
        do
        {
            isTag = _tags.TryRead(bytes[taken..], out var consumed, out _);
            taken += consumed;
        }
        while (isTag);

        BrokenInvariantException.ThrowIf(_tags.Error is not null, $"FLV: {_tags.Error}");
        return taken;
    }

    private static int ParseMessages(ReadOnlySpan<byte> bytes)
    {
        var taken = 0;
        while (RelayFrame.TryReadHeader(bytes[taken..], out var type, out var header, out var length) && bytes.Length - taken >= header + length)
        {
            BrokenInvariantException.ThrowIf(!RelayRules.IsLog(type) || length > RelayRules.Limit(type), $"a message of the log of type {type} with {length} bytes");
            taken += header + length;
        }

        return taken;
    }

    /// <summary>One final binary message for each tag, unmasked (RFC 6455 5.2).</summary>
    private static int ParseFrames(ReadOnlySpan<byte> bytes)
    {
        var taken = 0;
        while (bytes.Length - taken >= 10)
        {
            var frame = bytes[taken..];
            BrokenInvariantException.ThrowIf(frame[0] != 0x82, $"a WebSocket frame that begins with {frame[0]:x2}");
            var (head, length) = frame[1] switch { 126 => (4, (frame[2] << 8) | frame[3]), 127 => (10, (frame[6] << 24) | (frame[7] << 16) | (frame[8] << 8) | frame[9]), var small => (2, small) };
            if (frame.Length < head + length)
                break;
            var body = (frame[head + 1] << 16) | (frame[head + 2] << 8) | frame[head + 3];
            BrokenInvariantException.ThrowIf(body + FlvTagHeader.Length + FlvTagHeader.TrailerLength != length, $"a tag of {body} bytes in a frame of {length}");
            taken += head + length;
        }

        return taken;
    }
}
