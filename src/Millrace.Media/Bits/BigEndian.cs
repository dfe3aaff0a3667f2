namespace Millrace.Media.Bits;

/// <summary>The 24-bit fields of FLV and RTMP, which BinaryPrimitives lacks. The caller guarantees three bytes.</summary>
internal static class BigEndian
{
    public static int ReadUInt24(ReadOnlySpan<byte> source) => (source[0] << 16) | (source[1] << 8) | source[2];

    public static int ReadInt24(ReadOnlySpan<byte> source) => ((sbyte)source[0] << 16) | (source[1] << 8) | source[2];

    /// <summary>Writes the low 24 bits.</summary>
    public static void WriteUInt24(Span<byte> target, int value)
    {
        target[0] = (byte)(value >> 16);
        target[1] = (byte)(value >> 8);
        target[2] = (byte)value;
    }
}
