using System.Buffers;
using Millrace.Protocols.Relay;

namespace Millrace.Fuzz.Targets;

/// <summary>A relay connection from its first byte: the same events come out however the bytes are cut, and memory follows what came.</summary>
internal abstract class RelayTarget(string name) : FuzzTarget(name)
{
    private static readonly RelayRequest PlayRequest = new() { Kind = RelayRequestKind.Play, Stream = "default/live/cam", Arguments = "token=a" };

    private static readonly byte[] Nonce = new byte[RelayOptions.NonceBytes];

    public override long AllocatedBase => 512 * 1024;

    public override long AllocatedPerByte => 512;

    protected abstract bool IsClient { get; }

    public override void Run(byte[] input, Random random)
    {
        var bridge = random.Next();
        var whole = Play(input, new Cuts(null), new Random(bridge));
        var cut = Play(input, new Cuts(random), new Random(bridge));
        BrokenInvariantException.ThrowIf(whole != cut, $"whole: {whole}; in pieces: {cut}");
    }

    /// <summary>What one side says in a connection of each kind that has media.</summary>
    protected static IReadOnlyList<Seed> Record(bool byClient) =>
        [Record(byClient, RelayRequestKind.Play), Record(byClient, RelayRequestKind.Publish), Record(byClient, RelayRequestKind.Authorize)];

    private static Seed Record(bool byClient, RelayRequestKind kind)
    {
        using var client = new RelaySession(Options(isClient: true), 0);
        using var server = new RelaySession(Options(isClient: false), 0);
        var fromClient = new ArrayBufferWriter<byte>();
        var fromServer = new ArrayBufferWriter<byte>();
        client.Start(fromClient);
        var serverRead = Pass(fromClient, 0, server, fromServer);
        var clientRead = Pass(fromServer, 0, client, fromClient);
        client.Request(fromClient, PlayRequest with { Kind = kind, Action = kind == RelayRequestKind.Authorize ? "play" : "" });
        serverRead += Pass(fromClient, serverRead, server, fromServer);
        server.Accept(fromServer, new byte[100]);
        Pass(fromServer, clientRead, client, fromClient);
        SendMedia(kind == RelayRequestKind.Publish ? client : server, kind == RelayRequestKind.Publish ? fromClient : fromServer);
        Ask(kind == RelayRequestKind.Publish ? server : client, kind == RelayRequestKind.Publish ? fromServer : fromClient);
        client.OnDeadline(200_000, fromClient);
        server.OnDeadline(200_000, fromServer);
        RelayWriter.Message(byClient ? fromClient : fromServer, RelayMessageType.HeartbeatReply, new byte[24]);
        client.Stop(fromClient, "the end");
        server.Stop(fromServer, "the end");
        return new Seed((byClient ? fromClient : fromServer).WrittenSpan.ToArray());
    }

    private static void SendMedia(RelaySession sender, ArrayBufferWriter<byte> output)
    {
        RelayWriter.Message(output, RelayMessageType.Start, new byte[60]);
        foreach (var (_, _, body) in Corpus.FlvTags.Take(6))
            RelayWriter.Message(output, RelayMessageType.Unit, body);
        RelayWriter.Message(output, (RelayMessageType)200, new byte[40]);
        sender.TrySendPlaylists(output, new byte[50]);
        sender.SendObject(output, 1, 200, 300);
        sender.SendObjectData(output, 1, new byte[300]);
    }

    private static void Ask(RelaySession receiver, ArrayBufferWriter<byte> output)
    {
        receiver.Want(output, 3);
        receiver.Fetch(output, 1, "seg-7.m4s");
    }

    /// <summary>Hands over what was written since; returns its length.</summary>
    private static int Pass(ArrayBufferWriter<byte> written, int from, RelaySession session, ArrayBufferWriter<byte> reply)
    {
        var bytes = new ReadOnlySequence<byte>(written.WrittenSpan[from..].ToArray());
        for (var rest = bytes; !rest.IsEmpty;)
        {
            session.Receive(in rest, reply, 0, out var consumed);
            rest = rest.Slice(consumed);
            while (session.TryTakeEvent(out _))
            {
            }
        }

        return (int)bytes.Length;
    }

    private static RelayOptions Options(bool isClient) =>
        new() { Node = isClient ? "edge-1" : "origin-1", IsClient = isClient, Nonce = Nonce, Path = isClient ? ["edge-2"] : [] };

    /// <summary>Events and end of a connection, as one text.</summary>
    private string Play(byte[] input, Cuts cuts, Random bridge)
    {
        using var session = new RelaySession(Options(IsClient), 0);
        var reply = new ArrayBufferWriter<byte>(4096);
        session.Start(reply);
        var events = new Digest();
        int count = 0, taken = 0, offered = 0;
        while (offered < input.Length)
        {
            offered = cuts.Next(taken, offered, input.Length);
            bool moved;
            do
            {
                var piece = cuts.Sequence(input, taken, offered - taken);
                session.Receive(in piece, reply, 0, out var consumed);
                taken += (int)piece.Slice(0, consumed).Length;
                moved = false;
                while (session.TryTakeEvent(out var happened))
                {
                    moved = true;
                    count++;
                    Add(ref events, in happened);
                    Answer(session, in happened, reply, bridge);
                }
            }
            while (moved && taken < offered);

            BrokenInvariantException.ThrowIf(taken < offered, $"{offered - taken} bytes are not consumed");
            var bound = Math.Max(4096, 2L * taken);
            BrokenInvariantException.ThrowIf(session.BufferedBytes > bound, $"{session.BufferedBytes} bytes are held of {taken}");
            reply.ResetWrittenCount();
        }

        session.OnDeadline(200_000, reply);
        BrokenInvariantException.ThrowIf(session.IsReady && !session.IsClosed && reply.WrittenCount == 0, "no heartbeat");
        return $"{count} events {events.Value:x8} {session.ClockOffsetMicros} {session.CloseReason}";
    }

    private static void Add(ref Digest events, in RelayEvent happened)
    {
        events.Add((long)happened.Kind);
        events.Add((long)happened.Type);
        events.Add(happened.Id);
        events.Add(happened.Status);
        events.Add(happened.Length);
        events.Add(happened.Formats);
        events.Add(happened.Payload.Span);
        events.Add(happened.Text ?? happened.Request?.Stream ?? happened.Refusal?.Reason ?? "");
    }

    private static void Answer(RelaySession session, in RelayEvent happened, ArrayBufferWriter<byte> reply, Random bridge)
    {
        if (happened.Kind == RelayEventKind.Ready)
            session.Request(reply, PlayRequest with { Kind = bridge.Next(2) == 0 ? RelayRequestKind.Play : RelayRequestKind.Publish });
        else if (happened.Kind == RelayEventKind.Requested && bridge.Next(4) == 0)
            session.Refuse(reply, new RelayRefusal(RelayRefusalCode.NotFound, "no"));
        else if (happened.Kind == RelayEventKind.Requested)
            session.Accept(reply, [1, 2, 3]);
    }
}

/// <summary>Our server against a hostile client.</summary>
internal sealed class RelayServerTarget() : RelayTarget("relay-server")
{
    public override IReadOnlyList<Seed> Seeds { get; } = Record(byClient: true);

    protected override bool IsClient => false;
}

/// <summary>Our client against a hostile server.</summary>
internal sealed class RelayClientTarget() : RelayTarget("relay-client")
{
    public override IReadOnlyList<Seed> Seeds { get; } = Record(byClient: false);

    protected override bool IsClient => true;
}
