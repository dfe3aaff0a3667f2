using System.Security.Cryptography;
using System.Text;
using Millrace.Node.Cluster;
using Millrace.Streams;

namespace Millrace.Node.Access;

/// <summary>
/// What somebody shows to be let in, made one query: his token alone where he has one (<c>token</c>, <c>key</c>, a bearer token), so that all who
/// show the same are one case whatever else they say; else all his arguments, for origins that decide by others, but for those that only say how
/// media is to be delivered.
/// </summary>
internal static class AccessPapers
{
    /// <summary>Longer ones are not looked at: as for other nodes (RelayText.MaxArguments).</summary>
    private const int MaxLength = 4096;

    private const string Token = "token";
    private const string Key = "key";
    private const string CookiePrefix = "millrace-";

    private static ReadOnlySpan<char> BearerScheme => "Bearer ";

    /// <param name="arguments">Of the query, unescaped.</param>
    /// <param name="bearer">From <see cref="BearerOf"/>.</param>
    public static string Of(IReadOnlyDictionary<string, string> arguments, string bearer = "")
    {
        var papers = new StringBuilder();
        foreach (var name in (ReadOnlySpan<string>)[Token, Key])
        {
            if (arguments.TryGetValue(name, out var value) && value.Length > 0)
                Append(papers, name, value);
        }

        if (papers.Length == 0 && bearer.Length > 0)
            Append(papers, Token, bearer);
        if (papers.Length == 0)
        {
            foreach (var (name, value) in arguments)
            {
                if (!IsOfDelivery(name))
                    Append(papers, name, value);
            }
        }

        return papers.Length > MaxLength ? "" : papers.ToString();
    }

    /// <summary>The tokens among them.</summary>
    public static (string Token, string Key) TokensOf(string papers)
    {
        if (papers.Length == 0)
            return ("", "");
        var arguments = StreamAddress.ArgumentsOf(papers);
        return (arguments.GetValueOrDefault(Token, ""), arguments.GetValueOrDefault(Key, ""));
    }

    /// <summary>The token of an Authorization field (RFC 6750 2.1); empty where it is none.</summary>
    public static string BearerOf(ReadOnlySpan<char> authorization) =>
        authorization.StartsWith(BearerScheme, StringComparison.OrdinalIgnoreCase) ? authorization[BearerScheme.Length..].Trim().ToString() : "";

    /// <summary>Of a stream: streams whose cookies go to the same paths do not take each other's.</summary>
    public static string CookieNameOf(StreamName stream) =>
        CookiePrefix + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(stream.ToString())).AsSpan(0, 4));

    /// <summary>What a Cookie field (RFC 6265 5.4) has for a stream; empty where there is nothing.</summary>
    public static string OfCookie(ReadOnlySpan<char> field, StreamName stream)
    {
        if (!field.Contains(CookiePrefix, StringComparison.Ordinal))
            return "";
        var name = CookieNameOf(stream);
        foreach (var range in field.Split(';'))
        {
            var pair = field[range].Trim();
            if (pair.Length > name.Length && pair[name.Length] == '=' && pair.StartsWith(name, StringComparison.Ordinal))
                return pair.Length > MaxLength ? "" : Of(StreamAddress.ArgumentsOf(Uri.UnescapeDataString(pair[(name.Length + 1)..].ToString())));
        }

        return "";
    }

    /// <summary>
    /// A Set-Cookie field for what was shown (RFC 6265 4.1), until the viewer closes his browser. Pages of other sites may play the stream: where
    /// browsers allow that at all, over TLS.
    /// </summary>
    /// <param name="stream">The stream.</param>
    /// <param name="papers">What was shown for it.</param>
    /// <param name="path">What else of the stream begins with.</param>
    /// <param name="isHttps">The request came over TLS.</param>
    public static string Cookie(StreamName stream, string papers, string path, bool isHttps) =>
        $"{CookieNameOf(stream)}={Uri.EscapeDataString(papers)}; Path={path}; HttpOnly{(isHttps ? "; Secure; SameSite=None" : "")}";

    private static void Append(StringBuilder papers, string name, string value) =>
        papers.Append(papers.Length > 0 ? "&" : "").Append(name).Append('=').Append(Uri.EscapeDataString(value));

    /// <summary>They differ from request to request, or choose among what there is.</summary>
    private static bool IsOfDelivery(string name) => name is "vhost" or "wait" or "flv" or Redirects.MarkerName || name.StartsWith("_HLS_", StringComparison.Ordinal);
}
