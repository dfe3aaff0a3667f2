using Millrace.Conformance.Playlists;
using Millrace.Conformance.Record;

namespace Millrace.Conformance.Rules;

/// <summary>Blocking Playlist Reload (RFC 8216bis §6.2.5.2).</summary>
internal static class BlockingRules
{
    /// <summary>What "at once" may take on a busy machine besides <see cref="History.Tolerance"/>.</summary>
    private static readonly TimeSpan AtOnce = TimeSpan.FromMilliseconds(300);

    /// <summary>_HLS_msn=M alone waits for a whole segment M or later.</summary>
    public static void MsnAlone(History history, Findings findings)
    {
        foreach (var probe in history.Of(ProbeKind.MsnAlone).Where(probe => probe.Answer is not null))
        {
            findings.Check(
                probe.Answer!.LastMsn >= probe.Asked!.Value.Msn || probe.Answer.Ended,
                () => $"the last whole segment is {probe.Answer.LastMsn} in the answer to {probe.Exchange}");
        }
    }

    /// <summary>_HLS_msn=M and _HLS_part=N wait for that part or a later one; beyond the last part of M they mean part 0 of M+1.</summary>
    public static void MsnAndPart(History history, Findings findings)
    {
        var beyond = 0;
        foreach (var (asked, exchange, answer) in Answered(history))
        {
            if (asked.Part < 0 || answer.Has(asked) is not { } has)
                continue;
            var last = answer.Segment(asked.Msn) is { Uri: not null, Parts.Count: > 0 } segment && asked.Part >= segment.Parts.Count;
            beyond += last ? 1 : 0;
            findings.Check(has || answer.Ended, () => $"the answer has no part {asked} nor a later one, it ends before {answer.Next}: {exchange}");
        }

        findings.Note($"{beyond} asked beyond the last part of a segment");
    }

    /// <summary>What is there already, or was, is answered at once with the whole current playlist.</summary>
    public static void Past(History history, Findings findings)
    {
        foreach (var probe in history.Of(ProbeKind.Past))
        {
            findings.Largest("answer after", probe.Exchange.Elapsed.TotalMilliseconds, "ms");
            findings.Check(probe.Exchange.Status == 200, () => probe.Exchange.ToString());
            findings.Check(probe.Exchange.Elapsed <= AtOnce + history.Tolerance, () => $"not at once: {probe.Exchange}");
            if (probe.Answer is { } answer)
                findings.Check(answer.Skip is null && answer.Next >= probe.Known!.Next, () => $"the answer ends before {answer.Next}, the current playlist before {probe.Known!.Next}: {probe.Exchange}");
        }
    }

    /// <summary>_HLS_part without _HLS_msn, and directives that cannot be read, are refused; unknown ones are ignored.</summary>
    public static void Refused(History history, Findings findings)
    {
        foreach (var probe in history.Of(ProbeKind.BadDirective))
            findings.Check(probe.Exchange.Status == 400, () => probe.Exchange.ToString());
        foreach (var probe in history.Of(ProbeKind.UnknownDirective))
            findings.Check(probe.Exchange.Status == 200, () => probe.Exchange.ToString());
    }

    /// <summary>More than two segments, or the Advance Part Limit, ahead is refused at once; what is nearer is not.</summary>
    public static void Advance(History history, Findings findings)
    {
        foreach (var probe in history.Of(ProbeKind.TooFar))
        {
            // Segments that ended while the request was on its way may have brought it within the limit.
            var overtaken = probe.Asked!.Value.Part >= 0 ? probe.Later!.OpenMsn > probe.Known!.OpenMsn : probe.Later!.LastMsn > probe.Known!.LastMsn + 1;
            if (!overtaken || probe.Exchange.Status == 400)
                findings.Check(probe.Exchange.Status == 400, () => $"last whole segment {probe.Known!.LastMsn}, next part {probe.Known.Next}: {probe.Exchange}");
        }

        foreach (var probe in history.Of(ProbeKind.NearEnough))
            findings.Check(probe.Exchange.Status != 400, () => $"last whole segment {probe.Known!.LastMsn}, next part {probe.Known.Next}: {probe.Exchange}");
    }

    /// <summary>What cannot be answered within three target durations is answered 503, then and not sooner.</summary>
    public static void Unavailable(History history, Findings findings)
    {
        foreach (var rendition in history.Renditions)
        {
            var limit = TimeSpan.FromSeconds(3 * rendition.TargetDuration);
            var held = rendition.Reloads.Where(reload => reload.Asked is not null).Select(reload => reload.Exchange)
                .Concat(history.Probes.Where(p => p.Rendition == rendition.Uri && p.Kind is ProbeKind.MsnAlone or ProbeKind.NearEnough).Select(p => p.Exchange));
            foreach (var exchange in held)
            {
                findings.Largest("held", exchange.Elapsed.TotalSeconds, "s");
                if (exchange.Status == 503)
                    findings.Check(exchange.Elapsed >= limit - history.Tolerance && exchange.Elapsed <= limit + TimeSpan.FromSeconds(1) + history.Tolerance, () => exchange.ToString());
                else if (exchange.Elapsed > limit + history.Tolerance)
                    findings.Check(exchange.Elapsed <= limit + TimeSpan.FromSeconds(1) + history.Tolerance, () => exchange.ToString());
            }
        }
    }

    /// <summary>With EXT-X-ENDLIST the directives mean nothing.</summary>
    public static void Ended(History history, Findings findings)
    {
        foreach (var probe in history.Of(ProbeKind.Ended))
        {
            findings.Check(probe.Exchange.Status == 200 && probe.Answer is { Ended: true }, () => $"not the ended playlist: {probe.Exchange}");
            findings.Check(probe.Exchange.Elapsed <= AtOnce + history.Tolerance, () => $"not at once: {probe.Exchange}");
        }
    }

    /// <summary>Two orders of the same directives give the same answer, apart from how far the other playlists have come.</summary>
    public static void Order(History history, Findings findings)
    {
        foreach (var probe in history.Of(ProbeKind.Order))
        {
            findings.Check(probe.Exchange.Status == probe.Reference!.Status, () => $"{probe.Exchange} but {probe.Reference}");
            if (probe.Answer is not { } other || probe.Full is not { } usual || other.Next != usual.Next)
                continue;
            findings.Check(WithoutReports(other) == WithoutReports(usual), () => $"other bytes than {probe.Reference} in the answer to {probe.Exchange}");
        }
    }

    private static string WithoutReports(MediaPlaylist list) =>
        string.Join('\n', list.Text.Split('\n').Where(line => !line.StartsWith("#EXT-X-RENDITION-REPORT", StringComparison.Ordinal)));

    private static IEnumerable<(Position Asked, Exchange Exchange, MediaPlaylist Answer)> Answered(History history)
    {
        foreach (var rendition in history.Renditions)
        {
            foreach (var reload in rendition.Versions.Where(version => version.Asked is not null))
                yield return (reload.Asked!.Value, reload.Exchange, reload.List);
        }

        foreach (var probe in history.Probes)
        {
            if (probe is { Kind: ProbeKind.NearEnough or ProbeKind.Order, Asked: { } asked, Answer: { } answer })
                yield return (asked, probe.Exchange, answer);
        }
    }
}
