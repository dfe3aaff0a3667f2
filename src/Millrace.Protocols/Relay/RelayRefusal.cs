using System.Buffers;

namespace Millrace.Protocols.Relay;

/// <summary>Why a peer or its request is refused; numbers as in HTTP, where it has one for it.</summary>
internal enum RelayRefusalCode
{
    /// <summary>The redirect says where the stream is.</summary>
    Moved = 302,
    Bad = 400,

    /// <summary>The peer did not prove that it knows the shared secret.</summary>
    Unauthorized = 401,

    /// <summary>The viewer or publisher may not.</summary>
    Denied = 403,
    NotFound = 404,

    /// <summary>The stream has a publisher already.</summary>
    Conflict = 409,

    /// <summary>The server is on the path that the request is made for.</summary>
    Loop = 421,

    /// <summary>Who publishes the stream has gone and may come back: to this node, or to another. The number is SIP's "temporarily unavailable".</summary>
    Away = 480,
    Unavailable = 503,
    Version = 505,
}

/// <summary>The end of a connection before it served its purpose.</summary>
/// <param name="Code">As sent: a later version may know more.</param>
/// <param name="Reason">For logs and people; cut after <see cref="RelayText.MaxNote"/> bytes.</param>
/// <param name="Redirect">A URL, or empty; left out when it is longer than <see cref="RelayText.MaxUrl"/> bytes.</param>
internal sealed record RelayRefusal(RelayRefusalCode Code, string Reason, string Redirect = "")
{
    private const int MaxCode = 999;

    public static bool TryRead(ReadOnlySpan<byte> payload, out RelayRefusal? refusal)
    {
        refusal = null;
        var reader = new RelayReader(payload);
        if (!reader.TryNumber(MaxCode, out int code) || !reader.TryText(RelayText.MaxNote, out var reason)
            || !reader.TryText(RelayText.MaxUrl, out var redirect))
            return false;
        refusal = new RelayRefusal((RelayRefusalCode)code, reason, redirect);
        return true;
    }

    public void Write(IBufferWriter<byte> output)
    {
        var payload = new ArrayBufferWriter<byte>();
        var writer = new RelayWriter(payload);
        writer.Number((ulong)Code);
        writer.Text(RelayText.Cut(Reason, RelayText.MaxNote));
        writer.Text(RelayText.Fits(Redirect, RelayText.MaxUrl) ? Redirect : "");
        RelayWriter.Message(output, RelayMessageType.Refused, payload.WrittenSpan);
    }
}
