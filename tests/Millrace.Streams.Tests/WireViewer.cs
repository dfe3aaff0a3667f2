using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Millrace.Media.Flv;
using Millrace.Protocols.Rtmp;
using Millrace.Streams.Buffers;
using Millrace.Streams.Wire;

namespace Millrace.Streams.Tests;

/// <summary>A message as a player understands it.</summary>
internal sealed record SeenMessage(byte Type, uint Timestamp, byte[] Body);

/// <summary>A reader with one viewer, in the role of a shard.</summary>
internal sealed unsafe class WireViewer : WireReader, IDisposable
{
    private readonly List<byte> _received = [];

    public WireViewer(TestStream stream, WireKey key)
    {
        Cursor = new Cursor(stream.Budget[MemoryUse.Spills]);
        if (stream.Live.Attach(key, this, out var fromEnd, out var unsupported) is { } wire)
            Wire = wire;
        Unsupported = unsupported;
        FromEnd = fromEnd;
        if (unsupported is null)
            Cursor.Attach(Wire, fromEnd);
    }

    public Cursor Cursor { get; }

    public WireLog Wire { get; } = null!;

    public bool FromEnd { get; }

    public string? Unsupported { get; }

    public List<WireSignal> Signals { get; } = [];

    public List<byte> Received => _received;

    public override void OnCommitted()
    {
    }

    public override void OnSignal(WireSignal signal) => Signals.Add(signal);

    /// <summary>One pass as the shard makes it. Takes at most <paramref name="limit"/> bytes.</summary>
    public int Pull(int limit = int.MaxValue)
    {
        var floor = Wire.Floor;
        Cursor.TryFollow().ShouldBeTrue();
        Span<WireRun> runs = stackalloc WireRun[16];
        var total = 0;
        int count;
        while (limit > 0 && (count = Cursor.Fill(runs, limit, out _)) > 0)
        {
            var taken = 0;
            for (var i = 0; i < count && taken < limit; i++)
            {
                var run = new ReadOnlySpan<byte>(runs[i].Address, (int)Math.Min((long)runs[i].Length, limit - taken));
                _received.AddRange(run);
                taken += run.Length;
            }

            Cursor.Advance(taken);
            limit -= taken;
            total += taken;
        }

        Publish(floor);
        return total;
    }

    public List<SeenMessage> Messages() => Wire.Key.Format switch
    {
        WireFormat.Rtmp => ReadRtmp([.. _received], Wire.ChunkSize),
        WireFormat.Flv => ReadFlv([.. _received]),
        WireFormat.ChunkedFlv => ReadFlv(Unchunk([.. _received])),
        _ => ReadFlv(Unwrap([.. _received])),
    };

    public void Dispose() => Cursor.Dispose();

    private static List<SeenMessage> ReadRtmp(byte[] bytes, int chunkSize)
    {
        using var reader = new RtmpChunkReader(new RtmpOptions()) { ChunkSize = chunkSize };
        var input = new SequenceReader<byte>(new ReadOnlySequence<byte>(bytes));
        var messages = new List<SeenMessage>();
        while (reader.TryRead(ref input, out var message))
            messages.Add(new SeenMessage((byte)message.Type, message.Timestamp, message.Payload.ToArray()));
        reader.Error.ShouldBeNull();
        input.Remaining.ShouldBe(0);
        return messages;
    }

    private static List<SeenMessage> ReadFlv(byte[] bytes)
    {
        var messages = new List<SeenMessage>();
        for (var at = 0; at < bytes.Length;)
        {
            var length = (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
            var time = (uint)((bytes[at + 7] << 24) | (bytes[at + 4] << 16) | (bytes[at + 5] << 8) | bytes[at + 6]);
            messages.Add(new SeenMessage(bytes[at], time, bytes[(at + 11)..(at + 11 + length)]));
            at += 11 + length;
            BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(at)).ShouldBe(11 + length);
            at += FlvTagHeader.TrailerLength;
        }

        return messages;
    }

    /// <summary>RFC 9112 7.1: each chunk is one whole FLV tag.</summary>
    private static byte[] Unchunk(byte[] bytes)
    {
        var tags = new List<byte>();
        for (var at = 0; at < bytes.Length;)
        {
            var end = at + bytes.AsSpan(at).IndexOf("\r\n"u8);
            var length = Convert.ToInt32(Encoding.ASCII.GetString(bytes[at..end]), 16);
            at = end + 2;
            length.ShouldBe(((bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) + 15);
            tags.AddRange(bytes.AsSpan(at, length));
            at += length;
            bytes.AsSpan(at, 2).SequenceEqual("\r\n"u8).ShouldBeTrue();
            at += 2;
        }

        return [.. tags];
    }

    /// <summary>RFC 6455 5.2: final binary frames, unmasked, each one whole FLV tag.</summary>
    private static byte[] Unwrap(byte[] bytes)
    {
        var tags = new List<byte>();
        for (var at = 0; at < bytes.Length;)
        {
            bytes[at].ShouldBe((byte)0x82);
            long length = bytes[at + 1];
            at += 2;
            if (length == 126)
                (length, at) = (BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(at)), at + 2);
            else if (length == 127)
                (length, at) = (BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(at)), at + 8);
            var body = (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
            length.ShouldBe(body + 15);
            tags.AddRange(bytes.AsSpan(at, (int)length));
            at += (int)length;
        }

        return [.. tags];
    }
}
