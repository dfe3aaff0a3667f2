using System.Security.Cryptography;

namespace Millrace.Protocols.Rtmp;

/// <summary>Where the 32-byte digest of C1 and S1 lies.</summary>
internal enum RtmpDigestScheme : byte
{
    /// <summary>Plain handshake (RTMP 1.0, 5.2): no digest, the version field is zero.</summary>
    None,

    /// <summary>The offset is summed from bytes 8 to 11; librtmp and ffmpeg send this.</summary>
    DigestFirst,

    /// <summary>The offset is summed from bytes 772 to 775.</summary>
    KeyFirst,
}

/// <summary>
/// The bytes of both handshakes: the plain one of RTMP 1.0, 5.2, and the one with HMAC-SHA256 digests that Flash Player 9 and later
/// want before they play H.264 (known from librtmp and SRS; Adobe never published it).
/// </summary>
internal static class RtmpHandshake
{
    public const byte Version = 3;

    /// <summary>Bytes of C1, C2, S1 and S2.</summary>
    public const int PacketSize = 1536;

    private const int DigestSize = 32;

    private static readonly byte[] PlayerKey =
    [
        .. "Genuine Adobe Flash Player 001"u8,
        0xF0, 0xEE, 0xC2, 0x4A, 0x80, 0x68, 0xBE, 0xE8, 0x2E, 0x00, 0xD0, 0xD1, 0x02, 0x9E, 0x7E, 0x57,
        0x6E, 0xEC, 0x5D, 0x2D, 0x29, 0x80, 0x6F, 0xAB, 0x93, 0xB8, 0xE6, 0x36, 0xCF, 0xEB, 0x31, 0xAE,
    ];

    private static readonly byte[] ServerKey =
    [
        .. "Genuine Adobe Flash Media Server 001"u8,
        0xF0, 0xEE, 0xC2, 0x4A, 0x80, 0x68, 0xBE, 0xE8, 0x2E, 0x00, 0xD0, 0xD1, 0x02, 0x9E, 0x7E, 0x57,
        0x6E, 0xEC, 0x5D, 0x2D, 0x29, 0x80, 0x6F, 0xAB, 0x93, 0xB8, 0xE6, 0x36, 0xCF, 0xEB, 0x31, 0xAE,
    ];

    private static ReadOnlySpan<byte> PlayerName => PlayerKey.AsSpan(0, 30);

    private static ReadOnlySpan<byte> ServerName => ServerKey.AsSpan(0, 36);

    /// <summary>Writes C1 with the digest of a player, or the plain form.</summary>
    public static void WriteC1(Span<byte> c1, RtmpDigestScheme scheme)
    {
        WriteFirst(c1, scheme, [9, 0, 124, 2], PlayerName);
    }

    /// <summary>Writes S1 and S2 for a client's C1: with digests when C1 has one, else plain. Returns what was found.</summary>
    public static RtmpDigestScheme WriteS1S2(ReadOnlySpan<byte> c1, Span<byte> s1, Span<byte> s2)
    {
        var scheme = Detect(c1, PlayerName);
        WriteFirst(s1, scheme, [3, 5, 1, 1], ServerName);
        WriteSecond(c1, s2, scheme, ServerKey);
        return scheme;
    }

    /// <summary>Writes C2 for a server's S1: signed when S1 has a digest, else an echo. Returns what was found.</summary>
    public static RtmpDigestScheme WriteC2(ReadOnlySpan<byte> s1, Span<byte> c2)
    {
        var scheme = Detect(s1, ServerName);
        WriteSecond(s1, c2, scheme, PlayerKey);
        return scheme;
    }

    /// <summary>Whether S2 (or C2) carries the signature over the digest that this side sent in C1 (or S1).</summary>
    public static bool IsSigned(ReadOnlySpan<byte> own, RtmpDigestScheme scheme, ReadOnlySpan<byte> second, bool byServer)
    {
        Span<byte> expected = stackalloc byte[DigestSize];
        Sign(own.Slice(DigestOffset(own, scheme), DigestSize), second, byServer ? ServerKey : PlayerKey, expected);
        return expected.SequenceEqual(second[^DigestSize..]);
    }

    /// <summary>Finds the scheme under which a C1 (or S1) has a valid digest.</summary>
    public static RtmpDigestScheme DetectClient(ReadOnlySpan<byte> c1) => Detect(c1, PlayerName);

    private static RtmpDigestScheme Detect(ReadOnlySpan<byte> packet, ReadOnlySpan<byte> key)
    {
        // Version 0 is how a peer says that it has no digest; that spares two HMACs.
        if (packet[4] == 0)
        {
            return RtmpDigestScheme.None;
        }

        return HasDigest(packet, RtmpDigestScheme.DigestFirst, key) ? RtmpDigestScheme.DigestFirst
            : HasDigest(packet, RtmpDigestScheme.KeyFirst, key) ? RtmpDigestScheme.KeyFirst
            : RtmpDigestScheme.None;
    }

    private static bool HasDigest(ReadOnlySpan<byte> packet, RtmpDigestScheme scheme, ReadOnlySpan<byte> key)
    {
        Span<byte> expected = stackalloc byte[DigestSize];
        var offset = DigestOffset(packet, scheme);
        Digest(packet, offset, key, expected);
        return expected.SequenceEqual(packet.Slice(offset, DigestSize));
    }

    private static void WriteFirst(Span<byte> packet, RtmpDigestScheme scheme, ReadOnlySpan<byte> version, ReadOnlySpan<byte> key)
    {
        RandomNumberGenerator.Fill(packet[8..PacketSize]);
        packet[..8].Clear();
        if (scheme == RtmpDigestScheme.None)
        {
            return;
        }

        version.CopyTo(packet[4..]);
        var offset = DigestOffset(packet, scheme);
        Digest(packet, offset, key, packet.Slice(offset, DigestSize));
    }

    private static void WriteSecond(ReadOnlySpan<byte> theirs, Span<byte> packet, RtmpDigestScheme scheme, ReadOnlySpan<byte> key)
    {
        if (scheme == RtmpDigestScheme.None)
        {
            theirs[..PacketSize].CopyTo(packet);
            return;
        }

        RandomNumberGenerator.Fill(packet[..PacketSize]);
        Sign(theirs.Slice(DigestOffset(theirs, scheme), DigestSize), packet, key, packet[(PacketSize - DigestSize)..]);
    }

    private static int DigestOffset(ReadOnlySpan<byte> packet, RtmpDigestScheme scheme)
    {
        var at = scheme == RtmpDigestScheme.DigestFirst ? 8 : 772;
        var sum = packet[at] + packet[at + 1] + packet[at + 2] + packet[at + 3];
        return sum % 728 + at + 4;
    }

    /// <summary>HMAC-SHA256 over the packet without the digest itself.</summary>
    private static void Digest(ReadOnlySpan<byte> packet, int offset, ReadOnlySpan<byte> key, Span<byte> digest)
    {
        Span<byte> joined = stackalloc byte[PacketSize - DigestSize];
        packet[..offset].CopyTo(joined);
        packet[(offset + DigestSize)..PacketSize].CopyTo(joined[offset..]);
        HMACSHA256.HashData(key, joined, digest);
    }

    private static void Sign(ReadOnlySpan<byte> digest, ReadOnlySpan<byte> packet, ReadOnlySpan<byte> key, Span<byte> signature)
    {
        Span<byte> inner = stackalloc byte[DigestSize];
        HMACSHA256.HashData(key, digest, inner);
        HMACSHA256.HashData(inner, packet[..(PacketSize - DigestSize)], signature);
    }
}
