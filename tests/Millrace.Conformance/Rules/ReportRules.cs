using Millrace.Conformance.Playlists;
using Millrace.Conformance.Record;

namespace Millrace.Conformance.Rules;

/// <summary>EXT-X-RENDITION-REPORT (RFC 8216bis §4.4.5.4).</summary>
internal static class ReportRules
{
    /// <summary>How far a report may be behind or ahead of what its playlist's own follower sees: two answers are never of one moment.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(1);

    public static void Reports(History history, Findings findings)
    {
        foreach (var rendition in history.Renditions)
        {
            var others = history.Renditions.Where(other => other != rendition && other.First is not null).ToArray();
            foreach (var version in rendition.Versions.Where(version => version.List is { PartTarget: not null, Ended: false }))
            {
                foreach (var other in others)
                    One(history, rendition, version, other, findings);
            }
        }
    }

    private static void One(History history, RenditionHistory rendition, Reload version, RenditionHistory other, Findings findings)
    {
        var report = version.List.Reports.FirstOrDefault(report => report.Uri == other.Uri);
        findings.Check(report is not null, () => $"{rendition.Name}: no EXT-X-RENDITION-REPORT for {other.Name} in the answer to {version.Exchange}");
        if (report is null)
            return;
        findings.Check(!Uri.TryCreate(report.RawUri, UriKind.Absolute, out _) || report.RawUri.StartsWith('/'), () => $"{rendition.Name}: the URI is not relative, line {report.Line}: {report.Text}");
        findings.Check(report.LastMsn is not null, () => $"{rendition.Name}: no LAST-MSN, line {report.Line}: {report.Text}");
        findings.Check(report.LastPart is not null || other.First!.PartTarget is null, () => $"{rendition.Name}: no LAST-PART, line {report.Line}: {report.Text}");
        if (report is not { LastMsn: { } msn, LastPart: { } part })
            return;

        var slack = Slack + history.Tolerance;
        var at = version.Exchange.HeadersAt;
        if (history.Disturbed(at - slack, at + slack))
            return;
        var said = new Position(msn, part);
        if (other.At(at - slack)?.List.LastPart is { } least)
            findings.Check(said >= least, () => $"{rendition.Name}: {other.Name} had {least} {slack.TotalSeconds:0.##} s before, line {report.Line}: {report.Text}; {version.Exchange}");
        var after = other.Versions.FirstOrDefault(v => v.Exchange.HeadersAt >= at + slack);
        if (after?.List.LastPart is { } most)
            findings.Check(said <= most, () => $"{rendition.Name}: {other.Name} had only {most} {slack.TotalSeconds:0.##} s later, line {report.Line}: {report.Text}; {version.Exchange}");
    }
}
