using System.Globalization;
using System.Text;

namespace Millrace.Conformance.Tests.Origin;

/// <summary>The playlists of <see cref="ScriptedOrigin"/>, a function of how many parts are published.</summary>
internal sealed class ScriptedPlaylist
{
    public const string Multivariant =
        """
        #EXTM3U
        #EXT-X-VERSION:6
        #EXT-X-INDEPENDENT-SEGMENTS
        #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="main",URI="a.m3u8"
        #EXT-X-STREAM-INF:BANDWIDTH=1000000,CODECS="avc1.42001e,mp4a.40.2",AUDIO="a"
        v.m3u8

        """;

    private const int SkipBoundarySegments = 6;
    private const int PartsPerSegment = ScriptedOrigin.PartsPerSegment;
    private static readonly DateTime Epoch = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>Complete segments in the playlist.</summary>
    public int Window { get; set; } = 10;

    /// <summary>Complete segments that still have their parts.</summary>
    public int WithParts { get; set; } = 3;

    /// <summary>The segment that begins with EXT-X-DISCONTINUITY; none by default.</summary>
    public int BreakAt { get; set; } = int.MaxValue;

    public bool IsAfterBreak(int msn) => msn >= BreakAt;

    public string Write(string rendition, int published, string? skip, bool legacy, bool ended)
    {
        var complete = published / PartsPerSegment;
        var first = Math.Max(0, complete - Window);
        var skipped = skip is "YES" or "v2" ? Math.Max(0, complete - SkipBoundarySegments - first) : 0;
        var text = new StringBuilder();
        text.Append($"#EXTM3U\n#EXT-X-VERSION:{(skipped > 0 ? 9 : 6)}\n#EXT-X-TARGETDURATION:2\n");
        if (!legacy)
            text.Append("#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12.0,HOLD-BACK=6.0,PART-HOLD-BACK=1.5\n#EXT-X-PART-INF:PART-TARGET=0.5\n");
        text.Append($"#EXT-X-MEDIA-SEQUENCE:{first}\n");
        if (first > BreakAt)
            text.Append("#EXT-X-DISCONTINUITY-SEQUENCE:1\n");
        if (skipped > 0)
            text.Append($"#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}\n");
        else
            text.Append($"#EXT-X-MAP:URI=\"init_{rendition}.mp4\"\n");
        for (var msn = first + skipped; msn < complete; msn++)
        {
            Begin(text, msn);
            Parts(text, rendition, msn, legacy || complete - msn > WithParts ? 0 : PartsPerSegment);
            text.Append($"#EXTINF:2.00000,\n{rendition}_s{msn}.mp4\n");
        }

        if (ended)
            return text.Append("#EXT-X-ENDLIST\n").ToString();
        if (!legacy)
            End(text, rendition, published);
        return text.ToString();
    }

    private void End(StringBuilder text, string rendition, int published)
    {
        var (msn, parts) = Math.DivRem(published, PartsPerSegment);
        Begin(text, msn);
        Parts(text, rendition, msn, parts);
        text.Append($"#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{rendition}_s{msn}_p{parts}.mp4\"\n");
        var (lastMsn, lastPart) = Math.DivRem(published - 1, PartsPerSegment);
        text.Append($"#EXT-X-RENDITION-REPORT:URI=\"{(rendition == "v" ? "a" : "v")}.m3u8\",LAST-MSN={lastMsn},LAST-PART={lastPart}\n");
    }

    private void Begin(StringBuilder text, int msn)
    {
        if (msn == BreakAt)
            text.Append("#EXT-X-DISCONTINUITY\n");
        text.Append("#EXT-X-PROGRAM-DATE-TIME:").Append(Epoch.AddSeconds(2 * msn).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'\n", CultureInfo.InvariantCulture));
    }

    private static void Parts(StringBuilder text, string rendition, int msn, int count)
    {
        for (var part = 0; part < count; part++)
            text.Append($"#EXT-X-PART:DURATION=0.50000,{(rendition == "v" && part == 0 ? "INDEPENDENT=YES," : "")}URI=\"{rendition}_s{msn}_p{part}.mp4\"\n");
    }
}
