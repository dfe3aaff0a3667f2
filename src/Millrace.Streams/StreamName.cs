using System.Diagnostics.CodeAnalysis;

namespace Millrace.Streams;

/// <summary>The key of one live thing: <c>vhost/app/name</c>. The app may contain slashes, the name may not.</summary>
internal sealed record StreamName(string Vhost, string App, string Name)
{
    /// <summary>Longest whole key, in characters: longer ones are refused before anything is kept of them.</summary>
    public const int MaxLength = 512;

    private static readonly string[] ReservedNames = ["llhls.m3u8", "playlist.m3u8", "index.m3u8", "whip", "whep"];

    private static readonly string[] ReservedSuffixes = [".flv", ".m3u8", ".ts", ".m4s", ".key", ".vtt", ".jpg"];

    private static readonly string[] ReservedApps =
        ["assets", "status", "health", "metrics", "api", "v1", "rtc", "images", "vod", "hooks", "admin", "publish"];

    /// <summary>The path without the vhost, as in URLs: <c>app/name</c>.</summary>
    public string Path => App + "/" + Name;

    public override string ToString() => Vhost + "/" + App + "/" + Name;

    /// <summary>
    /// Splits <c>app/name</c> (leading and doubled slashes ignored) at its last slash. Refused: no slash, control
    /// characters, dot segments, names over <see cref="MaxLength"/>, and what the URL space reserves.
    /// </summary>
    public static bool TryParse(string vhost, string path, [NotNullWhen(true)] out StreamName? name, [NotNullWhen(false)] out string? error)
    {
        name = null;
        if (path.Length + vhost.Length + 1 > MaxLength)
        {
            error = $"a stream name of more than {MaxLength} characters";
            return false;
        }

        var segments = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (segments.Length < 2)
        {
            error = "a stream name needs an app and a name: app/name";
            return false;
        }

        error = FindFault(segments);
        if (error is not null)
            return false;
        name = new StreamName(vhost, string.Join('/', segments[..^1]), segments[^1]);
        return true;
    }

    /// <summary>Whether an app of this name (which may contain slashes) would hide a path of the node.</summary>
    public static bool IsReservedApp(string app) => app.StartsWith('~') || ReservedApps.Contains(app.Split('/')[0], StringComparer.Ordinal);

    private static string? FindFault(string[] segments)
    {
        foreach (var segment in segments)
        {
            if (segment is "." or "..")
                return "a stream name with a dot segment";
            foreach (var c in segment)
            {
                if (char.IsControl(c) || c is '\\' or '?' or '#' or '%')
                    return "a stream name with a forbidden character";
            }
        }

        if (IsReservedApp(segments[0]))
            return $"the app name '{segments[0]}' is reserved";
        var last = segments[^1];
        if (ReservedNames.Contains(last, StringComparer.OrdinalIgnoreCase))
            return $"the name '{last}' is reserved";
        foreach (var suffix in ReservedSuffixes)
        {
            if (last.EndsWith(suffix, StringComparison.OrdinalIgnoreCase))
                return $"names that end in '{suffix}' are reserved";
        }

        return null;
    }
}
