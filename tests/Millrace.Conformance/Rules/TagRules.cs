using Millrace.Conformance.Playlists;
using Millrace.Conformance.Record;

namespace Millrace.Conformance.Rules;

/// <summary>What a single version of a playlist must say (RFC 8216bis §4.4).</summary>
internal static class TagRules
{
    /// <summary>§4.4.3.7: EXT-X-PART-INF stands where parts stand. An ended playlist may have lost its parts.</summary>
    public static void PartInf(History history, Findings findings)
    {
        foreach (var (rendition, version) in All(history))
        {
            var parts = version.Parts.Any();
            findings.Check(
                parts ? version.PartTarget is not null : version.PartTarget is null || version.Ended,
                () => $"{rendition.Name}: {(parts ? "EXT-X-PART without EXT-X-PART-INF" : "EXT-X-PART-INF without EXT-X-PART")}");
        }
    }

    /// <summary>§4.4.3.8: CAN-BLOCK-RELOAD=YES, and PART-HOLD-BACK of at least three part targets (Apple's authoring specification; twice is the RFC's least).</summary>
    public static void PartHoldBack(History history, Findings findings)
    {
        foreach (var (rendition, version) in All(history))
        {
            if (version.PartTarget is not { } target)
                continue;
            var control = version.ServerControl?.Canonical;
            var holdBack = version.ServerControl?.Seconds("PART-HOLD-BACK");
            findings.Check(version.ServerControl?.Raw("CAN-BLOCK-RELOAD") == "YES", () => $"{rendition.Name}: no CAN-BLOCK-RELOAD=YES in SERVER-CONTROL:{control}");
            findings.Check(holdBack >= (3 * target) - 1e-6, () => $"{rendition.Name}: PART-HOLD-BACK is not 3 x {target} in SERVER-CONTROL:{control}");
        }
    }

    public static void HoldBack(History history, Findings findings)
    {
        foreach (var (rendition, version) in All(history))
        {
            if (version.ServerControl?.Seconds("HOLD-BACK") is { } holdBack)
                findings.Check(holdBack >= 3 * version.TargetDuration, () => $"{rendition.Name}: HOLD-BACK={holdBack} with TARGETDURATION:{version.TargetDuration}");
        }
    }

    public static void CanSkip(History history, Findings findings)
    {
        foreach (var (rendition, version) in All(history))
        {
            var ranges = version.ServerControl?.Raw("CAN-SKIP-DATERANGES") is not null;
            if (version.SkipBoundary is { } boundary)
                findings.Check(boundary >= 6 * version.TargetDuration, () => $"{rendition.Name}: CAN-SKIP-UNTIL={boundary} with TARGETDURATION:{version.TargetDuration}");
            else if (ranges)
                findings.Check(false, () => $"{rendition.Name}: CAN-SKIP-DATERANGES without CAN-SKIP-UNTIL");
        }
    }

    /// <summary>§4.4.3.1: durations, rounded to whole seconds, do not exceed the target.</summary>
    public static void SegmentDuration(History history, Findings findings)
    {
        foreach (var rendition in history.Renditions)
        {
            foreach (var segment in Seen.Of(rendition).Segments.Values.Where(segment => segment.Uri is not null))
            {
                findings.Largest("EXTINF", segment.Duration, "s");
                findings.Check(
                    Math.Round(segment.Duration, MidpointRounding.AwayFromZero) <= rendition.TargetDuration,
                    () => $"{rendition.Name}: EXTINF:{segment.Duration} of segment {segment.Msn} with TARGETDURATION:{rendition.TargetDuration}");
            }
        }
    }

    /// <summary>
    /// §4.4.4.9: the tags that apply to a segment stand before its first part. §4.4.4.3: a break of timestamps or of the encoding is
    /// announced by EXT-X-DISCONTINUITY, judged by tfdt and by the initialization sections.
    /// </summary>
    public static void OrderAndBreaks(History history, Findings findings)
    {
        foreach (var (rendition, version) in All(history))
        {
            foreach (var segment in version.AllSegments.Where(segment => segment.Parts.Count > 0))
                findings.Check(segment.LateTags.Count == 0, () => $"{rendition.Name}: after the first part of segment {segment.Msn}: {segment.LateTags[0]}");
        }

        foreach (var rendition in history.Renditions)
            Breaks.Judge(rendition, findings);
    }

    /// <summary>
    /// §4.4.1.2 and §8: the version is the one that the tags need, neither more nor less. Where drafts differ both are taken: 8 for
    /// EXT-X-GAP, 10 for any answer to _HLS_skip=v2.
    /// </summary>
    public static void Version(History history, Findings findings)
    {
        foreach (var (rendition, version) in All(history))
            Version(rendition.Name, version, most: 0, findings);
        foreach (var probe in history.Probes)
        {
            if (probe is { Answer: { } answer, Rendition: { } rendition })
                Version(rendition.Segments[^1], answer, answer.Skip is not null && probe.Exchange.Uri.Query.Contains("_HLS_skip=v2", StringComparison.Ordinal) ? 10 : 0, findings);
        }

        if (history.MultivariantExchange is not null)
            findings.Check(history.Multivariant.Version <= 6, () => $"EXT-X-VERSION:{history.Multivariant.Version} in the Multivariant Playlist, which needs no more than 6");
    }

    private static void Version(string name, MediaPlaylist list, int most, Findings findings)
    {
        var (needed, reason) = list.Needed;
        var gap = list.AllSegments.Any(segment => segment.Gap) || list.Parts.Any(part => part.Gap);
        most = Math.Max(most, Math.Max(needed, gap ? 8 : 0));
        findings.Check(list.Version >= needed && list.Version <= most, () => $"{name}: EXT-X-VERSION:{list.Version} where {reason} needs {needed}");
    }

    /// <summary>§4.1 to §4.4: every line can be read. Unknown tags and attributes are only told.</summary>
    public static void Syntax(History history, Findings findings)
    {
        foreach (var problem in history.Multivariant.Problems)
            findings.Check(false, () => $"Multivariant Playlist, {problem}");
        foreach (var unknown in history.Multivariant.UnknownTags)
            findings.Note($"unknown: {unknown}");
        foreach (var (rendition, version) in All(history))
        {
            findings.Check(version.Problems.Count == 0, () => $"{rendition.Name}, {version.Problems[0]}");
            foreach (var unknown in version.UnknownTags)
                findings.Note($"unknown: {unknown}");
        }
    }

    private static IEnumerable<(RenditionHistory Rendition, MediaPlaylist Version)> All(History history) =>
        history.Renditions.SelectMany(rendition => rendition.Versions.Select(version => (rendition, version.List)));
}
