using Millrace.Conformance.Record;

namespace Millrace.Conformance.Rules;

/// <summary>Whether the bytes are what the playlist says.</summary>
internal static class MediaRules
{
    /// <summary>A segment's bytes are those of its parts.</summary>
    public static void Whole(History history, Findings findings)
    {
        foreach (var rendition in history.Renditions)
        {
            foreach (var segment in rendition.Segments.Where(segment => segment.Compared > 0))
                findings.Check(segment.Mismatch is null, () => $"{rendition.Name}: segment {segment.Entry.Msn} ({segment.Entry.Uri}): {segment.Mismatch}");
        }
    }

    /// <summary>
    /// EXTINF and DURATION are the sum of the durations of the samples (trun, tfhd, trex), and EXTINF is the sum of the parts'. What
    /// they may be off by: less than a unit of the last digit that each is written with, and a tick of the timescale, as a time
    /// that is no whole tick was rounded at both ends.
    /// </summary>
    public static void Durations(History history, Findings findings)
    {
        foreach (var rendition in history.Renditions)
        {
            foreach (var part in rendition.Parts)
            {
                if (part is { Entry: { } entry, Media.Main: { } track })
                    Compare($"{rendition.Name}: part {entry}", entry.Duration, track.Duration, entry.Place + track.Tick, "DURATION against its samples", findings);
            }

            foreach (var segment in rendition.Segments)
                OfSegment(rendition, segment, findings);
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

    private static void OfSegment(RenditionHistory rendition, SegmentFetch segment, Findings findings)
    {
        var entry = segment.Entry;
        var name = $"{rendition.Name}: segment {entry.Msn} (line {entry.Line})";
        // A GAP has a duration and no media.
        if (segment.Media?.Main is { } track && !entry.Parts.Any(part => part.Gap))
            Compare(name, entry.Duration, track.Duration, entry.Place + track.Tick, "EXTINF against its samples", findings);
        if (entry.Parts.Count > 0)
            Compare(name, entry.Duration, entry.PartsDuration, entry.Place + entry.Parts.Sum(part => part.Place), "EXTINF against its parts", findings);
    }

    private static void Compare(string name, double said, double measured, double tolerance, string what, Findings findings)
    {
        var off = Math.Abs(said - measured);
        findings.Largest(what, off * 1000, "ms");
        // Sums of binary fractions: a nanosecond is far below a tick.
        findings.Check(off <= tolerance + 1e-9, () => $"{name}: {what}: {said:0.######} s and {measured:0.######} s");
    }
}
