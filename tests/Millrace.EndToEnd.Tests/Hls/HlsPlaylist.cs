using System.Globalization;
using System.Text.RegularExpressions;

namespace Millrace.EndToEnd.Hls;

/// <summary>A segment as a media playlist lists it; URIs as they stand there.</summary>
internal sealed record HlsSegment(long Number, string Uri, double Seconds, string? Map, string? Key, IReadOnlyList<string> Parts);

/// <summary>What the tests want to know of a playlist.</summary>
internal sealed partial class HlsPlaylist
{
    public HlsPlaylist(string text)
    {
        Text = text;
        var parts = new List<string>();
        var seconds = 0.0;
        string? map = null, key = null;
        foreach (var line in text.Split('\n'))
        {
            var value = line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..];
            switch (line.Split(':')[0])
            {
                case "#EXT-X-TARGETDURATION": TargetSeconds = int.Parse(value, CultureInfo.InvariantCulture); break;
                case "#EXT-X-MEDIA-SEQUENCE": FirstNumber = long.Parse(value, CultureInfo.InvariantCulture); break;
                case "#EXT-X-DISCONTINUITY": Discontinuities++; break;
                case "#EXT-X-ENDLIST": IsEnded = true; break;
                case "#EXT-X-MAP": map = UriOf(line); break;
                case "#EXT-X-KEY": key = UriOf(line); break;
                case "#EXT-X-PART":
                    parts.Add(UriOf(line));
                    if (line.Contains("GAP=YES", StringComparison.Ordinal))
                        Gaps.Add(UriOf(line));
                    break;
                case "#EXT-X-PRELOAD-HINT": Hint = UriOf(line); break;
                case "#EXTINF": seconds = double.Parse(value.TrimEnd(','), CultureInfo.InvariantCulture); break;
                case { Length: > 0 } uri when uri[0] != '#':
                    Segments.Add(new HlsSegment(FirstNumber + Segments.Count, line, seconds, map, key, parts.ToList()));
                    parts.Clear();
                    break;
            }
        }

        OpenParts = parts;
        Renditions = [.. MediaUris().Matches(text).Select(match => match.Value)];
    }

    public string Text { get; }

    public int TargetSeconds { get; }

    public long FirstNumber { get; }

    public int Discontinuities { get; }

    public bool IsEnded { get; }

    /// <summary>The part that may be asked for before it exists.</summary>
    public string? Hint { get; }

    public List<HlsSegment> Segments { get; } = [];

    /// <summary>Parts that there is no media for: nobody is to ask for them.</summary>
    public HashSet<string> Gaps { get; } = [];

    /// <summary>Of the segment in the making.</summary>
    public IReadOnlyList<string> OpenParts { get; }

    /// <summary>The media playlists that a multivariant playlist names.</summary>
    public IReadOnlyList<string> Renditions { get; }

    public string Rendition(string kind) => Renditions.Single(uri => uri.Contains($"_{kind}_", StringComparison.Ordinal));

    private static string UriOf(string line) => QuotedUri().Match(line).Groups[1].Value;

    [GeneratedRegex("URI=\"([^\"]*)\"")]
    private static partial Regex QuotedUri();

    [GeneratedRegex("chunklist_[^\"\\s]*")]
    private static partial Regex MediaUris();
}
