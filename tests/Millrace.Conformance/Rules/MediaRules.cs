using Millrace.Conformance.Record;

namespace Millrace.Conformance.Rules;

/// <summary>Whether the bytes are what the playlist says.</summary>
internal static class MediaRules
{
    /// <summary>Half a frame at 25 frames a second: what a server that cuts at frames cannot be off by.</summary>
    private const double Tolerance = 0.02;

    /// <summary>A segment's bytes are those of its parts.</summary>
    public static void Whole(History history, Findings findings)
    {
        foreach (var rendition in history.Renditions)
        {
            foreach (var segment in rendition.Segments.Where(segment => segment.Compared > 0))
                findings.Check(segment.Mismatch is null, () => $"{rendition.Name}: segment {segment.Entry.Msn} ({segment.Entry.Uri}): {segment.Mismatch}");
        }
    }

    /// <summary>EXTINF is the sum of the parts' durations, and both are the media's.</summary>
    public static void Durations(History history, Findings findings)
    {
        foreach (var rendition in history.Renditions)
        {
            foreach (var part in rendition.Parts.Where(part => part is { Entry: not null, Media: not null }))
                Compare($"{rendition.Name}: part {part.Entry}", part.Entry!.Duration, part.Media!.Duration, "DURATION against media", findings);
            foreach (var segment in rendition.Segments)
            {
                var name = $"{rendition.Name}: segment {segment.Entry.Msn} (line {segment.Entry.Line})";
                // A GAP has a duration and no media.
                if (segment.Media is not null && !segment.Entry.Parts.Any(part => part.Gap))
                    Compare(name, segment.Entry.Duration, segment.Media.Duration, "EXTINF against media", findings);
                if (segment.Entry.Parts.Count > 0)
                    Compare(name, segment.Entry.Duration, segment.Entry.PartsDuration, "EXTINF against its parts", findings);
            }
        }
    }

    /// <summary>Initialization sections, parts and segments can be read as fragmented MP4.</summary>
    public static void Readable(History history, Findings findings)
    {
        foreach (var rendition in history.Renditions)
        {
            foreach (var init in rendition.Inits)
                findings.Check(init.Malformed is null, () => $"{rendition.Name}: {init.Malformed}: {init.Exchange}");
            foreach (var part in rendition.Parts.Where(part => part.Media is not null || part.Malformed is not null))
                findings.Check(part.Malformed is null, () => $"{rendition.Name}: {part.Malformed}: {part.Exchange}");
            foreach (var segment in rendition.Segments.Where(segment => segment.Media is not null || segment.Malformed is not null))
                findings.Check(segment.Malformed is null, () => $"{rendition.Name}: {segment.Malformed}: {segment.Exchange}");
        }
    }

    private static void Compare(string name, double said, double measured, string what, Findings findings)
    {
        var off = Math.Abs(said - measured);
        findings.Largest(what, off * 1000, "ms");
        findings.Check(off <= Tolerance, () => $"{name}: {what}: {said:0.#####} s and {measured:0.#####} s");
    }
}
