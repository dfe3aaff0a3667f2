using System.Buffers;

namespace Millrace.Protocols.Relay;

/// <summary>Why a peer or its request is refused; numbers as in HTTP, where it has one for it.</summary>
internal enum RelayRefusalCode
{
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
    Unavailable = 503,
    Version = 505,
}

/// <summary>The end of a connection before it served its purpose.</summary>
/// <param name="Code">As sent: a later version may know more.</param>
/// <param name="Reason">For logs and people; cut after <see cref="RelayText.MaxNote"/> bytes.</param>
internal sealed record RelayRefusal(RelayRefusalCode Code, string Reason)
{
    private const int MaxCode = 999;

    public static bool TryRead(ReadOnlySpan<byte> payload, out RelayRefusal? refusal)
    {
        refusal = null;
        var reader = new RelayReader(payload);
        if (!reader.TryNumber(MaxCode, out int code) || !reader.TryNote(out var reason))
            return false;
        refusal = new RelayRefusal((RelayRefusalCode)code, reason);
        return true;
    }

    public void Write(IBufferWriter<byte> output)
    {
        var payload = new ArrayBufferWriter<byte>();
        var writer = new RelayWriter(payload);
        writer.Number((ulong)Code);
        writer.Text(RelayText.Cut(Reason, RelayText.MaxNote));
        RelayWriter.Message(output, RelayMessageType.Refused, payload.WrittenSpan);
    }
}
