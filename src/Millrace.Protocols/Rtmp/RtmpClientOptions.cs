using Millrace.Media.Amf;

namespace Millrace.Protocols.Rtmp;

/// <summary>What a client session connects to and what it does there.</summary>
internal sealed record RtmpClientOptions
{
    public required string App { get; init; }

    public required string TcUrl { get; init; }

    /// <summary>Stream name as the server gets it, a query included.</summary>
    public required string StreamName { get; init; }

    /// <summary>True publishes, false plays.</summary>
    public bool IsPublisher { get; init; }

    /// <summary>Asks for nothing behind connect: ready as soon as the server has accepted that.</summary>
    public bool IsConnectOnly { get; init; }

    public string FlashVer { get; init; } = "FMLE/3.0 (compatible; Millrace/0.1)";

    public string? SwfUrl { get; init; }

    public string? PageUrl { get; init; }

    /// <summary>More members of connect's command object, behind the usual ones.</summary>
    public IReadOnlyList<AmfProperty> ExtraProperties { get; init; } = [];

    /// <summary>Arguments of connect behind its command object.</summary>
    public IReadOnlyList<AmfValue> ExtraArguments { get; init; } = [];

    /// <summary>Announces <see cref="RtmpOptions.FourCcs"/> and <see cref="RtmpOptions.CapsEx"/> in connect.</summary>
    public bool IsEnhanced { get; init; }

    /// <summary>Form of C1; a server that answers plainly is accepted with any.</summary>
    public RtmpDigestScheme Handshake { get; init; } = RtmpDigestScheme.DigestFirst;

    /// <summary>Limits and timings; HandshakeTimeoutMicros runs from the start until Ready.</summary>
    public RtmpOptions Link { get; init; } = RtmpOptions.Default;
}

internal enum RtmpClientEventKind : byte
{
    None,

    /// <summary>The server accepted the publish, or began to play; with <see cref="RtmpClientOptions.IsConnectOnly"/> it accepted connect.</summary>
    Ready,
    Media,
    Status,

    /// <summary>The last event; the reason is the session's CloseReason.</summary>
    Closed,
}

/// <summary>An onStatus or _error from the server.</summary>
/// <param name="Redirect">RTMP URL to go to instead: ex.redirect2 (whole URL) or ex.redirect (tcUrl), or the tcUrl of a reconnect request.</param>
internal sealed record RtmpStatus(string Level, string Code, string Description, string? Redirect)
{
    public bool IsError => string.Equals(Level, "error", StringComparison.Ordinal);

    public static RtmpStatus Parse(AmfValue info)
    {
        var ex = info["ex"];
        var redirect = ex?.GetString("redirect2") ?? ex?.GetString("redirect") ?? info.GetString("tcUrl");
        return new RtmpStatus(info.GetString("level") ?? "", info.GetString("code") ?? "", info.GetString("description") ?? "", redirect);
    }
}

/// <summary>One thing that happened on a client session. Media events allocate nothing.</summary>
internal readonly struct RtmpClientEvent
{
    public RtmpClientEventKind Kind { get; init; }

    public RtmpMessageType MessageType { get; init; }

    /// <summary>Media: absolute, milliseconds, wraps at 32 bits.</summary>
    public uint Timestamp { get; init; }

    /// <summary>Media: valid until the session's next Receive, and no longer than the input it was received in.</summary>
    public ReadOnlyMemory<byte> Payload { get; init; }

    public RtmpStatus? Status { get; init; }

    public override string ToString() => Kind == RtmpClientEventKind.Media ? $"{MessageType} {Timestamp} {Payload.Length}" : $"{Kind} {Status}";
}
