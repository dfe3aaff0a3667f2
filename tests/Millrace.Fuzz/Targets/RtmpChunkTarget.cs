using System.Buffers;
using System.Buffers.Binary;
using Millrace.Protocols.Rtmp;

namespace Millrace.Fuzz.Targets;

/// <summary>Chunks without a session around them.</summary>
internal sealed class RtmpChunkTarget() : FuzzTarget("rtmp-chunks")
{
    public override IReadOnlyList<Seed> Seeds { get; } =
        [.. Corpus.Captures.Select(bytes => new Seed(bytes[Corpus.HandshakeLength..])), new Seed(Written(0xFFFFFF, 128)), new Seed(Written(0xFFFFFFF0, 1_000))];

    public override long AllocatedBase => 256 * 1024;

    public override void Run(byte[] input, Random random)
    {
        var whole = Read(input, new Cuts(null));
        var cut = Read(input, new Cuts(random));
        BrokenInvariantException.ThrowIf(whole != cut, $"whole: {whole}; in pieces: {cut}");
    }

    private static string Read(byte[] input, Cuts cuts)
    {
        using var chunks = new RtmpChunkReader(RtmpOptions.Default);
        var messages = new Digest();
        int count = 0, taken = 0, offered = 0;
        while (offered < input.Length)
        {
            offered = cuts.Next(taken, offered, input.Length);
            var reader = new SequenceReader<byte>(cuts.Sequence(input, taken, offered - taken));
            while (chunks.TryRead(ref reader, out var message))
            {
                count++;
                messages.Add((long)message.Type);
                messages.Add(message.Timestamp);
                messages.Add(message.StreamId);
                messages.Add(message.Payload.Span);
                if (message.Type == RtmpMessageType.SetChunkSize && message.Payload.Length >= 4)
                    chunks.ChunkSize = Math.Max(1, BinaryPrimitives.ReadInt32BigEndian(message.Payload.Span) & int.MaxValue);
            }

            taken += (int)reader.Consumed;
            // The pool's smallest buffer for each stream, and twice what has come, rounded up to the pool's sizes.
            var bound = (RtmpOptions.Default.MaxChunkStreams * 4_096L) + (4L * taken);
            BrokenInvariantException.ThrowIf(chunks.BufferedBytes > bound, $"{chunks.BufferedBytes} bytes are held of {taken}");
        }

        return $"{count} messages {messages.Value:x8} {chunks.Error}";
    }

    private static byte[] Written(uint timestamp, int chunkSize)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new RtmpChunkWriter();
        writer.WriteControl(output, RtmpMessageType.SetChunkSize, (uint)chunkSize);
        writer.ChunkSize = chunkSize;
        foreach (var (type, offset, body) in Corpus.FlvTags.Take(8))
            writer.Write(output, type == Media.Flv.FlvTagType.Audio ? 70 : 400, (RtmpMessageType)type, unchecked(timestamp + offset), 1, body);
        return output.WrittenSpan.ToArray();
    }
}
