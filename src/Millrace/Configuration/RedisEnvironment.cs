using System.Globalization;
using Millrace.Node.Settings;

namespace Millrace.Configuration;

/// <summary>
/// REDIS_HOST (<c>host</c> or <c>host:port</c>) and REDIS_URL (<c>redis://[:password@]host[:port][/database]</c>,
/// <c>rediss://</c> for TLS): each puts the origin map into that Redis. An empty value counts as not set.
/// </summary>
internal static class RedisEnvironment
{
    private const string HostName = "REDIS_HOST";
    private const string UrlName = "REDIS_URL";
    private const string UrlForm = "is not redis://[:password@]host[:port][/database], or rediss:// for TLS";

    public static MapNode Read(IReadOnlyDictionary<string, string> variables, List<SettingsError> errors)
    {
        var host = variables.GetValueOrDefault(HostName, "");
        var url = variables.GetValueOrDefault(UrlName, "");
        HostEndpoint? ofUrl = null;
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        if (url.Length > 0)
        {
            ofUrl = ReadUrl(url, values, out var error);
            if (error is not null)
                errors.Add(new SettingsError(new Origin(UrlName, 0), "cluster.redis", error));
        }

        if (host.Length > 0)
            ReadHost(host, ofUrl, values, errors);
        return ToLayer(values, new Origin(url.Length > 0 ? UrlName : HostName, 0));
    }

    private static void ReadHost(string text, HostEndpoint? ofUrl, Dictionary<string, string> values, List<SettingsError> errors)
    {
        var origin = new Origin(HostName, 0);
        if (!HostEndpoint.TryParse(text, ofUrl?.Port ?? RedisSettings.DefaultPort, out var endpoint, out var error))
            errors.Add(new SettingsError(origin, "cluster.redis.endpoint", error));
        else if (ofUrl is { } other && other != endpoint)
            errors.Add(new SettingsError(origin, "cluster.redis.endpoint", $"contradicts {UrlName}: set one of them"));
        else
            values["endpoint"] = endpoint.ToString();
    }

    /// <summary>The messages hold nothing of the text, for it may hold a password.</summary>
    private static HostEndpoint? ReadUrl(string text, Dictionary<string, string> values, out string? error)
    {
        error = UrlForm;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("redis" or "rediss")
            || url.Query.Length > 0 || url.Fragment.Length > 0)
            return null;
        var port = url.Port > 0 ? url.Port : RedisSettings.DefaultPort;
        var authority = string.Create(CultureInfo.InvariantCulture, $"{url.Host}:{port}");
        if (!HostEndpoint.TryParse(authority, 0, out var endpoint, out _))
            return null;
        var path = url.AbsolutePath.Trim('/');
        if (!path.All(char.IsAsciiDigit))
            return null;

        var colon = url.UserInfo.IndexOf(':', StringComparison.Ordinal);
        var user = colon < 0 ? url.UserInfo : url.UserInfo[..colon];
        error = user is "" or "default" ? null : "only the user 'default' is supported: write redis://:password@host";
        if (error is not null)
            return null;
        if (colon >= 0)
            values["password"] = Uri.UnescapeDataString(url.UserInfo[(colon + 1)..]);
        if (path.Length > 0)
            values["database"] = path;
        values["endpoint"] = endpoint.ToString();
        values["tls"] = url.Scheme == "rediss" ? "true" : "false";
        return endpoint;
    }

    /// <summary>Without an endpoint nothing was set, or it was wrong.</summary>
    private static MapNode ToLayer(Dictionary<string, string> values, Origin origin)
    {
        if (!values.ContainsKey("endpoint"))
            return new MapNode([], origin);
        var redis = new MapNode([.. values.Select(v => Scalar(v.Key, v.Value))], origin);
        var cluster = new MapNode([Scalar("map", ScalarReader.NameOf(OriginMapKind.Redis)), new MapEntry("redis", origin, redis)], origin);
        return new MapNode([new MapEntry("cluster", origin, cluster)], origin);

        MapEntry Scalar(string key, string text) => new(key, origin, new ScalarNode(text, origin));
    }
}
