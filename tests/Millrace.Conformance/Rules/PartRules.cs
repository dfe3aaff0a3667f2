using Millrace.Conformance.Record;

namespace Millrace.Conformance.Rules;

/// <summary>Durations and independence of parts (RFC 8216bis §4.4.4.9).</summary>
internal static class PartRules
{
    /// <summary>No part is longer than the target; each is at least 85 % of it but for those that end something.</summary>
    public static void Durations(History history, Findings findings)
    {
        foreach (var rendition in history.Renditions)
        {
            if (rendition.First?.PartTarget is not { } target)
                continue;
            var seen = Seen.Of(rendition);
            foreach (var part in seen.Parts.Values)
            {
                findings.Largest("DURATION", part.Duration, "s");
                findings.Check(part.Duration <= target + 1e-6, () => $"{rendition.Name}: part {part} is longer than PART-TARGET={target}");
                var next = seen.After(part);
                var excused = part.Independent || part.Gap || seen.IsLastOfSegment(part) || next is null or { Gap: true };
                if (!excused)
                    findings.Check(part.Duration >= (0.85 * target) - 1e-6, () => $"{rendition.Name}: part {part} is shorter than 85 % of PART-TARGET={target}");
            }
        }
    }

    /// <summary>
    /// INDEPENDENT=YES exactly where video has a key picture, and EXT-X-INDEPENDENT-SEGMENTS only when each segment begins with one. Key
    /// pictures are told by the sample flags, which must not lie about the NAL units.
    /// </summary>
    public static void Independence(History history, Findings findings)
    {
        foreach (var rendition in history.Renditions)
        {
            foreach (var part in rendition.Parts)
            {
                if (part is not { Entry: { } entry, Media.Main: { IsVideo: true } video })
                    continue;
                findings.Check(video.FalseSyncs == 0, () => $"{rendition.Name}: part {entry} marks a sample as sync that has no IDR picture");
                findings.Check(!entry.Independent || video.Syncs.Count > 0, () => $"{rendition.Name}: part {entry} has no sync sample");
                findings.Check(entry.Independent || !video.StartsWithSync, () => $"{rendition.Name}: part {entry} begins with a sync sample but has no INDEPENDENT=YES");
            }

            if (!history.Multivariant.IndependentSegments && rendition.First?.IndependentSegments != true)
                continue;
            foreach (var segment in rendition.Segments.Where(segment => segment.Media?.Main is { IsVideo: true }))
            {
                findings.Check(
                    segment.Media!.Main!.StartsWithSync,
                    () => $"{rendition.Name}: segment {segment.Entry.Msn} ({segment.Entry.Uri}) does not begin with a sync sample in spite of EXT-X-INDEPENDENT-SEGMENTS");
            }
        }
    }
}
