using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Millrace.Node.Http;
using Millrace.Streams;

namespace Millrace.Node.Access;

/// <summary>What an HTTP request shows to be let in, for whatever stream that turns out to be; for no log.</summary>
/// <param name="query">Without its question mark.</param>
/// <param name="authorization">The field.</param>
/// <param name="cookie">The field; several joined.</param>
internal sealed class HttpPapers(string query, string authorization, string cookie)
{
    private string? _ofQuery;
    private string? _own;

    /// <summary>The request came over TLS.</summary>
    public bool IsHttps { get; init; }

    public required IPEndPoint Client { get; init; }

    public string Protocol { get; init; } = "";

    public string Agent { get; init; } = "";

    private string OfQuery => _ofQuery ??= query.Length == 0 ? "" : AccessPapers.Of(StreamAddress.ArgumentsOf(query));

    /// <summary>
    /// The query shows no token but something else, which counts only where neither a bearer's nor a cookie does: of those who ask in the same
    /// words, one may be judged by what another does not show.
    /// </summary>
    public bool IsPersonal => OfQuery.Length > 0 && !HasToken(OfQuery);

    /// <summary>What the query shows, where it is that which counts for the stream; empty else.</summary>
    public string OfQueryFor(StreamName stream) => ClaimFor(stream).Papers == OfQuery ? OfQuery : "";

    /// <summary>The query's own token comes first, then the bearer's, then what was shown before and is in a cookie, then other arguments.</summary>
    public AccessClaim ClaimFor(StreamName stream)
    {
        _own ??= AccessPapers.Of(StreamAddress.ArgumentsOf(query), AccessPapers.BearerOf(authorization));
        var papers = cookie.Length > 0 && !HasToken(_own) && AccessPapers.OfCookie(cookie, stream) is { Length: > 0 } kept ? kept : _own;
        return new AccessClaim(stream, AccessAction.Play, papers) { Client = Client.ToString(), Protocol = Protocol, Agent = Agent };
    }

    public static HttpPapers Of(in HttpRequestHead request, string protocol, IPEndPoint remote) =>
        new(Text(request.Query), Text(request.Authorization), Text(request.Cookie)) { Protocol = protocol, Client = remote, Agent = Text(request.Agent) };

    public static HttpPapers Of(HttpContext context, string protocol)
    {
        var (request, connection) = (context.Request, context.Connection);
        return new HttpPapers(request.QueryString.Value?.TrimStart('?') ?? "", request.Headers.Authorization.ToString(), string.Join("; ", (IEnumerable<string?>)request.Headers.Cookie))
        {
            IsHttps = request.IsHttps,
            Protocol = protocol,
            Client = new IPEndPoint(connection.RemoteIpAddress ?? IPAddress.None, connection.RemotePort),
            Agent = request.Headers.UserAgent.ToString(),
        };
    }

    private static bool HasToken(string papers) => AccessPapers.TokensOf(papers) is not ("", "");

    private static string Text(ReadOnlySpan<byte> bytes) => bytes.IsEmpty ? "" : Encoding.Latin1.GetString(bytes);
}
