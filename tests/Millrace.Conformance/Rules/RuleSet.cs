namespace Millrace.Conformance.Rules;

/// <summary>
/// All rules. L1 to L33 are what RFC 8216bis (§4.4, §6.2, Appendix B) and Apple's authoring specification ask of an origin for low
/// latency; X rules are what any origin of fragmented MP4 over HTTP is held to besides.
/// </summary>
internal static class RuleSet
{
    public static readonly IReadOnlyList<Rule> All =
    [
        new("L1", "PART-INF exactly where parts are", TagRules.PartInf),
        new("L2", "PART DURATION within 85 % and 100 % of the target", PartRules.Durations),
        new("L3", "CAN-BLOCK-RELOAD, PART-HOLD-BACK >= 3 part targets", TagRules.PartHoldBack),
        new("L4", "HOLD-BACK >= 3 target durations", TagRules.HoldBack),
        new("L5", "CAN-SKIP-UNTIL >= 6 target durations", TagRules.CanSkip),
        new("L6", "one TARGETDURATION and SERVER-CONTROL for all", UpdateRules.SameEverywhere),
        new("L7", "EXTINF rounded <= TARGETDURATION", TagRules.SegmentDuration),
        new("L8", "segments within 1.5 targets, parts within one", UpdateRules.Pace),
        new("L9", "versions append and remove; sequences count it", UpdateRules.Versions),
        new("L10", "window >= 3 target durations, no PLAYLIST-TYPE", UpdateRules.Window),
        new("L11", "removed segments stay fetchable", RetentionRules.Segments),
        new("L12", "old part tags go, their parts stay", RetentionRules.Parts),
        new("L13", "tags before parts; DISCONTINUITY at breaks", TagRules.OrderAndBreaks),
        new("L14", "PROGRAM-DATE-TIME present and consistent", TimeRules.Dates),
        new("L15", "_HLS_msn alone waits for the whole segment", BlockingRules.MsnAlone),
        new("L16", "_HLS_msn and _HLS_part wait for the part", BlockingRules.MsnAndPart),
        new("L17", "the past is answered at once and whole", BlockingRules.Past),
        new("L18", "bad directives 400, unknown ones ignored", BlockingRules.Refused),
        new("L19", "too far ahead 400", BlockingRules.Advance),
        new("L20", "503 after three target durations", BlockingRules.Unavailable),
        new("L21", "directives ignored with ENDLIST", BlockingRules.Ended),
        new("L22", "delta updates", DeltaRules.Delta),
        new("L23", "order of directives does not matter", BlockingRules.Order),
        new("L24", "PRELOAD-HINT tags", HintRules.Tags),
        new("L25", "hinted parts held, then whole; unknown 404", HintRules.Requests),
        new("L26", "RENDITION-REPORT for every other playlist", ReportRules.Reports),
        new("L27", "gzip for playlists with Vary, not for media", HttpRules.Gzip),
        new("L28", "HTTP/2 over TLS beside HTTP/1.1, one host", HttpRules.Protocol),
        new("L29", "Cache-Control", CacheRules.Freshness),
        new("L30", "EXT-X-VERSION as needed", TagRules.Version),
        new("L31", "PART-TARGET >= round trip, deltas for long windows", HttpRules.Advice),
        new("L32", "INDEPENDENT and INDEPENDENT-SEGMENTS are true", PartRules.Independence),
        new("L33", "HEAD on every kind of address", HttpRules.Head),
        new("X1", "strict syntax", TagRules.Syntax),
        new("X2", "ETag and 304", HttpRules.Conditional),
        new("X3", "ranges 206 and 416", HttpRules.Ranges),
        new("X4", "_HLS_legacy=YES (an extension)", DeltaRules.Legacy),
        new("X5", "a segment is its parts, byte by byte", MediaRules.Whole),
        new("X6", "durations agree with the media", MediaRules.Durations),
        new("X7", "media can be read", MediaRules.Readable),
        new("X8", "a player's requests are answered", HttpRules.Answered),
        new("X9", "media types", HttpRules.Types),
    ];
}
