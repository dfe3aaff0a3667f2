namespace Millrace.Protocols.Rtmp;

internal enum RtmpEventKind : byte
{
    None,
    Connected,
    PublishRequested,
    PlayRequested,
    Media,
    PublishEnded,
    PlayEnded,
    Paused,
    ReceiveAudio,
    ReceiveVideo,
    SetBufferLength,
    Seek,
}

/// <summary>What the client said in connect (7.2.1.1); texts as sent, empty when missing.</summary>
/// <param name="ObjectEncoding">0 = AMF0, 3 = AMF3.</param>
internal sealed record RtmpConnect(
    string App,
    string TcUrl,
    string SwfUrl,
    string PageUrl,
    string FlashVer,
    double ObjectEncoding,
    RtmpPeerCapabilities Capabilities,
    IReadOnlyList<Millrace.Media.Amf.AmfValue> ExtraArguments);

/// <summary>publish (7.2.2.6).</summary>
/// <param name="Name">As sent, a query included.</param>
/// <param name="Type">live, record or append; live when missing.</param>
internal sealed record RtmpPublishRequest(string Name, string Type);

/// <summary>play (7.2.2.1).</summary>
/// <param name="Name">As sent, a query included.</param>
/// <param name="Start">As sent: -2 or -2000 live then recorded, -1 or -1000 live only; -2 when missing.</param>
/// <param name="Duration">As sent; -1 or -1000 = to the end; -1 when missing.</param>
internal sealed record RtmpPlayRequest(string Name, double Start, double Duration, bool Reset);

/// <summary>One thing that happened on a server session. Media events allocate nothing.</summary>
internal readonly struct RtmpEvent
{
    public RtmpEventKind Kind { get; init; }

    /// <summary>Media: Audio, Video or DataAmf0 (AMF3 data comes without its format byte).</summary>
    public RtmpMessageType MessageType { get; init; }

    /// <summary>Paused, ReceiveAudio, ReceiveVideo: the flag.</summary>
    public bool Flag { get; init; }

    /// <summary>Media: absolute, milliseconds, wraps at 32 bits.</summary>
    public uint Timestamp { get; init; }

    public uint MessageStreamId { get; init; }

    /// <summary>SetBufferLength, Seek, Paused: milliseconds.</summary>
    public double Millis { get; init; }

    /// <summary>Media: the message body; valid until the session's next Receive, and no longer than the input it was received in.</summary>
    public ReadOnlyMemory<byte> Payload { get; init; }

    public object? Request { get; init; }

    public RtmpConnect? Connect => Request as RtmpConnect;

    public RtmpPublishRequest? Publish => Request as RtmpPublishRequest;

    public RtmpPlayRequest? Play => Request as RtmpPlayRequest;

    public override string ToString() => Kind == RtmpEventKind.Media ? $"{MessageType} {Timestamp} {Payload.Length}" : $"{Kind} {Request}";
}
