using Millrace.Conformance.Record;

namespace Millrace.Conformance.Rules;

/// <summary>What caches are told (RFC 8216bis Appendix B.5; Apple's low-latency server rules), judged by Cache-Control.</summary>
internal static class CacheRules
{
    /// <summary>
    /// Answers to blocking requests, segments and parts for six target durations or more; a live playlist without directives for half of
    /// one or less; 404 and 400 for one or less.
    /// </summary>
    public static void Freshness(History history, Findings findings)
    {
        foreach (var rendition in history.Renditions)
        {
            var target = rendition.TargetDuration;
            foreach (var reload in rendition.Versions.Where(version => !version.List.Ended))
            {
                if (reload.Asked is null)
                    AtMost(reload.Exchange, target / 2, findings);
                else
                    AtLeast(reload.Exchange, 6 * target, findings);
            }

            foreach (var media in rendition.Parts.Select(part => part.Exchange).Concat(rendition.Segments.Select(segment => segment.Exchange)).Where(exchange => exchange.Status == 200))
                AtLeast(media, 6 * target, findings);
            foreach (var probe in history.Probes.Where(probe => probe.Rendition == rendition.Uri))
            {
                if (probe is { Kind: ProbeKind.Plain, Answer.Ended: false })
                    AtMost(probe.Exchange, target / 2, findings);
                if (probe.Exchange.Status == 404 || (probe.Exchange.Status == 400 && probe.Exchange.MaxAge is not null))
                    AtMost(probe.Exchange, target, findings);
            }
        }
    }

    private static void AtLeast(Exchange exchange, double seconds, Findings findings) =>
        findings.Check(exchange.MaxAge >= seconds, () => $"Cache-Control: {exchange.Header("Cache-Control") ?? "(none)"}, at least {seconds} s are due: {exchange}");

    private static void AtMost(Exchange exchange, double seconds, Findings findings) =>
        findings.Check(exchange.MaxAge <= seconds, () => $"Cache-Control: {exchange.Header("Cache-Control") ?? "(none)"}, at most {seconds} s are allowed: {exchange}");
}
