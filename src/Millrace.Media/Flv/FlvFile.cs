using System.Buffers.Binary;
using Millrace.Media.Bits;

namespace Millrace.Media.Flv;

/// <summary>TagType (FLV v10.1, E.4.1); the numbers are RTMP's message types too.</summary>
public enum FlvTagType : byte
{
    Audio = 8,
    Video = 9,
    Script = 18,
}

/// <summary>The file header (E.2) with the PreviousTagSize0 that follows it (E.3).</summary>
public static class FlvFileHeader
{
    /// <summary>Bytes that <see cref="Write"/> writes: 9 of header, 4 of PreviousTagSize0.</summary>
    public const int Length = 9 + 4;

    public static void Write(Span<byte> target, bool hasAudio, bool hasVideo)
    {
        ReadOnlySpan<byte> signatureAndVersion = [(byte)'F', (byte)'L', (byte)'V', 1];
        signatureAndVersion.CopyTo(target);
        target[4] = (byte)((hasAudio ? 4 : 0) | (hasVideo ? 1 : 0));
        BinaryPrimitives.WriteUInt32BigEndian(target[5..], 9);
        BinaryPrimitives.WriteUInt32BigEndian(target[9..], 0);
    }
}

/// <summary>What surrounds the body of a tag (E.4.1, E.3).</summary>
public static class FlvTagHeader
{
    public const int Length = 11;

    /// <summary>Bytes of the PreviousTagSize behind each tag.</summary>
    public const int TrailerLength = 4;

    /// <summary>Of a body: DataSize has 24 bits.</summary>
    public const int MaxBodyLength = (1 << 24) - 1;

    /// <param name="target">At least <see cref="Length"/> bytes.</param>
    /// <param name="type">Audio, video or script.</param>
    /// <param name="length">Bytes of the body, up to <see cref="MaxBodyLength"/>.</param>
    /// <param name="timestampMs">All 32 bits are written: the upper 8 go to TimestampExtended.</param>
    public static void Write(Span<byte> target, FlvTagType type, int length, uint timestampMs)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)MaxBodyLength, nameof(length));
        target[0] = (byte)type;
        BigEndian.WriteUInt24(target[1..], length);
        BigEndian.WriteUInt24(target[4..], (int)timestampMs);
        target[7] = (byte)(timestampMs >> 24);
        BigEndian.WriteUInt24(target[8..], 0); // StreamID
    }

    /// <summary>The four bytes behind a tag whose body has <paramref name="length"/> bytes.</summary>
    public static void WriteTrailer(Span<byte> target, int length) =>
        BinaryPrimitives.WriteUInt32BigEndian(target, (uint)(Length + length));
}
