namespace Millrace.Media.Tests;

/// <summary>Bytes as a test writes them.</summary>
internal static class Hex
{
    /// <summary>Hexadecimal digits; blanks are for the reader.</summary>
    public static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));

    /// <summary>Binary digits; blanks are for the reader. The last byte is filled with zeros.</summary>
    public static byte[] Bits(string bits)
    {
        string digits = bits.Replace(" ", "", StringComparison.Ordinal);
        byte[] bytes = new byte[(digits.Length + 7) / 8];
        for (int i = 0; i < digits.Length; i++)
            bytes[i / 8] |= (byte)((digits[i] - '0') << (7 - (i % 8)));
        return bytes;
    }

    public static string Of(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);
}
