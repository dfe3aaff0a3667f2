using Millrace.Conformance.Playlists;
using Millrace.Conformance.Record;

namespace Millrace.Conformance.Rules;

/// <summary>Playlist Delta Updates (RFC 8216bis §4.4.5.2, §6.2.5.1) and the legacy form.</summary>
internal static class DeltaRules
{
    public static void Delta(History history, Findings findings)
    {
        foreach (var probe in history.Of(ProbeKind.Delta))
        {
            findings.Check(probe.Answer is not null, () => probe.Exchange.ToString());
            if (probe.Answer is not { } answer)
                continue;
            if (probe.Known?.SkipBoundary is not { } boundary)
                findings.Check(answer.Skip is null, () => $"EXT-X-SKIP although CAN-SKIP-UNTIL is not offered: {probe.Exchange}");
            else if (probe.Full is { } full)
                Offered(probe, answer, full, boundary, findings);
        }

        foreach (var probe in history.Of(ProbeKind.Ended).Where(probe => probe.Answer is not null))
            findings.Check(probe.Answer!.Skip is null, () => $"EXT-X-SKIP in an ended playlist: {probe.Exchange}");
    }

    /// <summary>The playlist without what a client of low latency needs, otherwise the same. A server need not have it.</summary>
    public static void Legacy(History history, Findings findings)
    {
        foreach (var probe in history.Of(ProbeKind.Legacy))
        {
            if (probe is not { Answer: { } answer, Full: { } full })
                continue;
            if (answer.Text == full.Text && full.PartTarget is not null)
            {
                findings.Note("_HLS_legacy is ignored");
                continue;
            }

            var left = answer.Parts.Any() || answer.PartTarget is not null || answer.ServerControl is not null || answer.Hints.Count > 0 || answer.Reports.Count > 0;
            findings.Check(!left, () => $"tags of low latency in the answer to {probe.Exchange}");
            var (expected, got) = (full.Segments.Select(Plain), answer.Segments.Select(Plain));
            findings.Check(answer.TargetDuration == full.TargetDuration && expected.SequenceEqual(got), () => $"other segments than in the usual playlist: {probe.Exchange}");
        }
    }

    private static void Offered(Probe probe, MediaPlaylist answer, MediaPlaylist full, double boundary, Findings findings)
    {
        var skipped = answer.Skip?.Segments ?? 0;
        findings.Largest("skipped", skipped, "segments");
        var (mustSkip, maySkip) = Skippable(full, boundary);
        findings.Check(skipped >= mustSkip, () => $"{skipped} skipped although {mustSkip} are older than CAN-SKIP-UNTIL={boundary}: {probe.Exchange}");
        findings.Check(skipped <= maySkip, () => $"{skipped} skipped although only {maySkip} are older than CAN-SKIP-UNTIL={boundary}: {probe.Exchange}");
        if (answer.Skip is not null)
            findings.Check(answer.Version >= (answer.Skip.RemovedDateRanges is null ? 9 : 10), () => $"EXT-X-VERSION:{answer.Version} with EXT-X-SKIP: {probe.Exchange}");
        if (skipped <= maySkip)
        {
            var difference = Difference(answer, full);
            findings.Check(difference is null, () => $"applied, it differs from the full playlist: {difference}; {probe.Exchange}");
        }
    }

    /// <summary>
    /// Segments that lie wholly, and those that lie at least partly, beyond the boundary. The RFC leaves open on which side a segment
    /// across it is, and a server may count whole segments only: both are allowed.
    /// </summary>
    private static (int Must, int May) Skippable(MediaPlaylist full, double boundary)
    {
        var (must, may) = (0, 0);
        var end = full.Duration;
        var withParts = end + (full.Open?.PartsDuration ?? 0);
        var start = 0.0;
        foreach (var segment in full.Segments)
        {
            may += withParts - start > boundary - 1e-6 ? 1 : 0;
            start += segment.Duration;
            must += end - start > boundary + full.TargetDuration ? 1 : 0;
        }

        return (must, may);
    }

    /// <summary>The full playlist's skipped segments followed by what the delta has must be the full playlist.</summary>
    internal static string? Difference(MediaPlaylist delta, MediaPlaylist full)
    {
        if (delta.MediaSequence != full.MediaSequence || delta.DiscontinuitySequence != full.DiscontinuitySequence || delta.TargetDuration != full.TargetDuration)
            return "its sequence numbers or target duration are others";
        if (delta.ServerControl?.Canonical != full.ServerControl?.Canonical || delta.PartTarget != full.PartTarget)
            return "its EXT-X-SERVER-CONTROL or EXT-X-PART-INF is another";
        if (delta.OpenMsn != full.OpenMsn)
            return $"it ends with segment {delta.LastMsn}, the full one with {full.LastMsn}";
        foreach (var segment in delta.AllSegments)
        {
            if (full.Segment(segment.Msn) is not { } same)
                return $"segment {segment.Msn} is not in the full one";

            // A tag that was skipped with its segment goes on to apply.
            var carried = segment with { Map = segment.Map ?? same.Map, Key = segment.Key ?? same.Key };
            if (carried.Identity != same.Identity || segment.ProgramDateTime != same.ProgramDateTime)
                return $"segment {segment.Msn} is {carried.Identity}, in the full one {same.Identity}";
            if (!segment.Parts.Select(part => part.Text).SequenceEqual(same.Parts.Select(part => part.Text), StringComparer.Ordinal))
                return $"the parts of segment {segment.Msn} are others";
        }

        return delta.Hints.Select(hint => hint.Text).SequenceEqual(full.Hints.Select(hint => hint.Text), StringComparer.Ordinal) ? null : "its hints are others";
    }

    private static string Plain(SegmentEntry segment) => $"{segment.Msn} {segment.Identity} {segment.ProgramDateTime:O}";
}
