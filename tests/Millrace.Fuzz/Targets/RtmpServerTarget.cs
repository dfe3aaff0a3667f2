using System.Buffers;
using Millrace.Protocols.Rtmp;

namespace Millrace.Fuzz.Targets;

/// <summary>A whole connection, handshake included: the same events come out however the bytes are cut.</summary>
internal sealed class RtmpServerTarget() : FuzzTarget("rtmp-server")
{
    public override IReadOnlyList<Seed> Seeds { get; } = [.. Corpus.Captures.Select(bytes => new Seed(bytes, Corpus.HandshakeLength))];

    public override long AllocatedBase => 512 * 1024;

    public override long AllocatedPerByte => 512;

    public override void Run(byte[] input, Random random)
    {
        var bridge = random.Next();
        var whole = Play(input, new Cuts(null), new Random(bridge));
        var cut = Play(input, new Cuts(random), new Random(bridge));
        BrokenInvariantException.ThrowIf(whole != cut, $"whole: {whole}; in pieces: {cut}");
    }

    /// <summary>Events and end of a connection, as one text.</summary>
    private static string Play(byte[] input, Cuts cuts, Random bridge)
    {
        using var session = new RtmpServerSession(RtmpOptions.Default, 0);
        var reply = new ArrayBufferWriter<byte>(4096);
        var events = new Digest();
        var count = 0;
        var taken = 0;
        var offered = 0;
        while (offered < input.Length)
        {
            offered = cuts.Next(taken, offered, input.Length);
            bool moved;
            do
            {
                var piece = cuts.Sequence(input, taken, offered - taken);
                session.Receive(in piece, reply, 0, out var consumed);
                var used = (int)piece.Slice(0, consumed).Length;
                taken += used;
                moved = used > 0;
                while (session.TryTakeEvent(out var happened))
                {
                    moved = true;
                    count++;
                    Add(ref events, happened);
                    Answer(session, happened, reply, bridge);
                }
            }
            while (moved && taken < offered);

            var isStuck = !session.IsClosed && offered - taken > RtmpHandshake.PacketSize + 1;
            BrokenInvariantException.ThrowIf(isStuck, $"{offered - taken} bytes are not consumed");
            reply.ResetWrittenCount();
        }

        session.OnDeadline(1, reply);
        return $"{count} events {events.Value:x8} {session.CloseReason}";
    }

    private static void Add(ref Digest events, in RtmpEvent happened)
    {
        events.Add((long)happened.Kind);
        events.Add(happened.Timestamp);
        events.Add(happened.MessageStreamId);
        events.Add(happened.Payload.Span);
        events.Add(happened.Connect?.TcUrl ?? happened.Publish?.Name ?? happened.Play?.Name ?? "");
    }

    private static void Answer(RtmpServerSession session, in RtmpEvent happened, ArrayBufferWriter<byte> reply, Random bridge)
    {
        var isRefused = bridge.Next(4) == 0;
        if (happened.Kind == RtmpEventKind.PublishRequested)
        {
            if (isRefused)
                session.RejectPublish(reply, "NetStream.Publish.BadName", "no");
            else
                session.AcceptPublish(reply);
        }
        else if (happened.Kind == RtmpEventKind.PlayRequested)
        {
            if (isRefused)
                session.RejectPlay(reply, "NetStream.Play.StreamNotFound", "no");
            else
                session.AcceptPlay(reply);
        }
    }
}
