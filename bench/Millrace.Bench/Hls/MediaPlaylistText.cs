using System.Globalization;

namespace Millrace.Bench.Hls;

/// <summary>What the load generator has to know of a media playlist of LL-HLS (RFC 8216bis 4.4), read from its tags alone.</summary>
internal sealed record MediaPlaylistText
{
    /// <summary>Media sequence number of the part that comes next, for <c>_HLS_msn</c>.</summary>
    public required long NextSegment { get; init; }

    /// <summary>Its number in the segment, for <c>_HLS_part</c>.</summary>
    public required int NextPart { get; init; }

    /// <summary>The end of the last part on the server's wall clock, Unix seconds (EXT-X-PROGRAM-DATE-TIME and the durations after it).</summary>
    public required double EndUnix { get; init; }

    /// <summary>URIs of the complete segments that it lists, the oldest first.</summary>
    public required IReadOnlyList<string> Segments { get; init; }

    /// <summary>All parts that it lists and that can be fetched, the oldest first.</summary>
    public required IReadOnlyList<PartName> Parts { get; init; }

    public static MediaPlaylistText Parse(string text)
    {
        List<PartName> all = [];
        List<string> complete = [];
        long first = 0;
        int segments = 0, parts = 0;
        double segmentStart = 0, inParts = 0;
        foreach (var line in text.Split('\n'))
        {
            if (line.StartsWith("#EXT-X-MEDIA-SEQUENCE:", StringComparison.Ordinal)) first = long.Parse(line[22..], CultureInfo.InvariantCulture);
            else if (line.StartsWith("#EXT-X-SKIP:SKIPPED-SEGMENTS=", StringComparison.Ordinal)) segments += int.Parse(line[29..], CultureInfo.InvariantCulture);
            else if (line.StartsWith("#EXT-X-PROGRAM-DATE-TIME:", StringComparison.Ordinal)) segmentStart = UnixSeconds(line[25..]);
            else if (line.StartsWith("#EXT-X-PART:", StringComparison.Ordinal))
            {
                inParts += Number(Attribute(line, "DURATION"));
                int number = parts++;
                // A hole counts as a part, but there is nothing to fetch.
                if (line.Contains("GAP=YES", StringComparison.Ordinal)) continue;
                all.Add(new PartName(first + segments, number, Attribute(line, "URI").Trim('"')));
            }
            else if (line.StartsWith("#EXTINF:", StringComparison.Ordinal)) segmentStart += Number(line[8..].Split(',')[0]);
            else if (line.Length > 0 && line[0] != '#')
            {
                complete.Add(line);
                segments++;
                (parts, inParts) = (0, 0);
            }
        }

        return new MediaPlaylistText
        {
            NextSegment = first + segments,
            NextPart = parts,
            EndUnix = segmentStart + inParts,
            Segments = complete,
            Parts = all,
        };
    }

    /// <summary>The first URI of a multivariant playlist: its first variant.</summary>
    public static string FirstVariant(string text) =>
        text.Split('\n').FirstOrDefault(static l => l.Length > 0 && l[0] != '#') ?? throw new InvalidDataException($"no variant in:\n{text}");

    /// <summary>URIs of the audio playlists of a multivariant playlist; empty where sound is in the variants.</summary>
    public static IEnumerable<string> Audios(string text) =>
        text.Split('\n').Where(static l => l.StartsWith("#EXT-X-MEDIA:TYPE=AUDIO", StringComparison.Ordinal)).Select(static l => Attribute(l, "URI").Trim('"'));

    private static string Attribute(string line, string name)
    {
        int at = line.IndexOf(name + "=", StringComparison.Ordinal);
        return at < 0 ? throw new InvalidDataException($"{name} is missing in {line}") : line[(at + name.Length + 1)..].Split(',')[0];
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static double UnixSeconds(string date) =>
        DateTimeOffset.Parse(date, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal).ToUnixTimeMilliseconds() / 1000.0;

    /// <summary>One part: its media sequence number, its number in the segment, and its URI.</summary>
    internal readonly record struct PartName(long Segment, int Number, string Uri);
}
