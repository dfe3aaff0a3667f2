using System.Diagnostics.CodeAnalysis;
using System.Net;
using Millrace.Node.Cluster;
using Millrace.Node.Settings;

namespace Millrace.Node.Relay;

/// <summary>How an origin is spoken to.</summary>
internal enum OriginKind
{
    /// <summary>The link between nodes.</summary>
    Millrace,

    /// <summary>RTMP, with whatever server.</summary>
    Rtmp,

    /// <summary>HTTP-FLV, with whatever server.</summary>
    Flv,
}

/// <summary>
/// Where an origin is: <c>millrace://host:port</c>, <c>rtmp://host:port/app</c>, <c>http://host:port</c>, the same with TLS as <c>millraces://</c>,
/// <c>rtmps://</c> and <c>https://</c>, or <c>host:port</c>.
/// </summary>
/// <param name="Kind">How it is spoken to.</param>
/// <param name="Host">A name or an address; IPv6 in brackets.</param>
/// <param name="Port">1 to 65,535.</param>
internal sealed record OriginAddress(OriginKind Kind, string Host, int Port)
{
    public const string Scheme = OriginUrl.Scheme;
    public const int DefaultPort = 9000;
    public const int RtmpPort = 1935;

    /// <summary>There is no standard; what services that take RTMP over TLS have.</summary>
    public const int RtmpTlsPort = 443;

    private const string Forms = "millrace://host:port, rtmp://host:port/app, http://host:port, the same with TLS (millraces, rtmps, https), or host:port";

    /// <summary>TLS, with a certificate for <see cref="TlsName"/>.</summary>
    public bool IsTls { get; init; }

    /// <summary>The host without brackets.</summary>
    public string TlsName => Host.Trim('[', ']');

    /// <summary>
    /// What stands before app and name of a stream, without slashes at the ends; with <c>{app}</c>, <c>{name}</c> or <c>{vhost}</c> in it the whole
    /// path. Empty for nothing.
    /// </summary>
    public string Path { get; init; } = "";

    /// <summary><see cref="Path"/> is all that is to be asked for, for this one stream.</summary>
    public bool IsWhole { get; init; }

    /// <summary>In place of the viewer's query; null: that.</summary>
    public string? Query { get; init; }

    /// <param name="text">As it stands in the settings.</param>
    /// <param name="address">The result.</param>
    /// <param name="error">Why there is none.</param>
    /// <param name="protocol">Of a text without a scheme.</param>
    public static bool TryParse(
        string text, [NotNullWhen(true)] out OriginAddress? address, [NotNullWhen(false)] out string? error, UpstreamProtocol protocol = UpstreamProtocol.Rtmp)
    {
        (address, error) = (null, null);
        var hasScheme = text.Contains(OriginUrl.Separator, StringComparison.Ordinal);
        var whole = hasScheme ? text : (protocol == UpstreamProtocol.Flv ? Uri.UriSchemeHttp : "rtmp") + OriginUrl.Separator + text;
        if (!Uri.TryCreate(whole, UriKind.Absolute, out var uri) || uri.Host.Length == 0 || uri.Query.Length > 0 || uri.Fragment.Length > 0 || uri.UserInfo.Length > 0)
            error = $"'{text}' is not an origin: {Forms}";
        else if (KindOf(uri.Scheme) is not { } kind)
            error = $"'{text}': origins are {Forms}";
        else if (kind == OriginKind.Millrace && uri.AbsolutePath.Length > 1)
            error = $"'{text}': what the stream is called is the same at every node, {uri.Scheme}://host:port";
        else
            address = Of(uri, kind) with { Path = uri.GetComponents(UriComponents.Path, UriFormat.Unescaped).Trim('/') };
        return address is not null;
    }

    /// <summary>The URL of a single stream, as the origin map has it; null where it is none that can be followed.</summary>
    public static OriginAddress? TryParseUrl(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Host.Length == 0 || KindOf(uri.Scheme) is not { } kind)
            return null;
        // At a node the stream has the name that it has here.
        return kind == OriginKind.Millrace
            ? Of(uri, kind)
            : Of(uri, kind) with { Path = uri.GetComponents(UriComponents.Path, UriFormat.Unescaped).Trim('/'), IsWhole = true, Query = uri.Query.Length > 1 ? uri.Query[1..] : null };
    }

    /// <summary>Where another server sends us, which is asked for the same stream with the same query; null where it is not followed, as from TLS to a connection without.</summary>
    /// <param name="url">What it said.</param>
    /// <param name="from">What it was asked for.</param>
    public static OriginAddress? TryFollow(string url, ForeignTarget from)
    {
        if (TryParseUrl(url) is not { Kind: not OriginKind.Millrace } to || (from.IsTls && !to.IsTls))
            return null;
        // Of RTMP servers some name the stream, and some only where to connect.
        var path = to.Kind == OriginKind.Rtmp && !to.Path.EndsWith("/" + from.Name, StringComparison.Ordinal) ? $"{to.Path}/{from.Name}" : to.Path;
        return to with { Path = path, Query = to.Query ?? from.Query };
    }

    /// <summary>The addresses of the host. Names are looked up; what cannot be found throws.</summary>
    public async Task<IPEndPoint[]> ResolveAsync(CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(TlsName, out var literal))
            return [new IPEndPoint(literal, Port)];
        var found = await Dns.GetHostAddressesAsync(Host, cancellationToken);
        return Array.ConvertAll(found, address => new IPEndPoint(address, Port));
    }

    /// <summary>Without its query, which may hold credentials.</summary>
    public override string ToString()
    {
        var scheme = Kind switch
        {
            OriginKind.Millrace => IsTls ? OriginUrl.TlsScheme : Scheme,
            OriginKind.Rtmp => IsTls ? "rtmps" : "rtmp",
            _ => IsTls ? Uri.UriSchemeHttps : Uri.UriSchemeHttp,
        };
        return Path.Length > 0 ? $"{scheme}://{Host}:{Port}/{Path}" : $"{scheme}://{Host}:{Port}";
    }

    private static OriginAddress Of(Uri uri, OriginKind kind)
    {
        var isTls = uri.Scheme is OriginUrl.TlsScheme or "rtmps" or "https";
        var usual = kind == OriginKind.Rtmp ? (isTls ? RtmpTlsPort : RtmpPort) : isTls ? RelayTlsSettings.DefaultPort : DefaultPort;
        var host = uri.IdnHost.Contains(':', StringComparison.Ordinal) ? $"[{uri.IdnHost.Trim('[', ']')}]" : uri.IdnHost;
        return new OriginAddress(kind, host, uri.Port > 0 ? uri.Port : usual) { IsTls = isTls };
    }

    private static OriginKind? KindOf(string scheme) => scheme switch
    {
        Scheme or OriginUrl.TlsScheme => OriginKind.Millrace,
        "rtmp" or "rtmps" => OriginKind.Rtmp,
        "http" or "https" => OriginKind.Flv,
        _ => null,
    };
}
