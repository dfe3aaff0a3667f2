using System.Diagnostics.CodeAnalysis;
using Millrace.Node.Settings;
using Millrace.Streams;

namespace Millrace.Node;

/// <summary>A stream as a client named it: which one, and the arguments for access control.</summary>
/// <param name="Name">Vhost, app and name.</param>
/// <param name="Arguments">Query arguments; never logged.</param>
/// <param name="Publish">How to publish to that app.</param>
internal sealed record StreamAddress(StreamName Name, IReadOnlyDictionary<string, string> Arguments, PublishSettings Publish)
{
    private const int MaxArguments = 32;

    /// <summary>From RTMP's connect and publish or play: clients split app and stream name differently, so they are joined first.</summary>
    /// <param name="settings">For vhosts and apps.</param>
    /// <param name="tcUrl">Its host can select a vhost.</param>
    /// <param name="app">As sent in connect, a query included.</param>
    /// <param name="stream">As sent in publish or play, a query included.</param>
    /// <param name="isPublish">Where the app says so, a publisher's stream name is its key and no part of the name.</param>
    /// <param name="address">The result.</param>
    /// <param name="error">Why there is none.</param>
    public static bool TryParseRtmp(
        NodeSettings settings, string tcUrl, string app, string stream, bool isPublish,
        [NotNullWhen(true)] out StreamAddress? address, [NotNullWhen(false)] out string? error)
    {
        address = null;
        var arguments = new Dictionary<string, string>(StringComparer.Ordinal);
        var appPath = TakeQuery(app, arguments).Trim('/');
        var streamPath = TakeQuery(stream, arguments).Trim('/');
        _ = TakeQuery(tcUrl, arguments);
        var vhost = FindVhost(settings, HostOf(tcUrl), arguments);
        var path = (appPath + "/" + streamPath).Trim('/');
        var parent = AppOf(path);
        var publish = settings.PublishOf(vhost, parent);
        if (isPublish && publish.Key == PublishKeyMode.Name)
        {
            // Where publishers are judged the key is what they show.
            var own = vhost.AppOf(AppOf(parent));
            if (vhost.AccessOf(own).Publish == AccessMode.Token || vhost.IsTraversed(own))
                arguments.TryAdd("key", path[(parent.Length + 1)..].Trim('/'));
            path = parent;
            // The stream belongs to the app above: a token that protects that app is not to be had around by naming a key.
            var outer = settings.PublishOf(vhost, AppOf(parent));
            if (!publish.Token.IsSet)
                publish = publish with { Token = outer.Token };
        }

        else if (publish.Key == PublishKeyMode.Name)
        {
            // There is no such stream, and what was named may be somebody's key: it is neither kept nor shown.
            error = "the last part of the name is a publisher's key here: play the name without it";
            return false;
        }

        if (!StreamName.TryParse(vhost.Name, path, out var name, out error))
            return false;
        address = new StreamAddress(name, arguments, publish);
        return true;
    }

    /// <summary>App and name in one, as an RTMP client sent them, without their queries.</summary>
    public static string RtmpPathOf(string app, string stream) => $"{app.Split('?')[0].Trim('/')}/{stream.Split('?')[0].Trim('/')}".Trim('/');

    /// <summary>From a URL path without its file suffix, still percent-encoded.</summary>
    public static bool TryParseHttp(
        NodeSettings settings, string host, string path, string query,
        [NotNullWhen(true)] out StreamAddress? address, [NotNullWhen(false)] out string? error)
    {
        address = null;
        var arguments = new Dictionary<string, string>(StringComparer.Ordinal);
        ReadArguments(query, arguments);
        var vhost = FindVhost(settings, HostOf("http://" + host), arguments);
        if (path.Contains("%2f", StringComparison.OrdinalIgnoreCase) || path.Contains("%5c", StringComparison.OrdinalIgnoreCase))
        {
            error = "a path with an encoded slash";
            return false;
        }

        if (!StreamName.TryParse(vhost.Name, Uri.UnescapeDataString(path), out var name, out error))
            return false;
        address = new StreamAddress(name, arguments, settings.PublishOf(vhost, name.App));
        return true;
    }

    /// <summary>The name of the vhost that a Host header selects.</summary>
    public static string VhostOf(NodeSettings settings, string host) =>
        settings.Vhosts is [{ Aliases.Count: 0 } only] ? only.Name : settings.VhostOf(HostOf("http://" + host)).Name;

    /// <summary>The arguments as a query, without its question mark: what another node is told of who asks.</summary>
    public string Query => string.Join('&', Arguments.Select(static pair => pair.Key + "=" + Uri.EscapeDataString(pair.Value)));

    public string Argument(string name) => Arguments.TryGetValue(name, out var value) ? value : "";

    /// <summary>Only configured names select a vhost; every other host is the default one.</summary>
    private static VhostSettings FindVhost(NodeSettings settings, string host, Dictionary<string, string> arguments)
    {
        var byHost = settings.VhostOf(host);
        if (!arguments.TryGetValue("vhost", out var asked))
            return byHost;
        var byArgument = settings.VhostOf(asked);
        var isConfigured = byArgument.Name != VhostSettings.DefaultName || asked is VhostSettings.DefaultName or VhostSettings.DefaultAlias;
        return isConfigured ? byArgument : byHost;
    }

    /// <summary>All before the last slash, doubled slashes taken for one.</summary>
    private static string AppOf(string path)
    {
        var segments = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return string.Join('/', segments.AsSpan(0, Math.Max(0, segments.Length - 1)));
    }

    private static string HostOf(string url)
    {
        var start = url.IndexOf("://", StringComparison.Ordinal);
        if (start < 0)
            return "";
        var host = url.AsSpan(start + 3);
        var end = host.IndexOfAny('/', '?');
        if (end >= 0)
            host = host[..end];
        if (host.StartsWith("["))
            return host[..(host.IndexOf(']') + 1)].ToString();
        var colon = host.IndexOf(':');
        return (colon < 0 ? host : host[..colon]).ToString();
    }

    private static string TakeQuery(string text, Dictionary<string, string> arguments)
    {
        var mark = text.IndexOf('?', StringComparison.Ordinal);
        if (mark < 0)
            return text;
        ReadArguments(text[(mark + 1)..], arguments);
        return text[..mark];
    }

    /// <summary>The arguments of a query.</summary>
    public static IReadOnlyDictionary<string, string> ArgumentsOf(string query)
    {
        var arguments = new Dictionary<string, string>(StringComparer.Ordinal);
        ReadArguments(query, arguments);
        return arguments;
    }

    private static void ReadArguments(string query, Dictionary<string, string> arguments)
    {
        foreach (var pair in query.TrimStart('?').Split('&', MaxArguments, StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? pair : pair[..equals];
            var value = equals < 0 ? "" : Uri.UnescapeDataString(pair[(equals + 1)..].Replace('+', ' '));
            arguments.TryAdd(name, value);
        }
    }
}
