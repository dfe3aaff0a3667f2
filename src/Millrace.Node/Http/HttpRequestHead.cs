using System.Buffers.Text;
using System.Text;

namespace Millrace.Node.Http;

/// <summary>
/// What a shard must know of an HTTP/1.x request to tell whether it is its own. Strict: whatever is unusual is left to
/// Kestrel, which answers it (RFC 9112).
/// </summary>
internal sealed class HttpRequestHead
{
    private static ReadOnlySpan<byte> End => "\r\n\r\n"u8;

    private static ReadOnlySpan<byte> Blanks => " \t"u8;

    private bool _hasHost;

    public required string Method { get; init; }

    /// <summary>Path as sent, percent-encoded, without query.</summary>
    public required string Path { get; init; }

    /// <summary>Without the question mark.</summary>
    public required string Query { get; init; }

    public required bool IsVersion11 { get; init; }

    /// <summary>Bytes of the head, its empty line included.</summary>
    public required int Length { get; init; }

    public string Host { get; private set; } = "";

    public string Agent { get; private set; } = "";

    public string Upgrade { get; private set; } = "";

    public string WebSocketKey { get; private set; } = "";

    public string WebSocketVersion { get; private set; } = "";

    public bool WantsClose { get; private set; }

    public bool WantsUpgrade { get; private set; }

    public bool HasBody { get; private set; }

    /// <summary>Length of the head that <paramref name="bytes"/> begin with, -1 while it is incomplete.</summary>
    public static int Measure(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf(End);
        return end < 0 ? -1 : end + End.Length;
    }

    /// <summary>
    /// False when no head that begins like this is of the plain form, so that there is nothing to wait for: TLS, another
    /// protocol, lines that end in a bare LF.
    /// </summary>
    public static bool CanBePlain(ReadOnlySpan<byte> bytes)
    {
        if (bytes[0] is < (byte)'A' or > (byte)'Z')
            return false;
        for (var from = 0; ;)
        {
            var feed = bytes[from..].IndexOf((byte)'\n');
            if (feed < 0)
                return true;
            if (bytes[from + feed - 1] != (byte)'\r')
                return false;
            from += feed + 1;
            if (from < bytes.Length && bytes[from] == (byte)'\n')
                return false;
        }
    }

    /// <summary>
    /// False when the first line cannot be that of an HTTP/1.x request (RFC 9112 3), whatever its line ends: not even
    /// Kestrel has an answer to it then.
    /// </summary>
    public static bool CanBeHttp(ReadOnlySpan<byte> bytes)
    {
        if (!char.IsAsciiLetter((char)bytes[0]))
            return false;
        var feed = bytes.IndexOf((byte)'\n');
        if (feed < 0)
            return true;
        var line = bytes[..feed].TrimEnd((byte)'\r');
        var version = line.LastIndexOf((byte)' ') + 1;
        return version > 1 && line[version..].StartsWith("HTTP/1."u8) && IsPlain(line[version..]);
    }

    /// <summary>Null when the bytes are not a request of the plain form.</summary>
    public static HttpRequestHead? Parse(ReadOnlySpan<byte> head)
    {
        var lineEnd = head.IndexOf("\r\n"u8);
        var line = head[..lineEnd];
        var methodEnd = line.IndexOf((byte)' ');
        if (methodEnd <= 0)
            return null;
        var rest = line[(methodEnd + 1)..];
        var targetEnd = rest.IndexOf((byte)' ');
        if (targetEnd <= 0)
            return null;
        var target = rest[..targetEnd];
        var version = rest[(targetEnd + 1)..];
        var isVersion11 = version.SequenceEqual("HTTP/1.1"u8);
        if ((!isVersion11 && !version.SequenceEqual("HTTP/1.0"u8)) || target[0] != (byte)'/' || !IsPlain(target))
            return null;
        var mark = target.IndexOf((byte)'?');
        var request = new HttpRequestHead
        {
            Method = Encoding.ASCII.GetString(line[..methodEnd]),
            Path = Encoding.ASCII.GetString(mark < 0 ? target : target[..mark]),
            Query = mark < 0 ? "" : Encoding.ASCII.GetString(target[(mark + 1)..]),
            IsVersion11 = isVersion11,
            Length = head.Length,
            WantsClose = !isVersion11,
        };
        return request.TryReadFields(head[(lineEnd + 2)..]) ? request : null;
    }

    private bool TryReadFields(ReadOnlySpan<byte> fields)
    {
        while (!fields.IsEmpty)
        {
            var end = fields.IndexOf("\r\n"u8);
            if (end < 0)
                return false;
            if (end == 0)
                return fields.Length == 2 && (Host.Length > 0 || !IsVersion11);
            var field = fields[..end];
            fields = fields[(end + 2)..];
            var colon = field.IndexOf((byte)':');
            // A folded line or a blank before the colon is how requests are smuggled (RFC 9112 5.1, 5.2).
            if (colon <= 0 || !IsPlain(field[..colon]) || field.IndexOfAny((byte)'\r', (byte)'\n', (byte)0) >= 0)
                return false;
            if (!TryTake(field[..colon], field[(colon + 1)..].Trim(Blanks)))
                return false;
        }

        return false;
    }

    private bool TryTake(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (Is(name, "host"u8))
        {
            if (_hasHost || !IsPlain(value))
                return false;
            _hasHost = true;
            Host = Encoding.Latin1.GetString(value);
        }
        else if (Is(name, "connection"u8))
        {
            WantsClose |= Contains(value, "close"u8);
            WantsUpgrade |= Contains(value, "upgrade"u8);
        }
        else if (Is(name, "content-length"u8))
        {
            HasBody |= !Utf8Parser.TryParse(value, out long length, out var used) || used != value.Length || length != 0;
        }
        else if (Is(name, "transfer-encoding"u8))
        {
            HasBody = true;
        }
        else if (Is(name, "user-agent"u8))
        {
            Agent = Encoding.Latin1.GetString(value);
        }
        else if (Is(name, "upgrade"u8))
        {
            Upgrade = Encoding.Latin1.GetString(value);
        }
        else if (Is(name, "sec-websocket-key"u8))
        {
            WebSocketKey = Encoding.Latin1.GetString(value);
        }
        else if (Is(name, "sec-websocket-version"u8))
        {
            WebSocketVersion = Encoding.Latin1.GetString(value);
        }

        return true;
    }

    private static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> lower) => Ascii.EqualsIgnoreCase(name, lower);

    private static bool Contains(ReadOnlySpan<byte> list, ReadOnlySpan<byte> lower)
    {
        foreach (var range in list.Split((byte)','))
        {
            if (Ascii.EqualsIgnoreCase(list[range].Trim(Blanks), lower))
                return true;
        }

        return false;
    }

    /// <summary>Visible ASCII only.</summary>
    private static bool IsPlain(ReadOnlySpan<byte> text) => text.IndexOfAnyExceptInRange((byte)0x21, (byte)0x7E) < 0;
}
