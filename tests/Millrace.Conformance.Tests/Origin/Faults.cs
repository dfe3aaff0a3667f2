using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;

namespace Millrace.Conformance.Tests.Origin;

/// <summary>One thing that an origin does wrong, and the rules that must find it: those, and no others.</summary>
internal sealed record Fault(string Name, string Rules, Action<ScriptedOrigin> Apply)
{
    /// <summary>How long to crawl, seconds.</summary>
    public double Seconds { get; init; } = 30;
}

/// <summary>The faults, in the order of the rules.</summary>
internal static partial class Faults
{
    public static readonly IReadOnlyList<Fault> All =
    [
        Text("no EXT-X-PART-INF", "L1", text => text.Replace("#EXT-X-PART-INF:PART-TARGET=0.5\n", "", StringComparison.Ordinal)),
        Text("EXT-X-PART-INF without parts", "L1", text => Without(text, "#EXT-X-PART:", "#EXT-X-PRELOAD-HINT"), also: "L16"),
        Text("a part longer than its target", "L2", text => text.Replace("PART-TARGET=0.5", "PART-TARGET=0.499", StringComparison.Ordinal)),
        Text("a part of less than 85 %", "L2", text => text.Replace("PART-TARGET=0.5", "PART-TARGET=0.6", StringComparison.Ordinal).Replace("HOLD-BACK=1.5", "HOLD-BACK=1.8", StringComparison.Ordinal)),
        Text("PART-HOLD-BACK of two part targets", "L3", text => text.Replace("PART-HOLD-BACK=1.5", "PART-HOLD-BACK=1.0", StringComparison.Ordinal)),
        Text("HOLD-BACK of two target durations", "L4", text => text.Replace(",HOLD-BACK=6.0", ",HOLD-BACK=4.0", StringComparison.Ordinal)),
        Text("CAN-SKIP-UNTIL of less than six target durations", "L5", text => text.Replace("CAN-SKIP-UNTIL=12.0", "CAN-SKIP-UNTIL=11.0", StringComparison.Ordinal)),
        Of("another target duration in one playlist", "L6", o => o.Rewrite = (r, text) => r == "a" ? text.Replace("TARGETDURATION:2", "TARGETDURATION:3", StringComparison.Ordinal).Replace("CAN-SKIP-UNTIL=12.0,HOLD-BACK=6.0", "CAN-SKIP-UNTIL=18.0,HOLD-BACK=9.0", StringComparison.Ordinal) : text, also: "L22 L29"),
        Of("a target duration that changes", "L6", o => o.Rewrite = (_, text) => o.Seconds > 15 ? text.Replace("TARGETDURATION:2", "TARGETDURATION:1", StringComparison.Ordinal) : text, also: "L12"),
        Of("other server control in one playlist", "L6", o => o.Rewrite = (r, text) => r == "a" ? text.Replace("PART-HOLD-BACK=1.5", "PART-HOLD-BACK=1.6", StringComparison.Ordinal) : text),
        Text("segments longer than the target", "L7", text => text.Replace("TARGETDURATION:2", "TARGETDURATION:1", StringComparison.Ordinal), also: "L8 L12 L29"),
        Of("a publisher that pauses unannounced", "L8", o => o.Stall = (12.2, 13.7)),
        Of("a segment renamed in the playlist", "L9", o => o.Rewrite = (_, text) => o.Seconds > 15 ? Regex.Replace(text, "\n([va]_s2[01])[.]mp4\n", "\n$1.mp4?x=1\n") : text),
        Of("MEDIA-SEQUENCE that skips", "L9", o => o.Rewrite = (_, text) => o.Seconds > 15 ? Number(text, "#EXT-X-MEDIA-SEQUENCE:", 1) : text, also: "L8 L14 L24 L25"),
        Of("DISCONTINUITY-SEQUENCE that does not count", "L9", o => { o.Playlist.BreakAt = 14; o.Rewrite = (_, text) => Without(text, "#EXT-X-DISCONTINUITY-SEQUENCE"); }),
        Text("EXT-X-PLAYLIST-TYPE in a window that slides", "L10", text => text.Replace("#EXT-X-MEDIA-SEQUENCE", "#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-MEDIA-SEQUENCE", StringComparison.Ordinal)),
        Of("a window of two target durations", "L10", o => o.Playlist.Window = 2),
        Of("removed segments gone at once", "L11", o => o.Instead = request => Gone(request, "_s([0-9]+)\\.mp4$", msn => msn < (o.Published / 4) - 12)),
        Of("dropped parts gone at once", "L12", o => o.Instead = request => Gone(request, "_s([0-9]+)_p[0-9]\\.mp4$", msn => msn < (o.Published / 4) - 4)),
        Of("part tags that stay", "L12", o => o.Playlist.WithParts = 6),
        Of("PROGRAM-DATE-TIME after the first part", "L13", o => o.Rewrite = (_, text) => Regex.Replace(text, "(#EXT-X-PROGRAM-DATE-TIME:.*\n)(#EXT-X-PART:.*\n)", "$2$1")),
        Of("a break of timestamps that is not announced", "L13", o => { o.Playlist.BreakAt = 24; o.Rewrite = (_, text) => Without(text, "#EXT-X-DISCONTINUITY"); }),
        Text("no PROGRAM-DATE-TIME", "L14", text => Without(text, "#EXT-X-PROGRAM-DATE-TIME")),
        Of("dates that drift from the durations", "L14", o => o.Rewrite = (_, text) => Regex.Replace(text, "([02468])\\.000Z", "$1.0$1Z")),
        Of("dates that differ between playlists", "L14", o => o.Rewrite = (r, text) => r == "a" ? text.Replace(".000Z", ".500Z", StringComparison.Ordinal) : text),
        Of("_HLS_msn alone that is not held", "L15", o => o.Instead = request => Asks(request, out _, out var part) && part < 0 && !TooFar(o, request) ? Plain(o, request, "max-age=12") : Nothing),
        Of("_HLS_part that is not held", "L16", o => o.Instead = request => Asks(request, out _, out var part) && part >= 0 && !TooFar(o, request) ? Plain(o, request, "max-age=12") : Nothing),
        Of("the past answered slowly", "L17", o => o.Instead = request => Past(o, request) ? Later(o, request, 1.0) : Nothing),
        Of("_HLS_part alone taken", "L18", o => o.Instead = request => Query(request, "^\\?_HLS_part=0$") ? Plain(o, request, "max-age=1") : Nothing),
        Of("unknown directives refused", "L18", o => o.Instead = request => Query(request, "_HLS_x=") ? Status(HttpStatusCode.BadRequest) : Nothing),
        Of("what is too far held", "L19", o => o.Instead = request => TooFar(o, request) ? Plain(o, request, "max-age=12") : Nothing),
        Of("what is near enough refused", "L19", o => o.Instead = request => Query(request, "_HLS_part=[56789]") ? Status(HttpStatusCode.BadRequest) : Nothing),
        Of("503 too soon", "L20", o => o.Instead = request => o.Seconds is > 15 and < 15.6 && Query(request, "^\\?_HLS_msn=[0-9]+&") ? Status(HttpStatusCode.ServiceUnavailable) : Nothing, also: "X8"),
        Of("no delta although it is offered", "L22", o => o.Instead = request => Query(request, "_HLS_skip") ? Plain(o, request, "max-age=1") : Nothing),
        Of("a delta that lost a segment", "L22", o => o.Rewrite = (_, text) => text.Contains("#EXT-X-SKIP", StringComparison.Ordinal) ? Number(text, "SKIPPED-SEGMENTS=", 1) : text),
        Of("a delta of another part", "L22", o => o.Rewrite = (_, text) => text.Contains("#EXT-X-SKIP", StringComparison.Ordinal) ? text.Replace("_p1.mp4", "_p9.mp4", StringComparison.Ordinal) : text),
        Of("another answer to another order", "L23", o => o.Answer = (request, response) => { if (Query(request, "^\\?_HLS_part=[0-9]+&_HLS_msn")) Append(response, "#EXT-X-BITRATE:1\n"); }),
        Of("two hints of a type", "L24", o => o.Rewrite = (_, text) => Regex.Replace(text, "(#EXT-X-PRELOAD-HINT.*)_p(.)(.*\n)", "$1_p$2$3$1_p$2x$3")),
        Of("a hint that is not kept", "L24", o => o.Rewrite = (_, text) => Regex.Replace(text, "(#EXT-X-PRELOAD-HINT.*_p)(.)", "$1x$2")),
        Of("a hint for what is there", "L24", o => o.Rewrite = (_, text) => Regex.Replace(text, "(_p2[.]mp4\"\n#EXT-X-PRELOAD-HINT.*_p)3", "${1}2")),
        Of("hinted parts not held", "L25", o => o.Instead = request => o.Seconds > 5 && IsFuture(o, request) ? Status(HttpStatusCode.NotFound) : Nothing),
        Of("headers of a hinted part before it is ready", "L25", o => o.Instead = request => IsFuture(o, request) ? Trickled(o, request) : Nothing),
        Of("unknown names answered", "L25", o => o.Instead = request => request.RequestUri!.AbsolutePath.Contains("-nothing", StringComparison.Ordinal) ? Status(HttpStatusCode.NoContent) : Nothing),
        Text("no rendition reports", "L26", text => Without(text, "#EXT-X-RENDITION-REPORT")),
        Of("a stale rendition report", "L26", o => o.Rewrite = (_, text) => Number(text, "LAST-MSN=", -2)),
        Of("a rendition report ahead of its time", "L26", o => o.Rewrite = (_, text) => Number(text, "LAST-MSN=", 2)),
        Of("a rendition report without LAST-PART", "L26", o => o.Rewrite = (_, text) => Regex.Replace(text, ",LAST-PART=[0-9]+", "")),
        Of("playlists never compressed", "L27", o => o.Instead = request => Without(o, request, "Accept-Encoding")),
        Of("no Vary", "L27", o => o.Answer = (_, response) => response.Headers.Vary.Clear()),
        Of("HTTP/1.1 alone", "L28", o => o.Answer = (_, response) => response.Version = new(1, 1)),
        Of("parts that caches may not keep", "L29", o => o.Answer = (request, response) => { if (Path(request, "_p[0-9]\\.mp4$")) Cache(response, "no-store"); }),
        Of("a live playlist that caches may keep", "L29", o => o.Answer = (request, response) => { if (Path(request, "[va]\\.m3u8$") && request.RequestUri!.Query.Length == 0) Cache(response, "max-age=5"); }),
        Of("404 that caches may keep", "L29", o => o.Answer = (_, response) => { if (response.StatusCode == HttpStatusCode.NotFound) Cache(response, "max-age=60"); }),
        Text("a version higher than needed", "L30", text => text.Replace("VERSION:6", "VERSION:9", StringComparison.Ordinal)),
        Text("EXT-X-SKIP in version 6", "L30", text => text.Replace("VERSION:9", "VERSION:6", StringComparison.Ordinal), also: "L22"),
        Of("INDEPENDENT=YES without a key picture", "L32", o => o.Rewrite = (r, text) => r == "v" ? Regex.Replace(text, "(#EXT-X-PART:DURATION=0.50000),(URI=\"v_s[0-9]+_p1)", "$1,INDEPENDENT=YES,$2") : text),
        Of("a key picture without INDEPENDENT=YES", "L32", o => o.Rewrite = (_, text) => text.Replace("INDEPENDENT=YES,", "", StringComparison.Ordinal)),
        Of("sync samples that are no IDR pictures", "L32", o => o.Media = (r, msn, part, bytes) => r == "v" && part == 2 ? Mp4Writer.Fragment(true, ((msn * 4) + part) * 45_000L, 15, 3000, key: false, flaggedKey: true) : bytes),
        Of("segments that do not begin with a key picture", "L32", o => o.Media = (r, msn, part, bytes) => r == "v" && msn % 2 == 0 ? Mp4Writer.Fragment(true, ((msn * 4) + part) * 45_000L, 15, 3000, key: false, flaggedKey: false) : bytes),
        Of("no HEAD", "L33", o => o.Instead = request => request.Method == HttpMethod.Head ? Status(HttpStatusCode.MethodNotAllowed) : Nothing),
        Text("an EXTINF without its comma", "X1", text => text.Replace("#EXTINF:2.00000,", "#EXTINF:2.00000", StringComparison.Ordinal)),
        Of("If-None-Match ignored", "X2", o => o.Instead = request => Without(o, request, "If-None-Match")),
        Of("ranges ignored", "X3", o => o.Instead = request => Without(o, request, "Range")),
        Of("_HLS_legacy with parts", "X4", o => o.Rewrite = (_, text) => text.Contains("SERVER-CONTROL", StringComparison.Ordinal) ? text : text.Replace("#EXTINF", "#EXT-X-PART:DURATION=2.0,URI=\"x.mp4\"\n#EXTINF", StringComparison.Ordinal)),
        Of("segments that are not their parts", "X5", o => o.Answer = (request, response) => { if (Path(request, "v_s[0-9]+\\.mp4$") && response.StatusCode == HttpStatusCode.OK) Change(response, body => [.. body, .. Mp4Writer.Box("free")]); }, also: "X3"),
        Text("an EXTINF that is a tenth of a millisecond short", "X6", text => text.Replace("#EXTINF:2.00000", "#EXTINF:1.99990", StringComparison.Ordinal)),
        Text("a DURATION that is a tenth of a millisecond short", "X6", text => Regex.Replace(text, "DURATION=0.50000(,URI=\".*_p1)", "DURATION=0.49990$1")),
        Of("samples that last a tick less than DURATION says, each", "X6", o => o.Media = (r, msn, part, bytes) => r == "v" && part == 2 ? Mp4Writer.Fragment(true, ((msn * 4) + part) * 45_000L, 15, 2999, key: false, flaggedKey: false) : bytes),
        Of("parts that are no MP4", "X7", o => o.Media = (_, _, _, bytes) => [.. bytes.AsSpan(0, bytes.Length - 1)]),
        Of("segments that are missing", "X8", o => o.Instead = request => Path(request, "v_s2[46]\\.mp4$") ? Status(HttpStatusCode.NotFound) : Nothing),
        Of("a wrong media type", "X9", o => o.Answer = (request, response) => { if (Path(request, "[va]\\.m3u8$") && response.Content.Headers.ContentType is not null) response.Content.Headers.ContentType = new MediaTypeHeaderValue("text/plain"); }),
    ];
}
