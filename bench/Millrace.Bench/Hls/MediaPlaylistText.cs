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

    /// <summary>URI of the last complete segment; null while there is none.</summary>
    public string? LastSegment { get; init; }

    /// <summary>URI of the last part of that segment.</summary>
    public string? LastSegmentPart { get; init; }

    public static MediaPlaylistText Parse(string text)
    {
        long first = 0;
        int segments = 0, parts = 0;
        double segmentStart = 0, inParts = 0;
        string? part = null, segment = null, segmentPart = null;
        foreach (var line in text.Split('\n'))
        {
            if (line.StartsWith("#EXT-X-MEDIA-SEQUENCE:", StringComparison.Ordinal)) first = long.Parse(line[22..], CultureInfo.InvariantCulture);
            else if (line.StartsWith("#EXT-X-PROGRAM-DATE-TIME:", StringComparison.Ordinal)) segmentStart = UnixSeconds(line[25..]);
            else if (line.StartsWith("#EXT-X-PART:", StringComparison.Ordinal))
            {
                parts++;
                inParts += Number(Attribute(line, "DURATION"));
                part = Attribute(line, "URI").Trim('"');
            }
            else if (line.StartsWith("#EXTINF:", StringComparison.Ordinal)) segmentStart += Number(line[8..].Split(',')[0]);
            else if (line.Length > 0 && line[0] != '#')
            {
                (segment, segmentPart) = (line, part);
                segments++;
                (parts, inParts, part) = (0, 0, null);
            }
        }

        return new MediaPlaylistText
        {
            NextSegment = first + segments,
            NextPart = parts,
            EndUnix = segmentStart + inParts,
            LastSegment = segment,
            LastSegmentPart = segmentPart,
        };
    }

    /// <summary>The first URI of a multivariant playlist: its first variant.</summary>
    public static string FirstVariant(string text) =>
        text.Split('\n').FirstOrDefault(static l => l.Length > 0 && l[0] != '#') ?? throw new InvalidDataException($"no variant in:\n{text}");

    private static string Attribute(string line, string name)
    {
        int at = line.IndexOf(name + "=", StringComparison.Ordinal);
        return at < 0 ? throw new InvalidDataException($"{name} is missing in {line}") : line[(at + name.Length + 1)..].Split(',')[0];
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static double UnixSeconds(string date) =>
        DateTimeOffset.Parse(date, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal).ToUnixTimeMilliseconds() / 1000.0;
}
