namespace Millrace.Streams.Packaging;

/// <summary>The chunked transfer coding of HTTP/1.1 (RFC 9112 7.1).</summary>
internal static class HttpChunk
{
    /// <summary>Follows the data of each chunk.</summary>
    public static ReadOnlySpan<byte> End => "\r\n"u8;

    /// <summary>The last chunk, without trailers.</summary>
    public static ReadOnlySpan<byte> Last => "0\r\n\r\n"u8;

    /// <summary>Bytes of the size line of a chunk.</summary>
    public static int HeaderLength(long payload) => Digits(payload) + End.Length;

    public static int WriteHeader(Span<byte> target, long payload)
    {
        var digits = Digits(payload);
        for (var i = digits - 1; i >= 0; i--, payload >>= 4)
            target[i] = "0123456789abcdef"u8[(int)(payload & 15)];
        End.CopyTo(target[digits..]);
        return digits + End.Length;
    }

    private static int Digits(long value) => Math.Max(1, (67 - (int)long.LeadingZeroCount(value)) / 4);
}
