using System.Text;
using Millrace.Node.Settings;
using Millrace.Streams;

namespace Millrace.Node.Relay;

/// <summary>What a stream is called at a foreign origin.</summary>
/// <param name="Host">For RTMP's tcUrl and HTTP's Host: the vhost, or the origin itself.</param>
/// <param name="App">All of its path but the last part.</param>
/// <param name="Name">The last part.</param>
/// <param name="Query">Without its question mark; never logged.</param>
internal sealed record ForeignTarget(string Host, string App, string Name, string Query)
{
    private const string Suffix = ".flv";

    public bool IsTls { get; init; }

    public string TcUrl => $"{(IsTls ? "rtmps" : "rtmp")}://{Host}/{App}";

    /// <summary>For RTMP's publish and play.</summary>
    public string StreamName => Query.Length > 0 ? $"{Name}?{Query}" : Name;

    /// <summary>The target of an HTTP request (RFC 9112, 3.2): one line, whatever clients have put into their queries.</summary>
    public string RequestTarget
    {
        get
        {
            var path = string.Join('/', $"{App}/{Name}".Split('/').Select(Uri.EscapeDataString));
            return Query.Length > 0 ? $"/{path}?{Visible(Query)}" : $"/{path}";
        }
    }

    /// <param name="settings">What the vhost is called there.</param>
    /// <param name="origin">Where.</param>
    /// <param name="stream">What it is called here.</param>
    /// <param name="query">Of who asks for it, or publishes it.</param>
    public static ForeignTarget Of(NodeSettings settings, OriginAddress origin, StreamName stream, string query)
    {
        var vhost = settings.VhostOf(stream.Vhost);
        var path = origin.IsWhole ? origin.Path : Expand(origin.Path, stream);
        if (origin is { Kind: OriginKind.Flv, IsWhole: false } && !path.EndsWith(Suffix, StringComparison.Ordinal))
            path += Suffix;
        var slash = path.LastIndexOf('/');
        return new ForeignTarget(HostOf(vhost, origin), slash < 0 ? "" : path[..slash], path[(slash + 1)..], origin.Query ?? WithoutVhost(query)) { IsTls = origin.IsTls };
    }

    private static string Visible(string query)
    {
        if (!query.AsSpan().ContainsAnyExceptInRange('!', '~'))
            return query;
        var visible = new StringBuilder(query.Length);
        foreach (var rune in query.EnumerateRunes())
        {
            if (rune.Value is >= '!' and <= '~')
                visible.Append((char)rune.Value);
            else
                visible.Append(Uri.EscapeDataString(rune.ToString()));
        }

        return visible.ToString();
    }

    private static string Expand(string path, StreamName stream)
    {
        if (path.Contains('{'))
        {
            return path.Replace("{app}", stream.App, StringComparison.Ordinal)
                .Replace("{name}", stream.Name, StringComparison.Ordinal)
                .Replace("{vhost}", stream.Vhost, StringComparison.Ordinal);
        }

        return path.Length > 0 ? $"{path}/{stream.Path}" : stream.Path;
    }

    /// <summary>The default vhost has no name that others would know.</summary>
    private static string HostOf(VhostSettings vhost, OriginAddress origin)
    {
        var usual = origin.IsTls ? 443 : origin.Kind == OriginKind.Rtmp ? OriginAddress.RtmpPort : 80;
        var host = vhost.UpstreamVhost.Length > 0
            ? vhost.UpstreamVhost.Replace("[vhost]", vhost.Name, StringComparison.Ordinal)
            : VhostSettings.IsDefault(vhost.Name) || vhost.Name.Contains('*') ? origin.Host : vhost.Name;
        return origin.Port == usual ? host : FormattableString.Invariant($"{host}:{origin.Port}");
    }

    /// <summary>The vhost is named by the host: what a client has said of it holds here.</summary>
    private static string WithoutVhost(string query) => query.Contains("vhost=", StringComparison.Ordinal)
        ? string.Join('&', query.Split('&').Where(static pair => !pair.StartsWith("vhost=", StringComparison.Ordinal)))
        : query;
}
