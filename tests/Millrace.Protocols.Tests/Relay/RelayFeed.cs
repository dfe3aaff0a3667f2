using System.Buffers;
using Millrace.Protocols.Relay;

namespace Millrace.Protocols.Tests.Relay;

/// <summary>Plays the caller of a session: offers bytes in pieces, takes the events, keeps copies of what they hold.</summary>
internal sealed class RelayFeed(RelaySession session)
{
    private byte[] _pending = [];

    public ArrayBufferWriter<byte> Reply { get; } = new();

    /// <summary>One line per event, with a checksum of its payload.</summary>
    public List<string> Events { get; } = [];

    public List<RelayEvent> Raw { get; } = [];

    /// <summary>What a client asks when it is ready.</summary>
    public RelayRequest? Request { get; init; }

    /// <summary>A server grants what it is asked.</summary>
    public bool Accepts { get; init; } = true;

    /// <summary>Most bytes that the session ever held of messages.</summary>
    public long MostBuffered { get; private set; }

    public long Now { get; set; }

    public void Push(ReadOnlySpan<byte> bytes, int step = int.MaxValue)
    {
        while (!bytes.IsEmpty)
        {
            var take = Math.Min(step, bytes.Length);
            _pending = [.. _pending, .. bytes[..take]];
            bytes = bytes[take..];
            Pump(new ReadOnlySequence<byte>(_pending));
        }
    }

    /// <summary>Offers bytes that lie in two segments, cut at <paramref name="at"/>.</summary>
    public void PushCut(byte[] bytes, int at)
    {
        var first = new Segment(bytes.AsMemory(0, at), 0);
        var last = first.Append(bytes.AsMemory(at));
        Pump(new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length));
    }

    public static List<(RelayMessageType Type, byte[] Payload)> Messages(ReadOnlySpan<byte> bytes)
    {
        var messages = new List<(RelayMessageType, byte[])>();
        while (!bytes.IsEmpty)
        {
            RelayFrame.TryReadHeader(bytes, out var type, out var header, out var length).ShouldBeTrue();
            messages.Add((type, bytes.Slice(header, length).ToArray()));
            bytes = bytes[(header + length)..];
        }

        return messages;
    }

    public static byte[] Message(RelayMessageType type, params byte[] payload)
    {
        var output = new ArrayBufferWriter<byte>();
        RelayWriter.Message(output, type, payload);
        return output.WrittenSpan.ToArray();
    }

    private void Pump(ReadOnlySequence<byte> input)
    {
        while (true)
        {
            session.Receive(in input, Reply, Now, out var consumed);
            MostBuffered = Math.Max(MostBuffered, session.BufferedBytes);
            var rest = input.Slice(consumed);
            var hadEvent = false;
            while (session.TryTakeEvent(out var e))
            {
                hadEvent = true;
                Record(in e);
            }

            var isStill = !hadEvent && rest.Length == input.Length;
            input = rest;
            if (isStill || !hadEvent && rest.IsEmpty)
                break;
        }

        _pending = input.ToArray();
    }

    private void Record(in RelayEvent e)
    {
        Raw.Add(e.Payload.IsEmpty ? e : new RelayEvent { Kind = e.Kind, Type = e.Type, Id = e.Id, Payload = e.Payload.ToArray() });
        Events.Add(Line(in e));
        if (e.Kind == RelayEventKind.Requested && Accepts)
            session.Accept(Reply, [1]);
        if (e.Kind == RelayEventKind.Ready && Request is not null)
            session.Request(Reply, Request);
    }

    private static string Line(in RelayEvent e) => e.Kind switch
    {
        RelayEventKind.Requested => $"{e.Kind} {e.Request} {e.Request!.Arguments} {e.Request.Timeline:x} {e.Request.From}",
        RelayEventKind.Refused => $"{e.Kind} {(int)e.Refusal!.Code} {e.Refusal.Reason}".TrimEnd(),
        RelayEventKind.Want => $"{e.Kind} {e.Formats}",
        RelayEventKind.Fetch => $"{e.Kind} {e.Id} {e.Text}",
        RelayEventKind.Object => $"{e.Kind} {e.Id} {e.Status} {e.Length}",
        RelayEventKind.ObjectData => $"{e.Kind} {e.Id} {e.Payload.Length} #{Sum(e.Payload.Span):x8}",
        RelayEventKind.Stopped => $"{e.Kind} {e.Text}",
        RelayEventKind.Ready or RelayEventKind.Closed => $"{e.Kind}",
        _ => $"{e.Kind} {e.Type} {e.Payload.Length} #{Sum(e.Payload.Span):x8}",
    };

    private static uint Sum(ReadOnlySpan<byte> bytes)
    {
        var sum = 2166136261;
        foreach (var b in bytes)
            sum = unchecked((sum ^ b) * 16777619);
        return sum;
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long index) => (Memory, RunningIndex) = (memory, index);

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
