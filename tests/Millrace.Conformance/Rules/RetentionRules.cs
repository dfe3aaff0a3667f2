using Millrace.Conformance.Playlists;
using Millrace.Conformance.Record;

namespace Millrace.Conformance.Rules;

/// <summary>How long what has left a playlist can be fetched (RFC 8216bis §6.2.2; RFC 8216 §6.2.2 for segments, counted from removal).</summary>
internal static class RetentionRules
{
    public static void Segments(History history, Findings findings) => Stay(history, findings, ProbeKind.RemovedSegment);

    /// <summary>Parts stay three target durations after their tag; the tag goes when it is further than that, and a segment, from the end.</summary>
    public static void Parts(History history, Findings findings)
    {
        Stay(history, findings, ProbeKind.DroppedPart);
        foreach (var rendition in history.Renditions)
        {
            foreach (var version in rendition.Versions)
                Tags(rendition, version.List, findings);
        }
    }

    private static void Stay(History history, Findings findings, ProbeKind kind)
    {
        foreach (var probe in history.Of(kind).Where(probe => probe.Gone < probe.MustStay))
        {
            findings.Largest("asked for", probe.Gone.TotalSeconds, "s after it was gone");
            findings.Check(probe.Exchange.Status is 200 or 206, () => $"{probe.Gone.TotalSeconds:0.#} s after it was gone, of {probe.MustStay.TotalSeconds:0.#} s: {probe.Exchange}");
        }
    }

    private static void Tags(RenditionHistory rendition, MediaPlaylist list, Findings findings)
    {
        var end = list.Open?.PartsDuration ?? 0;
        foreach (var segment in list.Segments.Reverse())
        {
            var distance = end;
            end += segment.Duration;
            if (segment.Parts.Count == 0)
                continue;
            findings.Largest("part tags", distance, "s from the end");
            findings.Check(distance <= 4 * list.TargetDuration, () => $"{rendition.Name}: part {segment.Parts[^1]} is {distance:0.#} s from the end");
        }
    }
}
