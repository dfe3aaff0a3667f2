using Millrace.Conformance.Record;

namespace Millrace.Conformance.Rules;

/// <summary>EXT-X-PROGRAM-DATE-TIME (RFC 8216bis §4.4.4.6, §6.2.1, §6.2.4).</summary>
internal static class TimeRules
{
    /// <summary>Between two dates of one playlist: rounding, and a wall clock that is slewed.</summary>
    private const double WithinMillis = 50;

    /// <summary>Between playlists: also a picture's place against an audio frame's, and reordering.</summary>
    private const double AcrossMillis = 100;

    public static void Dates(History history, Findings findings)
    {
        foreach (var rendition in history.Renditions)
        {
            foreach (var version in rendition.Versions.Where(version => version.List.Segments.Count > 0))
            {
                var list = version.List;
                findings.Check(list.AllSegments.Any(segment => segment.ProgramDateTime is not null), () => $"{rendition.Name}: no EXT-X-PROGRAM-DATE-TIME in the answer to {version.Exchange}");
                var bare = list.AllSegments.FirstOrDefault(segment => segment is { Discontinuity: true, ProgramDateTime: null });
                findings.Check(bare is null, () => $"{rendition.Name}: segment {bare!.Msn} (line {bare.Line}) has EXT-X-DISCONTINUITY but no EXT-X-PROGRAM-DATE-TIME");
            }

            Within(rendition, findings);
            Constant(rendition, findings);
        }

        Across(history, findings);
    }

    /// <summary>A segment's date is the date before it plus the duration before it.</summary>
    private static void Within(RenditionHistory rendition, Findings findings)
    {
        var segments = Seen.Of(rendition).Segments;
        foreach (var segment in segments.Values)
        {
            if (segment is not { ProgramDateTime: { } date, Uri: not null } || !segments.TryGetValue(segment.Msn + 1, out var next))
                continue;
            if (next is not { ProgramDateTime: { } following, Discontinuity: false })
                continue;
            var off = (following - date).TotalMilliseconds - (segment.Duration * 1000);
            findings.Largest("date against EXTINF", Math.Abs(off), "ms");
            findings.Check(Math.Abs(off) <= WithinMillis, () => $"{rendition.Name}: the date of segment {next.Msn} (line {next.Line}) is {off:0} ms off that of {segment.Msn} plus EXTINF:{segment.Duration}");
        }
    }

    private static void Constant(RenditionHistory rendition, Findings findings)
    {
        var dates = new Dictionary<long, DateTimeOffset>();
        foreach (var segment in rendition.Versions.SelectMany(version => version.List.AllSegments))
        {
            if (segment.ProgramDateTime is not { } date)
                continue;
            if (!dates.TryAdd(segment.Msn, date))
                findings.Check(dates[segment.Msn] == date, () => $"{rendition.Name}: the date of segment {segment.Msn} was {dates[segment.Msn]:O} and is {date:O}");
        }
    }

    /// <summary>The same media time has the same date in every playlist.</summary>
    private static void Across(History history, Findings findings)
    {
        var first = new Dictionary<(long Msn, long Discontinuity), (double Offset, string Name)>();
        foreach (var rendition in history.Renditions)
        {
            foreach (var segment in rendition.Segments)
            {
                if (segment is not { Entry.ProgramDateTime: { } date, Media.Main: { } track })
                    continue;
                var offset = (date.UtcTicks / 1e4) - (track.Presented * 1000);
                var key = (segment.Entry.Msn, segment.Entry.DiscontinuitySequence);
                if (first.TryAdd(key, (offset, rendition.Name)) || first[key].Name == rendition.Name)
                    continue;
                var off = Math.Abs(offset - first[key].Offset);
                findings.Largest("between playlists", off, "ms");
                findings.Check(off <= AcrossMillis, () => $"segment {segment.Entry.Msn}: media time and date differ by {off:0} ms between {rendition.Name} and {first[key].Name}");
            }
        }
    }
}
