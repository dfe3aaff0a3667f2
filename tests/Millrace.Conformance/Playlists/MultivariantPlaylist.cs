using System.Globalization;

namespace Millrace.Conformance.Playlists;

/// <summary>A Media Playlist that a Multivariant Playlist names.</summary>
internal sealed record MediaReference(Uri Uri, string Kind, int Line, string Text);

/// <summary>A Multivariant Playlist (RFC 8216bis §4.4.6), as far as the rules need it.</summary>
internal sealed record MultivariantPlaylist
{
    private static readonly string[] Known =
    [
        "#EXTM3U", "#EXT-X-VERSION", "#EXT-X-INDEPENDENT-SEGMENTS", "#EXT-X-MEDIA", "#EXT-X-STREAM-INF", "#EXT-X-I-FRAME-STREAM-INF",
        "#EXT-X-SESSION-DATA", "#EXT-X-SESSION-KEY", "#EXT-X-START", "#EXT-X-DEFINE", "#EXT-X-CONTENT-STEERING",
    ];

    public string Text { get; init; } = "";

    public int Version { get; init; } = 1;

    public bool IndependentSegments { get; init; }

    /// <summary>All variants and renditions with a playlist of their own, each address once.</summary>
    public IReadOnlyList<MediaReference> Playlists { get; init; } = [];

    public IReadOnlyList<PlaylistProblem> Problems { get; init; } = [];

    public IReadOnlyList<string> UnknownTags { get; init; } = [];

    public static MultivariantPlaylist Parse(string text, Uri baseUri)
    {
        var playlists = new List<MediaReference>();
        var problems = new List<PlaylistProblem>();
        var unknown = new List<string>();
        var (version, independent, variant) = (1, false, false);
        var lines = text.Split('\n');
        if (lines[0].TrimEnd('\r') != "#EXTM3U")
            problems.Add(new(1, lines[0], "the first line is not #EXTM3U"));
        for (var i = 1; i <= lines.Length; i++)
        {
            var line = lines[i - 1].TrimEnd('\r');
            if (line.Length == 0 || (line[0] == '#' && !line.StartsWith("#EXT", StringComparison.Ordinal)))
                continue;
            if (line[0] != '#')
            {
                if (!variant)
                    problems.Add(new(i, line, "a URI line without EXT-X-STREAM-INF"));
                Add(playlists, problems, baseUri, line, "variant", i, line);
                variant = false;
                continue;
            }

            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var (name, value) = colon < 0 ? (line, "") : (line[..colon], line[(colon + 1)..]);
            variant |= name == "#EXT-X-STREAM-INF";
            independent |= name == "#EXT-X-INDEPENDENT-SEGMENTS";
            if (name == "#EXT-X-VERSION" && !int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out version))
                problems.Add(new(i, line, "not a decimal integer"));
            if (!Known.Contains(name, StringComparer.Ordinal))
                unknown.Add(line);
            if (name is "#EXT-X-MEDIA" or "#EXT-X-STREAM-INF")
                Attributes(playlists, problems, baseUri, name, value, i, line);
        }

        if (variant)
            problems.Add(new(lines.Length, lines[^1], "EXT-X-STREAM-INF without a URI line"));
        return new()
        {
            Text = text,
            Version = version,
            IndependentSegments = independent,
            Playlists = [.. playlists.DistinctBy(playlist => playlist.Uri)],
            Problems = problems,
            UnknownTags = unknown,
        };
    }

    private static void Attributes(List<MediaReference> playlists, List<PlaylistProblem> problems, Uri baseUri, string name, string value, int line, string text)
    {
        var list = AttributeList.Parse(value);
        if (name == "#EXT-X-STREAM-INF" && list.Integer("BANDWIDTH") is null)
            problems.Add(new(line, text, "BANDWIDTH is required"));
        if (name == "#EXT-X-MEDIA")
        {
            var type = list.Enumerated("TYPE");
            if (type is null || list.Quoted("GROUP-ID") is null || list.Quoted("NAME") is null)
                problems.Add(new(line, text, "TYPE, GROUP-ID and NAME are required"));
            if (list.Quoted("URI") is { } uri)
                Add(playlists, problems, baseUri, uri, type ?? "", line, text);
        }

        problems.AddRange(list.Problems.Select(what => new PlaylistProblem(line, text, what)));
    }

    private static void Add(List<MediaReference> playlists, List<PlaylistProblem> problems, Uri baseUri, string raw, string kind, int line, string text)
    {
        if (Uri.TryCreate(baseUri, raw, out var uri))
            playlists.Add(new(uri, kind, line, text));
        else
            problems.Add(new(line, text, "the URI is malformed"));
    }
}
