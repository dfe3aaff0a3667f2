using System.Globalization;
using System.Text;

namespace Millrace.Streams.Hls;

/// <summary>Writes media playlists (RFC 8216bis 4.4.3 and 4.4.4). A pure function of the snapshot.</summary>
internal static class MediaPlaylist
{
    /// <summary>CAN-SKIP-UNTIL in target durations: the least that may be offered (4.4.3.8).</summary>
    private const int SkipTargets = 6;

    /// <summary>Parts are listed up to so many target durations from the end (6.2.2).</summary>
    private const int PartTargets = 3;

    public static string Write(HlsSnapshot snapshot, RenditionView view, PlaylistForm form)
    {
        var isLowLatency = snapshot.Packager.Format == HlsFormat.LowLatency && form != PlaylistForm.Legacy;
        var skipped = form is PlaylistForm.Delta or PlaylistForm.DeltaV2 && !snapshot.IsEnded ? CountSkipped(snapshot, view) : 0;
        var text = new StringBuilder(4096);
        WriteHead(text, snapshot, view, isLowLatency, VersionOf(snapshot, view, form, skipped));
        if (skipped > 0)
            Line(text, $"#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}");
        WriteSegments(text, snapshot, view, isLowLatency, skipped);
        if (snapshot.IsEnded)
            text.Append("#EXT-X-ENDLIST\n");
        else if (isLowLatency)
            WriteHints(text, snapshot, view);
        return text.ToString();
    }

    /// <summary>Seconds with six decimals, as microseconds are exact in them.</summary>
    public static string Seconds(long micros) =>
        string.Create(CultureInfo.InvariantCulture, $"{micros / 1_000_000}.{micros % 1_000_000:D6}");

    public static void Line(StringBuilder text, FormattableString line) =>
        text.Append(FormattableString.Invariant(line)).Append('\n');

    /// <summary>4.4.1.2: no more than what is used needs.</summary>
    private static int VersionOf(HlsSnapshot snapshot, RenditionView view, PlaylistForm form, int skipped)
    {
        const int Decimals = 3, MapWithoutIFrames = 6, Gap = 8, Skip = 9, SkipV2 = 10;
        if (skipped > 0)
            return form == PlaylistForm.DeltaV2 ? SkipV2 : Skip;
        if (Array.Exists(view.Segments, static segment => segment.IsGap))
            return Gap;
        return snapshot.Packager.Format == HlsFormat.LowLatency ? MapWithoutIFrames : Decimals;
    }

    private static void WriteHead(StringBuilder text, HlsSnapshot snapshot, RenditionView view, bool isLowLatency, int version)
    {
        text.Append("#EXTM3U\n");
        Line(text, $"#EXT-X-VERSION:{version}");
        Line(text, $"#EXT-X-TARGETDURATION:{snapshot.TargetSeconds}");
        if (isLowLatency)
        {
            var holdBack = snapshot.Packager.Options.HoldBackParts * snapshot.PartTargetMicros;
            Line(text, $"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={Seconds(holdBack)},CAN-SKIP-UNTIL={SkipTargets * snapshot.TargetSeconds}");
            Line(text, $"#EXT-X-PART-INF:PART-TARGET={Seconds(snapshot.PartTargetMicros)}");
        }

        var first = view.Segments.Length > 0 ? view.Segments[0] : view.Open;
        Line(text, $"#EXT-X-MEDIA-SEQUENCE:{first?.Number ?? view.NextSegment}");
        // The tag of a listed segment goes when the segment does (6.2.2).
        if (first is not null && first.Discontinuities > (first.IsBreak ? 1 : 0))
            Line(text, $"#EXT-X-DISCONTINUITY-SEQUENCE:{first.Discontinuities - (first.IsBreak ? 1 : 0)}");
        if (snapshot.Packager.Window.IsEvent)
            text.Append("#EXT-X-PLAYLIST-TYPE:EVENT\n");
        if (snapshot.Packager.IsStrict)
            text.Append("#EXT-X-INDEPENDENT-SEGMENTS\n");
    }

    private static void WriteSegments(StringBuilder text, HlsSnapshot snapshot, RenditionView view, bool isLowLatency, int skipped)
    {
        var fromEnd = view.DurationMicros;
        HlsSegment? before = null;
        for (var i = 0; i < view.Segments.Length; i++)
        {
            var segment = view.Segments[i];
            if (i >= skipped)
            {
                WriteOpening(text, snapshot, view, segment, before);
                // What lies further back is not worth the bytes: who joins there takes the segment.
                if (isLowLatency && fromEnd <= PartTargets * snapshot.TargetSeconds * 1_000_000)
                    WriteParts(text, snapshot, view, segment, segment.Parts.AsSpan(0, segment.PartCount));
                if (segment.IsGap)
                    text.Append("#EXT-X-GAP\n");
                Line(text, $"#EXTINF:{Seconds(segment.DurationMicros)},");
                text.Append(NameOf(snapshot.Packager, view.Id, segment)).Append('\n');
            }

            fromEnd -= segment.DurationMicros;
            before = segment;
        }

        if (isLowLatency && !snapshot.IsEnded && view.OpenParts > 0)
        {
            WriteOpening(text, snapshot, view, view.Open!, before);
            WriteParts(text, snapshot, view, view.Open!, view.PartsOfOpen);
        }
    }

    private static string NameOf(HlsPackager packager, RenditionId id, HlsSegment segment) =>
        packager.Ts is null ? HlsNames.Segment(id, segment.Number, segment.NameKey) : HlsNames.TsSegment(packager.Stream.Name, packager.Ts, segment.Name, segment.NameKey);

    /// <summary>What must come before a segment's first part (4.4.4).</summary>
    private static void WriteOpening(StringBuilder text, HlsSnapshot snapshot, RenditionView view, HlsSegment segment, HlsSegment? before)
    {
        if (segment.IsBreak)
            text.Append("#EXT-X-DISCONTINUITY\n");
        if (segment.Key >= 0 && segment.Key != before?.Key)
            Line(text, $"#EXT-X-KEY:METHOD=AES-128,URI=\"{HlsNames.ContentKey(snapshot.Packager.Stream.Name, snapshot.Packager.Ts!, segment.Key, segment.NameKey)}\"");
        if ((segment == view.Open ? view.OpenInit : segment.Init) is { } init && !init.IsSameAs(before?.Init))
            Line(text, $"#EXT-X-MAP:URI=\"{HlsNames.Init(view.Id, init, init.NameKey)}\"");
        Line(text, $"#EXT-X-PROGRAM-DATE-TIME:{DateTime.UnixEpoch.AddMicroseconds(segment.DateMicros):yyyy-MM-ddTHH:mm:ss.fffZ}");
    }

    private static void WriteParts(StringBuilder text, HlsSnapshot snapshot, RenditionView view, HlsSegment segment, ReadOnlySpan<HlsPart> parts)
    {
        for (var i = 0; i < parts.Length; i++)
        {
            Line(text, $"#EXT-X-PART:DURATION={Seconds(parts[i].DurationMicros)},URI=\"{HlsNames.Part(view.Id, segment.Number, i, segment.NameKeyOf(i))}\"");
            text.Length--;
            text.Append(parts[i].IsIndependent ? ",INDEPENDENT=YES" : "").Append(parts[i].IsGap ? ",GAP=YES" : "").Append('\n');
        }
    }

    private static void WriteHints(StringBuilder text, HlsSnapshot snapshot, RenditionView view)
    {
        var key = snapshot.Packager.Key;
        Line(text, $"#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{HlsNames.Part(view.Id, view.NextSegment, view.OpenParts, view.HintKey)}\"");
        foreach (var other in snapshot.Renditions)
        {
            if (other == view || other.IsEmpty)
                continue;
            var (segment, part) = other.Last;
            Line(text, $"#EXT-X-RENDITION-REPORT:URI=\"{HlsNames.MediaPlaylist(other.Id, key)}\",LAST-MSN={segment},LAST-PART={part}");
        }
    }

    /// <summary>Only segments that lie wholly behind the skip boundary (4.4.3.8).</summary>
    private static int CountSkipped(HlsSnapshot snapshot, RenditionView view)
    {
        var boundary = SkipTargets * snapshot.TargetSeconds * 1_000_000;
        var fromEnd = view.DurationMicros;
        var count = 0;
        while (count < view.Segments.Length && fromEnd - view.Segments[count].DurationMicros >= boundary)
            fromEnd -= view.Segments[count++].DurationMicros;
        return count;
    }
}
