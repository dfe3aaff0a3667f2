using Millrace.Conformance.Playlists;
using Millrace.Conformance.Record;

namespace Millrace.Conformance.Rules;

/// <summary>Where one part's media does not go on from the part before it.</summary>
internal static class Breaks
{
    /// <summary>A frame's worth: rounding to a container's timescale stays far below it, a lost frame does not.</summary>
    private const double Tolerance = 0.02;

    public static void Judge(RenditionHistory rendition, Findings findings)
    {
        var seen = Seen.Of(rendition);
        var fetched = rendition.Parts.Where(part => part.Entry is not null && part.Media is not null)
            .GroupBy(part => new Position(part.Entry!.Msn, part.Entry.Index)).ToDictionary(group => group.Key, group => group.First());
        foreach (var part in fetched.Values)
        {
            Inner(rendition, part, findings);
            if (seen.After(part.Entry!) is { } entry && fetched.TryGetValue(new(entry.Msn, entry.Index), out var next))
                Between(rendition, part, next, Announced(seen, part.Entry!, entry), findings);
        }

        Encodings(rendition, seen, findings);
    }

    private static bool Announced(Seen seen, PartEntry part, PartEntry next) => next.Msn > part.Msn && seen.Segments[next.Msn].Discontinuity;

    private static void Inner(RenditionHistory rendition, PartFetch part, Findings findings)
    {
        foreach (var track in part.Media!.Tracks)
            findings.Check(track.InnerJump <= Tolerance, () => $"{rendition.Name}: a tfdt jump of {track.InnerJump:0.###} s within part {part.Entry}");
    }

    private static void Between(RenditionHistory rendition, PartFetch part, PartFetch next, bool announced, Findings findings)
    {
        foreach (var track in part.Media!.Tracks)
        {
            if (next.Media!.Tracks.FirstOrDefault(t => t.Id == track.Id) is not { } other || announced)
                continue;
            var jump = Math.Abs(other.Start - track.End);
            findings.Largest("tfdt jump", jump * 1000, "ms");
            findings.Check(
                jump <= Tolerance,
                () => $"{rendition.Name}: tfdt goes from {track.End:0.###} to {other.Start:0.###} s between parts {part.Entry} and {next.Entry} without EXT-X-DISCONTINUITY");
        }
    }

    private static void Encodings(RenditionHistory rendition, Seen seen, Findings findings)
    {
        SegmentEntry? before = null;
        foreach (var segment in seen.Segments.Values)
        {
            var (old, now) = (EncodingOf(rendition, before), EncodingOf(rendition, segment));
            if (old is not null && now is not null && old != now && before!.Msn + 1 == segment.Msn)
                findings.Check(segment.Discontinuity, () => $"{rendition.Name}: {old} becomes {now} at segment {segment.Msn} (line {segment.Line}) without EXT-X-DISCONTINUITY");
            before = segment;
        }
    }

    private static string? EncodingOf(RenditionHistory rendition, SegmentEntry? segment) =>
        rendition.Inits.FirstOrDefault(init => segment?.Map is { } map && init.Entry == map)?.Section?.Encoding;
}
