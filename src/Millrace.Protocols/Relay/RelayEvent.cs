namespace Millrace.Protocols.Relay;

internal enum RelayEventKind : byte
{
    None,

    /// <summary>The set-up is done: the client may ask.</summary>
    Ready,

    /// <summary>Server: Request; answered by Accept or Refuse.</summary>
    Requested,

    /// <summary>Client: the request is granted; Payload.</summary>
    Accepted,

    /// <summary>Client: Refusal, of the peer or of the request; Closed follows.</summary>
    Refused,

    /// <summary>The receiver of media: a message of the log; Type, Payload.</summary>
    Log,

    /// <summary>The receiver of media: Payload.</summary>
    Playlists,

    /// <summary>The sender of media: Formats.</summary>
    Want,

    /// <summary>The sender of media: Id, and the object's name in Text.</summary>
    Fetch,

    /// <summary>The receiver of media: Id, Status, Length.</summary>
    Object,

    /// <summary>The receiver of media: Id, Payload. The session does not count it against the Length that came before.</summary>
    ObjectData,

    /// <summary>Client: Id, the question's number; Status, Length (its lifetime in milliseconds, 0: not said) and Text, the reason.</summary>
    Verdict,

    /// <summary>The peer has ended the connection: its reason in Text; Closed follows.</summary>
    Stopped,

    /// <summary>The last event, and told once, whichever side ended it.</summary>
    Closed,
}

/// <summary>One thing that happened on a relay connection. Those of media allocate nothing.</summary>
internal readonly struct RelayEvent
{
    public RelayEventKind Kind { get; init; }

    /// <summary>Log: which message it is.</summary>
    public RelayMessageType Type { get; init; }

    /// <summary>One bit for each form of HLS.</summary>
    public byte Formats { get; init; }

    /// <summary>The fetch or the question that is answered, by the asking side's number.</summary>
    public uint Id { get; init; }

    /// <summary>As in HTTP; bytes follow when it is 200.</summary>
    public int Status { get; init; }

    /// <summary>Bytes of the object; as the peer says, up to <see cref="RelayRules.MaxObject"/>.</summary>
    public long Length { get; init; }

    /// <summary>Valid until the session's next Receive, and no longer than the input it was received in.</summary>
    public ReadOnlyMemory<byte> Payload { get; init; }

    public RelayRequest? Request { get; init; }

    public RelayRefusal? Refusal { get; init; }

    public string? Text { get; init; }

    public override string ToString() => Kind == RelayEventKind.Log ? $"{Type} {Payload.Length}" : $"{Kind} {Request}{Refusal}{Text}";
}
