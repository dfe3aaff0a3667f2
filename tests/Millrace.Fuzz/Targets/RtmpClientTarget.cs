using System.Buffers;
using Millrace.Protocols.Rtmp;

namespace Millrace.Fuzz.Targets;

/// <summary>Our client against a hostile server.</summary>
internal sealed class RtmpClientTarget() : FuzzTarget("rtmp-client")
{
    private static readonly RtmpClientOptions Player = new()
    {
        App = "live",
        TcUrl = "rtmp://host/live",
        StreamName = "cam",
        Handshake = RtmpDigestScheme.None,
        IsEnhanced = true,
    };

    public override IReadOnlyList<Seed> Seeds { get; } = [Record(Player), Record(Player with { IsPublisher = true })];

    public override long AllocatedBase => 512 * 1024;

    public override long AllocatedPerByte => 512;

    public override void Run(byte[] input, Random random)
    {
        var options = Player with { IsPublisher = random.Next(2) == 0 };
        var whole = Play(options, input, new Cuts(null));
        var cut = Play(options, input, new Cuts(random));
        BrokenInvariantException.ThrowIf(whole != cut, $"whole: {whole}; in pieces: {cut}");
    }

    private static string Play(RtmpClientOptions options, byte[] input, Cuts cuts)
    {
        using var session = new RtmpClientSession(options, 0);
        var output = new ArrayBufferWriter<byte>(4096);
        session.Start(output);
        var events = new Digest();
        int count = 0, taken = 0, offered = 0;
        while (offered < input.Length)
        {
            offered = cuts.Next(taken, offered, input.Length);
            bool moved;
            do
            {
                var piece = cuts.Sequence(input, taken, offered - taken);
                session.Receive(in piece, output, 0, out var consumed);
                var used = (int)piece.Slice(0, consumed).Length;
                taken += used;
                moved = used > 0;
                while (session.TryTakeEvent(out var happened))
                {
                    moved = true;
                    count++;
                    events.Add((long)happened.Kind);
                    events.Add(happened.Timestamp);
                    events.Add(happened.Payload.Span);
                    events.Add(happened.Status?.Code ?? "");
                }
            }
            while (moved && taken < offered);

            output.ResetWrittenCount();
        }

        session.Stop(output);
        return $"{count} events {events.Value:x8} {session.CloseReason}";
    }

    /// <summary>What our server says to our client.</summary>
    private static Seed Record(RtmpClientOptions options)
    {
        using var client = new RtmpClientSession(options, 0);
        using var server = new RtmpServerSession(RtmpOptions.Default, 0);
        var fromServer = new ArrayBufferWriter<byte>();
        var fromClient = new ArrayBufferWriter<byte>();
        client.Start(fromClient);
        int clientRead = 0, serverRead = 0;
        for (var turn = 0; turn < 12; turn++)
        {
            serverRead += Pass(fromClient, serverRead, (in ReadOnlySequence<byte> bytes, out SequencePosition end) => server.Receive(in bytes, fromServer, 0, out end));
            while (server.TryTakeEvent(out var happened))
            {
                if (happened.Kind == RtmpEventKind.PublishRequested)
                    server.AcceptPublish(fromServer);
                else if (happened.Kind == RtmpEventKind.PlayRequested)
                    server.AcceptPlay(fromServer);
            }

            clientRead += Pass(fromServer, clientRead, (in ReadOnlySequence<byte> bytes, out SequencePosition end) => client.Receive(in bytes, fromClient, 0, out end));
            while (client.TryTakeEvent(out _))
            {
            }
        }

        var writer = new RtmpChunkWriter { ChunkSize = server.ChunkSize };
        foreach (var (type, timestamp, body) in Corpus.FlvTags.Take(6))
            writer.Write(fromServer, RtmpIds.VideoCsid, (RtmpMessageType)type, timestamp, 1, body);
        return new Seed(fromServer.WrittenSpan.ToArray(), Corpus.HandshakeLength);
    }

    private delegate void Receiver(in ReadOnlySequence<byte> bytes, out SequencePosition end);

    private static int Pass(ArrayBufferWriter<byte> bytes, int from, Receiver receive)
    {
        var sequence = new ReadOnlySequence<byte>(bytes.WrittenMemory[from..].ToArray());
        receive(in sequence, out var end);
        return (int)sequence.Slice(0, end).Length;
    }
}
