using System.Collections.Frozen;

namespace Millrace.Configuration;

/// <summary>
/// The variables of Restreamer-Edge (rc.2: RTMP_SERVER_*, HTTP_SERVER_*; rc.3: RTMP_SRV_*, HTTP_SRV_*), so that its
/// docker commands and env files keep working. They are understood with every preset; their defaults hold only with preset
/// <c>restreamer-edge</c>. An empty value counts as not set, as in its start script.
/// </summary>
internal static class RestreamerEnvironment
{
    private enum Form
    {
        Text,
        Number,
        Port,
        Duration,
        Size,
    }

    private static readonly string[] RtmpPrefixes = ["RTMP_SERVER_", "RTMP_SRV_"];
    private static readonly string[] HttpPrefixes = ["HTTP_SERVER_", "HTTP_SRV_"];

    /// <summary>rc.2 and rc.3; the names between the two are understood too.</summary>
    private static readonly string[] HlsPrefixes = ["RTMP_SERVER_HLS_", "RTMP_SRV_HLS_", "RTMP_SRV_APP_HLS_HLS_"];

    private static readonly Variable[] Known =
    [
        new(Form.Port, "rtmp.listen", Under(RtmpPrefixes, "PORT")),
        new(Form.Duration, "rtmp.timeout", Under(RtmpPrefixes, "TIMEOUT")),
        new(Form.Duration, "rtmp.ping", Under(RtmpPrefixes, "PING")),
        new(Form.Duration, "rtmp.ping_timeout", Under(RtmpPrefixes, "PING_TIMEOUT")),
        new(Form.Number, "rtmp.max_streams", Under(RtmpPrefixes, "MAX_STREAMS")),
        new(Form.Size, "rtmp.ack_window", Under(RtmpPrefixes, "ACK_WINDOW")),
        new(Form.Size, "rtmp.chunk_size", Under(RtmpPrefixes, "CHUNK_SIZE")),
        new(Form.Size, "rtmp.max_message", Under(RtmpPrefixes, "MAX_MESSAGE")),
        new(Form.Duration, "rtmp.buffer_length", Under(RtmpPrefixes, "BUFLEN")),
        new(Form.Text, "publish.token", [.. Under(RtmpPrefixes, "HLS_PUBLISH_TOKEN"), "RTMP_PUBLISH_TOKEN"]),
        new(Form.Duration, "hls.ts.fragment", Under(HlsPrefixes, "FRAGMENT")),
        new(Form.Duration, "hls.ts.playlist_length", Under(HlsPrefixes, "PLAYLIST_LENGTH")),
        new(Form.Duration, "tracks.audio_tolerance", Under(HlsPrefixes, "SYNC")),
        // Restreamer-Edge's own spelling first.
        new(Form.Text, "hls.ts.continuous", [.. Under(HlsPrefixes, "CONTINOUS"), .. Under(HlsPrefixes, "CONTINUOUS")]),
        new(Form.Text, "hls.ts.nested", Under(HlsPrefixes, "NESTED")),
        new(Form.Text, "hls.ts.cleanup", Under(HlsPrefixes, "CLEANUP")),
        new(Form.Text, "hls.ts.naming", Under(HlsPrefixes, "FRAGMENT_NAMING")),
        new(Form.Number, "hls.ts.granularity", Under(HlsPrefixes, "FRAGMENT_NAMING_GRANULARITY")),
        new(Form.Text, "hls.ts.slicing", Under(HlsPrefixes, "FRAGMENT_SLICING")),
        new(Form.Text, "hls.ts.type", Under(HlsPrefixes, "TYPE")),
        new(Form.Text, "hls.ts.encrypt", Under(HlsPrefixes, "KEY")),
        new(Form.Number, "hls.ts.fragments_per_key", Under(HlsPrefixes, "FRAGMENTS_PER_KEY")),
        new(Form.Port, "http.listen", Under(HttpPrefixes, "PORT")),
        new(Form.Text, "http.cors.allow_origin",
        [
            .. Under(HttpPrefixes, "HLS_ACCESS_CONTROL_ALLOW_ORIGIN"), .. Under(HttpPrefixes, "ACCESS_CONTROL_ALLOW_ORIGIN"),
            "HTTP_SRV_LOC_HLS_ACCESS_CONTROL_ALLOW_ORIGIN",
        ]),
        new(Form.Text, "status.username", [.. Under(HttpPrefixes, "HLS_STATUS_USERNAME"), "HTTP_AUTH_USERNAME"]),
        new(Form.Text, "status.password", [.. Under(HttpPrefixes, "HLS_STATUS_PASSWORD"), "HTTP_AUTH_PASSWORD"]),
    ];

    /// <summary>Documented there, without a counterpart here yet: reported, so that nobody believes they work.</summary>
    private static readonly FrozenSet<string> WithoutEffect = new[]
    {
        "WORKER_PROCESSES", "WORKER_CONNECTIONS", "HTTP_SENDFILE", "HTTP_TCP_NOPUSH", "HTTP_TCP_NODELAY", "HTTP_ACCESS_LOG",
        "HTTPS_SERVER", "HTTPS_SERVER_PORT", "HTTPS_CERT_MAIL", "HTTPS_CERT_DOMAIN", "RTMP_SERVER_HLS_MAX_CONNECTIONS",
        "RTMP_SERVER_HLS_SNAPSHOT_INTERVAL", "RTMP_SERVER_HLS_TRANSCODING", "RTMP_SERVER_HLS_TRANSCODING_PROFILES",
        "HTTPS_SRV", "HTTPS_SRV_PORT", "HTTPS_SRV_CERT_DOMAIN", "HTTPS_LETSENCRYPT", "HTTPS_LETSENCRYPT_MAIL",
        "RTMP_SRV_APP_HLS_SNAPSHOT_INTERVAL", "RTMP_SRV_APP_HLS_TRANSCODING", "RTMP_SRV_APP_HLS_TRANSCODING_PROFILES",
    }.ToFrozenSet(StringComparer.Ordinal);

    public static MapNode Read(IReadOnlyDictionary<string, string> variables, List<SettingsError> errors, List<string> notices)
    {
        var entries = new List<MapEntry>();
        foreach (var known in Known)
        {
            if (Find(known, variables, errors) is { } name && Convert(known, name, variables[name], errors) is { } value)
                entries.Add(Nest(known.Path.Split('.'), value));
        }

        foreach (var name in variables.Keys.Where(k => WithoutEffect.Contains(k) && variables[k].Length > 0).Order(StringComparer.Ordinal))
            notices.Add($"{name}: known from Restreamer-Edge, without effect in this version");
        return new MapNode(entries, new Origin("environment", 0));
    }

    /// <summary>The one name of the setting that is set; several may be, if they say the same.</summary>
    private static string? Find(Variable known, IReadOnlyDictionary<string, string> variables, List<SettingsError> errors)
    {
        string? found = null;
        foreach (var name in known.Names)
        {
            if (!variables.TryGetValue(name, out var text) || text.Length == 0 || (known.Form == Form.Port && IsServiceLink(text)))
                continue;
            if (found is not null && variables[found] != text)
                errors.Add(new SettingsError(new Origin(name, 0), known.Path, $"contradicts {found}: set one of them"));
            found ??= name;
        }

        return found;
    }

    /// <summary>
    /// Kubernetes gives every container <c>HTTP_SERVER_PORT=tcp://10.0.0.1:80</c> when a service is called http-server
    /// (its "environment variables" of services). That is no port to listen on.
    /// </summary>
    private static bool IsServiceLink(string text) => text.Contains("://", StringComparison.Ordinal);

    private static ConfigNode? Convert(Variable known, string name, string text, List<SettingsError> errors)
    {
        var origin = new Origin(name, 0);
        switch (known.Form)
        {
            case Form.Port when text.Length <= 5 && text.All(char.IsAsciiDigit):
                return new ListNode([new ScalarNode($":{text}", origin)], origin);
            case Form.Duration when NginxUnits.TryParseDuration(text, out var duration):
                return new ScalarNode(Units.Format(duration), origin);
            case Form.Size when NginxUnits.TryParseSize(text, out var size):
                return new ScalarNode(FormattableString.Invariant($"{size}"), origin);
            case Form.Text or Form.Number:
                return new ScalarNode(text, origin);
            default:
                var form = known.Form switch
                {
                    Form.Port => "a port",
                    Form.Duration => "a duration as nginx writes it (60, 60s, 3m)",
                    _ => "a size as nginx writes it (4096, 4k, 1M)",
                };
                errors.Add(new SettingsError(origin, known.Path, $"'{text}' is not {form}"));
                return null;
        }
    }

    private static MapEntry Nest(ReadOnlySpan<string> path, ConfigNode value) => path.Length == 1
        ? new MapEntry(path[0], value.Origin, value)
        : new MapEntry(path[0], value.Origin, new MapNode([Nest(path[1..], value)], value.Origin));

    private static string[] Under(string[] prefixes, string name) => [.. prefixes.Select(p => p + name)];

    private sealed record Variable(Form Form, string Path, string[] Names);
}
