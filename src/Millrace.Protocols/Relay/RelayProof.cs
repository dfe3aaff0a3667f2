using System.Security.Cryptography;

namespace Millrace.Protocols.Relay;

/// <summary>
/// Proof that a side knows the shared secret: HMAC-SHA256 over the side's label, both nonces and both node ids, these two behind their
/// lengths. The labels differ, so that no side can send back what it was sent.
/// </summary>
internal static class RelayProof
{
    public const int Length = HMACSHA256.HashSizeInBytes;

    private static ReadOnlySpan<byte> ClientLabel => "millrace relay 1 client"u8;

    private static ReadOnlySpan<byte> ServerLabel => "millrace relay 1 server"u8;

    /// <summary>Writes the proof of one side to <paramref name="proof"/>; returns its length, which is 0 without a secret.</summary>
    public static int Write(Span<byte> proof, ReadOnlySpan<byte> secret, bool ofClient, RelayHello client, RelayHello server)
    {
        if (secret.IsEmpty)
            return 0;
        Span<byte> text = stackalloc byte[ClientLabel.Length + 2 * (RelayOptions.NonceBytes + 1 + RelayNode.MaxLength)];
        var length = Append(text, 0, ofClient ? ClientLabel : ServerLabel);
        length = Append(text, length, client.Nonce.Span);
        length = Append(text, length, server.Nonce.Span);
        length = Append(text, length, client.Node);
        length = Append(text, length, server.Node);
        return HMACSHA256.HashData(secret, text[..length], proof);
    }

    /// <summary>Whether the peer's proof will do; anything does for a side without a secret.</summary>
    public static bool IsAccepted(ReadOnlySpan<byte> proof, ReadOnlySpan<byte> secret, bool ofClient, RelayHello client, RelayHello server)
    {
        Span<byte> right = stackalloc byte[Length];
        return secret.IsEmpty || CryptographicOperations.FixedTimeEquals(proof, right[..Write(right, secret, ofClient, client, server)]);
    }

    private static int Append(Span<byte> text, int at, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(text[at..]);
        return at + bytes.Length;
    }

    /// <summary>Ids are ASCII (<see cref="RelayNode"/>).</summary>
    private static int Append(Span<byte> text, int at, string node)
    {
        text[at] = (byte)node.Length;
        return at + 1 + System.Text.Encoding.ASCII.GetBytes(node, text[(at + 1)..]);
    }
}
