using System.Text;
using Microsoft.AspNetCore.Http;

namespace Millrace.Node.Http;

/// <summary>The header fields that choose between representations of a media resource; empty where they are missing.</summary>
/// <param name="IsHead">HEAD: the same answer without its body.</param>
/// <param name="AcceptsGzip">See <see cref="MayBeGzip"/>.</param>
/// <param name="IfNoneMatch">RFC 9110 13.1.2.</param>
/// <param name="Range">14.2; only for GET.</param>
/// <param name="IfRange">13.1.5.</param>
internal readonly record struct MediaRequestFields(bool IsHead, bool AcceptsGzip, string IfNoneMatch, string Range, string IfRange)
{
    public static MediaRequestFields None { get; } = new(false, false, "", "", "");

    /// <summary>The answer depends on more than the encoding.</summary>
    public bool HasChoice => IfNoneMatch.Length > 0 || Range.Length > 0;

    public static MediaRequestFields Of(in HttpRequestHead request) => new(
        request.IsHead, MayBeGzip(request.AcceptEncoding), TextOf(request.IfNoneMatch), TextOf(request.Range), TextOf(request.IfRange));

    public static MediaRequestFields Of(HttpRequest request)
    {
        var headers = request.Headers;
        return new MediaRequestFields(
            HttpMethods.IsHead(request.Method), MayBeGzip(Encoding.UTF8.GetBytes(headers.AcceptEncoding.ToString())),
            headers.IfNoneMatch.ToString(), headers.Range.ToString(), headers.IfRange.ToString());
    }

    /// <summary>Whether gzip may be sent by an Accept-Encoding: named, or meant by a star, and not with weight 0 (RFC 9110 12.5.3).</summary>
    public static bool MayBeGzip(ReadOnlySpan<byte> acceptEncoding)
    {
        var (named, star) = ((bool?)null, (bool?)null);
        foreach (var range in acceptEncoding.Split((byte)','))
        {
            var item = acceptEncoding[range];
            var semicolon = item.IndexOf((byte)';');
            var coding = (semicolon < 0 ? item : item[..semicolon]).Trim(Blanks);
            var isAllowed = semicolon < 0 || !IsZero(item[(semicolon + 1)..].Trim(Blanks));
            if (Ascii.EqualsIgnoreCase(coding, "gzip"u8))
                named = isAllowed;
            else if (coding.SequenceEqual("*"u8))
                star = isAllowed;
        }

        return named ?? star ?? false;
    }

    /// <summary>Whether the client has the representation of that tag already (weak comparison, 13.1.2).</summary>
    public bool HasAlready(string etag)
    {
        foreach (var range in IfNoneMatch.AsSpan().Split(','))
        {
            var item = IfNoneMatch.AsSpan()[range].Trim();
            if (item.StartsWith("W/", StringComparison.Ordinal))
                item = item[2..];
            if (item.SequenceEqual("*") || (etag.Length > 0 && item.SequenceEqual(etag)))
                return true;
        }

        return false;
    }

    /// <summary>
    /// The one range that is asked for. False where there is none to be heeded: another unit, several ranges, a
    /// malformed one, or another representation than <paramref name="etag"/>.
    /// </summary>
    /// <param name="etag">Strong tag of the representation.</param>
    /// <param name="length">Its length, bytes.</param>
    /// <param name="from">First byte.</param>
    /// <param name="count">Bytes; 0 where the range lies outside of the representation (416).</param>
    public bool TryGetRange(string etag, long length, out long from, out long count)
    {
        const string Unit = "bytes=";
        (from, count) = (0, 0);
        if (IsHead || !Range.StartsWith(Unit, StringComparison.OrdinalIgnoreCase) || (IfRange.Length > 0 && IfRange != etag))
            return false;
        var spec = Range.AsSpan(Unit.Length).Trim();
        var dash = spec.IndexOf('-');
        if (dash < 0 || spec.Contains(','))
            return false;
        var first = spec[..dash].Trim();
        var last = spec[(dash + 1)..].Trim();
        if (first.IsEmpty)
        {
            if (!TryNumber(last, out var suffix))
                return false;
            count = Math.Min(suffix, length);
            from = length - count;
            return true;
        }

        var end = length - 1;
        if (!TryNumber(first, out from) || (!last.IsEmpty && !TryNumber(last, out end)) || (end < from && !last.IsEmpty))
            return false;
        count = from >= length ? 0 : Math.Min(end, length - 1) - from + 1;
        return true;
    }

    private static ReadOnlySpan<byte> Blanks => " \t"u8;

    private static bool IsZero(ReadOnlySpan<byte> parameter) =>
        parameter.Length > 2 && Ascii.EqualsIgnoreCase(parameter[..2], "q="u8) && parameter[2..].IndexOfAnyExcept((byte)'0', (byte)'.') < 0;

    private static string TextOf(ReadOnlySpan<byte> value) => value.IsEmpty ? "" : Encoding.Latin1.GetString(value);

    private static bool TryNumber(ReadOnlySpan<char> text, out long number) =>
        long.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out number);
}
