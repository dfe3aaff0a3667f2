using Millrace.Conformance.Playlists;
using Millrace.Conformance.Record;

namespace Millrace.Conformance.Rules;

/// <summary>EXT-X-PRELOAD-HINT (RFC 8216bis §4.4.5.3, §6.2.6).</summary>
internal static class HintRules
{
    /// <summary>What sending a whole part, or refusing one, may take besides the tolerance.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(500);

    /// <summary>One hint a type, never with EXT-X-ENDLIST nor for what is there; what comes next has the hinted address.</summary>
    public static void Tags(History history, Findings findings)
    {
        foreach (var rendition in history.Renditions)
        {
            var versions = rendition.Versions.ToArray();
            for (var i = 0; i < versions.Length; i++)
            {
                var list = versions[i].List;
                if (list.Hints.Count == 0)
                    continue;
                findings.Check(list.Hints.Select(hint => hint.Type).Distinct().Count() == list.Hints.Count, () => $"{rendition.Name}: two hints of one TYPE, line {list.Hints[^1].Line}: {list.Hints[^1].Text}; {versions[i].Exchange}");
                findings.Check(!list.Ended, () => $"{rendition.Name}: a hint with EXT-X-ENDLIST: {list.Hints[0].Text}");
                foreach (var hint in list.Hints)
                {
                    findings.Check(!Stands(list, hint), () => $"{rendition.Name}: line {hint.Line} hints at what is there: {hint.Text}; {versions[i].Exchange}");
                    Kept(rendition, list, hint, versions.AsSpan(i + 1), findings);
                }
            }
        }
    }

    /// <summary>
    /// A hinted part is held until it is ready, without a header or byte before, and then comes whole at once; what is announced is there;
    /// what is neither there nor hinted, or is hinted no more, is 404.
    /// </summary>
    public static void Requests(History history, Findings findings)
    {
        foreach (var rendition in history.Renditions)
        {
            foreach (var part in rendition.Parts)
                Request(history, rendition, part, findings);
        }

        foreach (var probe in history.Of(ProbeKind.UnknownName))
        {
            findings.Check(probe.Exchange.Status == 404, () => $"a name that nothing gives: {probe.Exchange}");
            findings.Check(probe.Exchange.Elapsed <= Soon + history.Tolerance, () => $"not at once: {probe.Exchange}");
        }
    }

    private static void Request(History history, RenditionHistory rendition, PartFetch part, Findings findings)
    {
        var exchange = part.Exchange;
        if (part.Entry is null)
        {
            if (part.Withdrawn && !IsHeldToTheLimit(history, rendition, exchange))
                findings.Check(exchange.Status == 404, () => $"{rendition.Name}: the hint was withdrawn: {exchange}");
            return;
        }

        // §6.2.1: what is marked as a gap may be missing.
        if (part.Entry.Gap)
            return;
        if (part.Hinted && IsHeldToTheLimit(history, rendition, exchange))
            return;
        var limit = Soon + history.Tolerance;
        findings.Check(exchange.Status is 200 or 206, () => $"{rendition.Name}: part {part.Entry}: {exchange}");
        if (exchange.Status is not (200 or 206))
            return;
        var transfer = exchange.Done - exchange.FirstByteAt;
        findings.Largest("transfer", transfer.TotalMilliseconds, "ms");
        findings.Check(transfer <= limit, () => $"{rendition.Name}: part {part.Entry} took {transfer.TotalMilliseconds:0} ms from its first byte: {exchange}");
        if (!part.Hinted || exchange.Sent >= part.AnnouncedAt)
        {
            findings.Check(exchange.Elapsed <= limit, () => $"{rendition.Name}: part {part.Entry} was announced but not there: {exchange}");
            return;
        }

        if (!part.AnnouncedExactly || part.AnnouncedAt is not { } announced)
            return;
        var early = announced - exchange.HeadersAt;
        findings.Largest("before its announcement", early.TotalMilliseconds, "ms");
        findings.Largest("after its announcement", -early.TotalMilliseconds, "ms");
        // A part target is how early it can be at most: the tolerance must leave room to see it.
        var half = TimeSpan.FromSeconds((rendition.First?.PartTarget ?? 1) / 2);
        findings.Check(early <= (half < history.Tolerance ? half : history.Tolerance), () => $"{rendition.Name}: headers {early.TotalMilliseconds:0} ms before part {part.Entry} was announced: {exchange}");
        findings.Check(exchange.Done - announced <= limit, () => $"{rendition.Name}: part {part.Entry} came {(exchange.Done - announced).TotalMilliseconds:0} ms after it was announced: {exchange}");
    }

    /// <summary>§6.2.5.2: nothing is held for more than three target durations.</summary>
    private static bool IsHeldToTheLimit(History history, RenditionHistory rendition, Exchange exchange) =>
        exchange.Status == 503 && exchange.Elapsed >= TimeSpan.FromSeconds(3 * rendition.TargetDuration) - history.Tolerance;

    private static bool Stands(MediaPlaylist list, HintEntry hint) => hint.Type == "PART"
        ? list.Parts.Any(part => part.Uri == hint.Uri && (part.Range?.Start ?? 0) == hint.Start)
        : list.AllSegments.Any(segment => segment.Map?.Uri == hint.Uri);

    /// <summary>Compares a hint with the first part, or the next initialization section, of the versions that follow.</summary>
    private static void Kept(RenditionHistory rendition, MediaPlaylist list, HintEntry hint, ReadOnlySpan<Reload> later, Findings findings)
    {
        foreach (var version in later)
        {
            var now = version.List;
            if (hint.Type == "MAP")
            {
                var map = now.AllSegments.LastOrDefault()?.Map?.Uri;
                if (map is null || map == list.AllSegments.LastOrDefault()?.Map?.Uri)
                    continue;
                findings.Check(map == hint.Uri, () => $"{rendition.Name}: {hint.Text} but the next EXT-X-MAP has {map}");
                return;
            }

            if (now.Parts.FirstOrDefault(part => new Position(part.Msn, part.Index) >= list.Next) is not { } part)
                continue;
            // So much came at once that the hinted part is not listed any more.
            if (part.Msn > list.Next.Msn && now.Parts.All(one => one.Msn != list.Next.Msn))
                return;
            // A break or a gap may change what was planned.
            if (part.Gap || (now.Segment(part.Msn) is { Discontinuity: true } && part.Index == 0))
                return;
            findings.Check(part.Uri == hint.Uri && (part.Range?.Start ?? 0) == hint.Start, () => $"{rendition.Name}: {hint.Text} but then came part {part}");
            return;
        }
    }
}
