using System.Buffers;

namespace Millrace.Protocols.Relay;

/// <summary>What a connection is for; the numbers of its messages.</summary>
internal enum RelayRequestKind : byte
{
    Describe = RelayMessageType.Describe,
    Play = RelayMessageType.Play,
    Publish = RelayMessageType.Publish,
    Authorize = RelayMessageType.Authorize,
}

/// <summary>What a client asks for; once in a connection, but for Authorize. All kinds have the same fields. Texts are bounded by <see cref="RelayText"/>.</summary>
internal sealed record RelayRequest
{
    public required RelayRequestKind Kind { get; init; }

    /// <summary><c>vhost/app/name</c>.</summary>
    public required string Stream { get; init; }

    /// <summary>The query of the viewer or publisher, without its question mark. Holds secrets: for no log.</summary>
    public string Arguments { get; init; } = "";

    /// <summary>Address of the viewer or publisher.</summary>
    public string Client { get; init; } = "";

    /// <summary>What it speaks: rtmp, http-flv…</summary>
    public string Protocol { get; init; } = "";

    /// <summary>Its software, as it says.</summary>
    public string Agent { get; init; } = "";

    /// <summary>The Timeline whose log the client has a part of; 0: none.</summary>
    public ulong Timeline { get; init; }

    /// <summary>Number of the first entry of that log that the client has not, 0 and up; Authorize: the question's own, of 32 bits.</summary>
    public long From { get; init; }

    /// <summary>One bit for each form of HLS whose playlist state is wanted.</summary>
    public byte Formats { get; init; }

    /// <summary>Authorize: <c>play</c> or <c>publish</c>; else empty.</summary>
    public string Action { get; init; } = "";

    /// <summary>Null when the request can be sent, else what is wrong with it.</summary>
    public string? Flaw =>
        !RelayText.Fits(Stream, RelayText.MaxName) ? $"the stream's name is longer than {RelayText.MaxName} bytes"
        : !RelayText.Fits(Arguments, RelayText.MaxArguments) ? $"the arguments are longer than {RelayText.MaxArguments} bytes"
        : From < 0 ? "the entry's number is negative"
        : Kind == RelayRequestKind.Authorize && From > uint.MaxValue ? "the question's number is longer than 32 bits"
        : Kind == RelayRequestKind.Authorize && Action is not ("play" or "publish") ? "the action is neither play nor publish"
        : null;

    /// <summary>Reads the payload of a request's message. What stands behind the known fields is a later version's.</summary>
    public static RelayRequest? Read(RelayRequestKind kind, ReadOnlySpan<byte> payload)
    {
        var reader = new RelayReader(payload);
        if (!reader.TryText(RelayText.MaxName, out var stream) || !reader.TryText(RelayText.MaxArguments, out var arguments)
            || !reader.TryNote(out var client) || !reader.TryNote(out var protocol)
            || !reader.TryNote(out var agent) || !reader.TryFixed(out var timeline)
            || !reader.TryNumber(long.MaxValue, out long from) || !reader.TryByte(out var formats)
            || !reader.TryNote(out var action))
            return null;
        return new RelayRequest
        {
            Kind = kind,
            Stream = stream,
            Arguments = arguments,
            Client = client,
            Protocol = protocol,
            Agent = agent,
            Timeline = (ulong)timeline,
            From = from,
            Formats = formats,
            Action = action,
        };
    }

    public void Write(IBufferWriter<byte> output)
    {
        var payload = new ArrayBufferWriter<byte>();
        var writer = new RelayWriter(payload);
        writer.Text(Stream);
        writer.Text(Arguments);
        writer.Text(RelayText.Cut(Client, RelayText.MaxNote));
        writer.Text(RelayText.Cut(Protocol, RelayText.MaxNote));
        writer.Text(RelayText.Cut(Agent, RelayText.MaxNote));
        writer.Fixed((long)Timeline);
        writer.Number(From);
        writer.Byte(Formats);
        writer.Text(Action);
        RelayWriter.Message(output, (RelayMessageType)Kind, payload.WrittenSpan);
    }

    /// <summary>Without the arguments.</summary>
    public override string ToString() => $"{Kind} {Stream}";
}
