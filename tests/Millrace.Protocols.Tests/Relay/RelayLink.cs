using System.Buffers;
using Millrace.Protocols.Relay;

namespace Millrace.Protocols.Tests.Relay;

/// <summary>One end of a <see cref="RelayLink"/>.</summary>
internal sealed class RelayEnd(RelaySession session)
{
    private readonly Queue<(long At, byte[] Bytes)> _coming = new();

    public RelaySession Session { get; } = session;

    public ArrayBufferWriter<byte> Output { get; } = new();

    public List<RelayEvent> Events { get; } = [];

    /// <summary>What this end sent, and when.</summary>
    public List<(long At, RelayMessageType Type)> Sent { get; } = [];

    /// <summary>All bytes of it.</summary>
    public ArrayBufferWriter<byte> SentBytes { get; } = new();

    /// <summary>How long what this end sends takes, microseconds.</summary>
    public long Delay { get; set; }

    /// <summary>What this end sends is lost.</summary>
    public bool IsCut { get; set; }

    public long NextArrival => _coming.TryPeek(out var next) ? next.At : long.MaxValue;

    public RelayEvent Last(RelayEventKind kind) => Events.Last(e => e.Kind == kind);

    public int Count(RelayMessageType type, long from = 0) => Sent.Count(sent => sent.Type == type && sent.At >= from);

    /// <summary>Sends media as a shared log does, behind the session's back.</summary>
    public void SendMedia(RelayMessageType type, byte[] payload, long now)
    {
        RelayWriter.Message(Output, type, payload);
        Session.OnSent(now);
    }

    public void Flush(RelayEnd other, long now)
    {
        if (Output.WrittenCount == 0)
            return;
        Sent.AddRange(RelayFeed.Messages(Output.WrittenSpan).Select(message => (now, message.Type)));
        SentBytes.Write(Output.WrittenSpan);
        if (!IsCut)
            other._coming.Enqueue((now + Delay, Output.WrittenSpan.ToArray()));
        Output.Clear();
    }

    public void Turn(long now)
    {
        while (NextArrival <= now)
            Receive(new ReadOnlySequence<byte>(_coming.Dequeue().Bytes), now);
        if (Session.NextDeadline <= now)
            Session.OnDeadline(now, Output);
        Take();
    }

    private void Receive(ReadOnlySequence<byte> bytes, long now)
    {
        while (!bytes.IsEmpty)
        {
            Session.Receive(in bytes, Output, now, out var consumed);
            bytes = bytes.Slice(consumed);
            Take();
        }
    }

    private void Take()
    {
        while (Session.TryTakeEvent(out var e))
        {
            Events.Add(new RelayEvent
            {
                Kind = e.Kind,
                Type = e.Type,
                Id = e.Id,
                Status = e.Status,
                Length = e.Length,
                Formats = e.Formats,
                Text = e.Text,
                Request = e.Request,
                Refusal = e.Refusal,
                Payload = e.Payload.ToArray(),
            });
        }
    }
}

/// <summary>A client and a server back to back, in virtual time.</summary>
internal sealed class RelayLink : IDisposable
{
    public RelayLink(RelayOptions? client = null, RelayOptions? server = null)
    {
        Client = new RelayEnd(new RelaySession((client ?? ClientOptions) with { IsClient = true }, 0));
        Server = new RelayEnd(new RelaySession(server ?? ServerOptions, 0));
        Client.Session.Start(Client.Output);
    }

    public static RelayOptions ClientOptions { get; } = new() { Node = "edge-1", IsClient = true };

    public static RelayOptions ServerOptions { get; } = new() { Node = "origin-1" };

    public static RelayRequest PlayRequest { get; } = new() { Kind = RelayRequestKind.Play, Stream = "default/live/cam" };

    public RelayEnd Client { get; }

    public RelayEnd Server { get; }

    public long Now { get; private set; }

    /// <summary>A link whose request is granted.</summary>
    public static RelayLink Granted(RelayRequestKind kind, RelayOptions? client = null, RelayOptions? server = null)
    {
        var link = new RelayLink(client, server);
        link.Run(0);
        link.Client.Session.Request(link.Client.Output, PlayRequest with { Kind = kind, Action = kind == RelayRequestKind.Authorize ? "play" : "" });
        link.Run(0);
        link.Server.Session.Accept(link.Server.Output, [1, 2, 3]);
        link.Run(0);
        link.Client.Last(RelayEventKind.Accepted).Payload.ToArray().ShouldBe([1, 2, 3]);
        return link;
    }

    /// <summary>Lets time pass, microseconds: what is due happens, and what was sent arrives.</summary>
    public void Run(long micros)
    {
        var end = Now + micros;
        for (var turns = 0; ; turns++)
        {
            turns.ShouldBeLessThan(100_000, "a deadline that stays due");
            Client.Flush(Server, Now);
            Server.Flush(Client, Now);
            var deadline = Math.Min(Client.Session.NextDeadline, Server.Session.NextDeadline);
            var next = Math.Min(deadline, Math.Min(Client.NextArrival, Server.NextArrival));
            if (next > end)
                break;
            Now = Math.Max(Now, next);
            Client.Turn(Now);
            Server.Turn(Now);
        }

        Now = end;
    }

    public void Dispose()
    {
        Client.Session.Dispose();
        Server.Session.Dispose();
    }
}
