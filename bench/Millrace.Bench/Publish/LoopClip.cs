using System.Buffers;
using Millrace.Bench.Media;
using Millrace.Bench.Rtmp;

namespace Millrace.Bench.Publish;

/// <summary>A clip as what RTMP publishers send of it, again and again: each turn is put into chunks once for all of them.</summary>
internal sealed class LoopClip
{
    private const byte Script = 18;
    private const int AudioOnlyInterval = 1000;
    private readonly List<Message> _frames;
    private readonly ChunkWriter _writer = new();
    private readonly uint _stream;
    private readonly Turn[] _turns = [new(), new()];

    private LoopClip(List<Message> heads, List<Message> frames, int chunkSize, uint stream)
    {
        (_frames, _stream) = (frames, stream);
        uint first = frames[0].Time;
        bool hasVideo = frames.Exists(static f => f.Type == MediaMessage.Video);
        List<Message> leading = hasVideo ? frames.FindAll(static f => f.Type == MediaMessage.Video) : frames;
        uint span = leading[^1].Time - leading[0].Time;
        PeriodMs = (int)(span + (span / (uint)(leading.Count - 1)));
        frames.RemoveAll(f => f.Time - first >= PeriodMs);
        DueMs = [.. frames.Select(f => (int)(f.Time - first))];
        IsKey = [.. frames.Select(f => !hasVideo || (f.Type == MediaMessage.Video && TagBody.Parse(f.Type, f.Payload).IsKey))];
        int[] keys = [.. DueMs.Where((_, i) => IsKey[i])];
        KeyIntervalMs = hasVideo && keys.Length > 1 ? keys[1] - keys[0] : AudioOnlyInterval;

        var head = new ArrayBufferWriter<byte>();
        _writer.WriteChunkSize(head, chunkSize);
        head.Clear(); // the publisher's client has said it to the server already
        foreach (var message in heads) Write(head, message, 0);
        Head = head.WrittenSpan.ToArray();
    }

    /// <summary>How long a turn lasts.</summary>
    public int PeriodMs { get; }

    /// <summary>From key frame to key frame; a second for a clip without pictures.</summary>
    public int KeyIntervalMs { get; }

    /// <summary>What is sent before the first frame: metadata and decoder configurations.</summary>
    public byte[] Head { get; }

    /// <summary>When each message of a turn is due, from the turn's beginning.</summary>
    public int[] DueMs { get; }

    /// <summary>Whether a publisher may begin with the message.</summary>
    public bool[] IsKey { get; }

    /// <param name="path">An FLV file.</param>
    /// <param name="chunkSize">Of the publishers' RTMP chunks.</param>
    /// <param name="stream">Message stream id of all publishers.</param>
    /// <exception cref="InvalidDataException">It is no FLV file, or has no frames.</exception>
    public static LoopClip Load(string path, int chunkSize, uint stream)
    {
        var reader = new FlvReader();
        reader.Append(File.ReadAllBytes(path));
        List<Message> heads = [], frames = [];
        while (reader.TryRead(out var tag))
        {
            var message = new Message(tag.Type, tag.Timestamp, tag.Payload.ToArray());
            if (tag.Type == Script) heads.Add(message with { Payload = AsDataFrame(tag.Payload.Span) });
            if (!tag.IsMedia) continue;
            var body = TagBody.Parse(tag.Type, tag.Payload.Span);
            if (body.IsConfig) heads.Add(message);
            else if (!body.Coded.IsEmpty) frames.Add(message);
        }

        if (frames.Count < 2) throw new InvalidDataException($"{path}: not a clip");
        return new LoopClip(heads, frames, chunkSize, stream);
    }

    /// <summary>How many bytes of turns are due at a time that counts from the beginning of the first; turns are of equal length.</summary>
    public long BytesDue(double atMs)
    {
        var turn = Array.Find(_turns, static t => t.Number >= 0)!;
        int number = (int)(atMs / PeriodMs), within = (int)(atMs - (number * (double)PeriodMs)), due = 0;
        while (due < DueMs.Length && DueMs[due] <= within) due++;
        return (number * (long)turn.Ends[^1]) + (due == 0 ? 0 : turn.Ends[due - 1]);
    }

    /// <summary>Bytes and borders of a turn. Two are kept, the newest that was asked for and the one before: null for an older one.</summary>
    public Turn? TryGetTurn(int number)
    {
        var turn = _turns[number & 1];
        if (turn.Number == number) return turn;
        if (number < turn.Number) return null;
        turn.Number = number;
        turn.Bytes.ResetWrittenCount();
        turn.Ends.Clear();
        for (int i = 0; i < _frames.Count; i++)
        {
            Write(turn.Bytes, _frames[i], (uint)((number * (long)PeriodMs) + DueMs[i]));
            turn.Ends.Add(turn.Bytes.WrittenCount);
        }

        return turn;
    }

    private void Write(ArrayBufferWriter<byte> to, Message message, uint time) =>
        _writer.Write(to, message.Type == MediaMessage.Audio ? 4 : 6, message.Type, time, _stream, message.Payload);

    // What encoders do with the metadata of a file.
    private static byte[] AsDataFrame(ReadOnlySpan<byte> metadata)
    {
        var body = new ArrayBufferWriter<byte>();
        Amf0.WriteString(body, "@setDataFrame");
        body.Write(metadata);
        return body.WrittenSpan.ToArray();
    }

    /// <summary>One turn in chunks. <c>Ends</c>: where each message ends.</summary>
    internal sealed class Turn
    {
        public int Number { get; set; } = -1;
        public ArrayBufferWriter<byte> Bytes { get; } = new();
        public List<int> Ends { get; } = [];
    }

    private sealed record Message(byte Type, uint Time, byte[] Payload);
}
