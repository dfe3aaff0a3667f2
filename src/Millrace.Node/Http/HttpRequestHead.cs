using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace Millrace.Node.Http;

/// <summary>
/// What a shard must know of an HTTP/1.x request to answer it, or to tell that it is not its own: slices of the bytes as
/// they came. Strict: whatever is unusual is left to Kestrel, which answers it (RFC 9112).
/// </summary>
internal ref struct HttpRequestHead
{
    private static readonly SearchValues<byte> HostBytes = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"u8);

    private static readonly SearchValues<byte> AddressBytes = SearchValues.Create("0123456789abcdefABCDEF:."u8);

    private bool _hasLength;
    private bool _saysClose;
    private bool _saysKeepAlive;

    private static ReadOnlySpan<byte> End => "\r\n\r\n"u8;

    private static ReadOnlySpan<byte> Blanks => " \t"u8;

    public ReadOnlySpan<byte> Method { get; private init; }

    /// <summary>Path and query as sent.</summary>
    public ReadOnlySpan<byte> Target { get; private init; }

    /// <summary>Path as sent, percent-encoded, without query.</summary>
    public ReadOnlySpan<byte> Path { get; private init; }

    /// <summary>Without the question mark.</summary>
    public ReadOnlySpan<byte> Query { get; private init; }

    public bool IsVersion11 { get; private init; }

    /// <summary>Bytes of the head, its empty line included.</summary>
    public int Length { get; private init; }

    public ReadOnlySpan<byte> Host { get; private set; }

    public ReadOnlySpan<byte> Agent { get; private set; }

    public ReadOnlySpan<byte> Upgrade { get; private set; }

    public ReadOnlySpan<byte> WebSocketKey { get; private set; }

    public ReadOnlySpan<byte> WebSocketVersion { get; private set; }

    public ReadOnlySpan<byte> AcceptEncoding { get; private set; }

    public ReadOnlySpan<byte> IfNoneMatch { get; private set; }

    public ReadOnlySpan<byte> Range { get; private set; }

    public ReadOnlySpan<byte> IfRange { get; private set; }

    public ReadOnlySpan<byte> Authorization { get; private set; }

    public ReadOnlySpan<byte> Cookie { get; private set; }

    /// <summary>The connection is to end with the answer (RFC 9112 9.3).</summary>
    public readonly bool WantsClose => _saysClose || (!IsVersion11 && !_saysKeepAlive);

    public bool WantsUpgrade { get; private set; }

    public bool HasBody { get; private set; }

    public readonly bool IsGet => Method.SequenceEqual("GET"u8);

    public readonly bool IsHead => Method.SequenceEqual("HEAD"u8);

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
    /// False when the first line cannot be that of an HTTP/1.x request (RFC 9112 3), whatever its line ends and how many empty
    /// lines are before it (2.2): not even Kestrel has an answer to it then.
    /// </summary>
    public static bool CanBeHttp(ReadOnlySpan<byte> bytes)
    {
        bytes = bytes.TrimStart("\r\n"u8);
        if (bytes.IsEmpty)
            return true;
        if (!char.IsAsciiLetter((char)bytes[0]))
            return false;
        var feed = bytes.IndexOf((byte)'\n');
        if (feed < 0)
            return true;
        var line = bytes[..feed].TrimEnd((byte)'\r');
        var version = line.LastIndexOf((byte)' ') + 1;
        return version > 1 && line[version..].StartsWith("HTTP/1."u8) && IsPlain(line[version..]);
    }

    /// <summary>False when the bytes are not a request of the plain form.</summary>
    public static bool TryParse(ReadOnlySpan<byte> head, out HttpRequestHead request)
    {
        request = default;
        var lineEnd = head.IndexOf("\r\n"u8);
        var line = head[..lineEnd];
        var methodEnd = line.IndexOf((byte)' ');
        if (methodEnd <= 0)
            return false;
        var rest = line[(methodEnd + 1)..];
        var targetEnd = rest.IndexOf((byte)' ');
        if (targetEnd <= 0)
            return false;
        var target = rest[..targetEnd];
        var version = rest[(targetEnd + 1)..];
        var isVersion11 = version.SequenceEqual("HTTP/1.1"u8);
        // A zero byte in a path is malformed to Kestrel, whoever is asked.
        if ((!isVersion11 && !version.SequenceEqual("HTTP/1.0"u8)) || target[0] != (byte)'/' || !IsPlain(target) || target.IndexOf("%00"u8) >= 0)
            return false;
        var mark = target.IndexOf((byte)'?');
        request = new HttpRequestHead
        {
            Method = line[..methodEnd],
            Target = target,
            Path = mark < 0 ? target : target[..mark],
            Query = mark < 0 ? default : target[(mark + 1)..],
            IsVersion11 = isVersion11,
            Length = head.Length,
        };
        return request.TryReadFields(head[(lineEnd + 2)..]);
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
            if (colon <= 0 || !IsPlain(field[..colon]))
                return false;
            var value = field[(colon + 1)..].Trim(Blanks);
            if (!IsText(value) || !TryTake(field[..colon], value))
                return false;
        }

        return false;
    }

    /// <summary>False for fields that come twice, which would have to be joined, and for empty ones.</summary>
    private bool TryTake(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) => name.Length switch
    {
        4 when Is(name, "host"u8) => TryTakeHost(value),
        5 when Is(name, "range"u8) => Range.IsEmpty && (Range = value).Length > 0,
        6 when Is(name, "cookie"u8) => (Cookie = value).Length >= 0,
        7 when Is(name, "upgrade"u8) => Upgrade.IsEmpty && (Upgrade = value).Length > 0,
        8 when Is(name, "if-range"u8) => IfRange.IsEmpty && (IfRange = value).Length > 0,
        10 when Is(name, "connection"u8) => TryTakeConnection(value),
        10 when Is(name, "user-agent"u8) => (Agent = value).Length >= 0,
        13 when Is(name, "if-none-match"u8) => IfNoneMatch.IsEmpty && (IfNoneMatch = value).Length > 0,
        13 when Is(name, "authorization"u8) => (Authorization = value).Length >= 0,
        14 when Is(name, "content-length"u8) => TryTakeLength(value),
        15 when Is(name, "accept-encoding"u8) => AcceptEncoding.IsEmpty && (AcceptEncoding = value).Length > 0,
        17 when Is(name, "transfer-encoding"u8) => HasBody = true,
        17 when Is(name, "sec-websocket-key"u8) => (WebSocketKey = value).Length >= 0,
        21 when Is(name, "sec-websocket-version"u8) => (WebSocketVersion = value).Length >= 0,
        _ => true,
    };

    private bool TryTakeHost(ReadOnlySpan<byte> value)
    {
        if (!Host.IsEmpty || !IsHost(value))
            return false;
        Host = value;
        return true;
    }

    /// <summary>A name or an address, perhaps with a port (RFC 9110 7.2).</summary>
    private static bool IsHost(ReadOnlySpan<byte> value)
    {
        var isBracketed = value.StartsWith("["u8);
        var end = value.IndexOf(isBracketed ? (byte)']' : (byte)':');
        if (isBracketed)
        {
            // Kestrel knows no shorter one than [::1].
            if (end < 4 || value[1..end].IndexOfAnyExcept(AddressBytes) >= 0)
                return false;
            value = value[(end + 1)..];
        }
        else
        {
            var name = end < 0 ? value : value[..end];
            if (name.IsEmpty || name.IndexOfAnyExcept(HostBytes) >= 0)
                return false;
            value = value[name.Length..];
        }

        return value.IsEmpty || (value.Length > 1 && value[0] == ':' && value[1..].IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0);
    }

    private bool TryTakeConnection(ReadOnlySpan<byte> value)
    {
        _saysClose |= Contains(value, "close"u8);
        _saysKeepAlive |= Contains(value, "keep-alive"u8);
        WantsUpgrade |= Contains(value, "upgrade"u8);
        return true;
    }

    private bool TryTakeLength(ReadOnlySpan<byte> value)
    {
        if (_hasLength)
            return false;
        _hasLength = true;
        HasBody |= !Utf8Parser.TryParse(value, out long length, out var used) || used != value.Length || length != 0;
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

    /// <summary>Visible ASCII, blanks between.</summary>
    private static bool IsText(ReadOnlySpan<byte> value)
    {
        while (value.IndexOfAnyExceptInRange((byte)0x20, (byte)0x7E) is var at and >= 0)
        {
            if (value[at] != (byte)'\t')
                return false;
            value = value[(at + 1)..];
        }

        return true;
    }
}
