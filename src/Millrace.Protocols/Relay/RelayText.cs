using System.Text;
using System.Text.Unicode;

namespace Millrace.Protocols.Relay;

/// <summary>Limits of the texts in messages, bytes of UTF-8.</summary>
internal static class RelayText
{
    /// <summary><c>vhost/app/name</c>, and the file name of an HLS object.</summary>
    public const int MaxName = 512;

    /// <summary>The query of a viewer or publisher.</summary>
    public const int MaxArguments = 4096;

    /// <summary>Address, protocol and agent of a viewer or publisher; reasons: what people read, cut when it is longer.</summary>
    public const int MaxNote = 512;

    public static bool Fits(string text, int limit) => text.Length <= limit && Encoding.UTF8.GetByteCount(text) <= limit;

    /// <summary>The text's beginning that is at most <paramref name="limit"/> bytes long.</summary>
    public static string Cut(string text, int limit)
    {
        if (Fits(text, limit))
            return text;
        Span<byte> room = stackalloc byte[limit];
        Utf8.FromUtf16(text, room, out var read, out _);
        return text[..read];
    }

    /// <summary>Bytes of a text behind its length.</summary>
    public static int LengthOf(string text)
    {
        var bytes = Encoding.UTF8.GetByteCount(text);
        return RelayWriter.LengthOf((ulong)bytes) + bytes;
    }
}
