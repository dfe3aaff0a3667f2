using Millrace.Conformance.Playlists;
using Millrace.Conformance.Record;

namespace Millrace.Conformance.Rules;

/// <summary>How a playlist may change (RFC 8216bis §6.2.1, §6.2.2).</summary>
internal static class UpdateRules
{
    /// <summary>§6.2.4: the same target duration and server control everywhere; §6.2.1: the target never changes.</summary>
    public static void SameEverywhere(History history, Findings findings)
    {
        var first = history.Renditions.FirstOrDefault(rendition => rendition.First is not null);
        foreach (var rendition in history.Renditions)
        {
            foreach (var version in rendition.Versions)
            {
                var (target, control) = (version.List.TargetDuration, version.List.ServerControl?.Canonical);
                findings.Check(target == first!.First!.TargetDuration, () => $"{rendition.Name}: TARGETDURATION:{target} in the answer to {version.Exchange}, {first.First.TargetDuration} in {first.Name} at first");
                var other = first.At(version.Exchange.HeadersAt)?.List ?? first.First;
                findings.Check(control == other.ServerControl?.Canonical, () => $"SERVER-CONTROL:{control} in {rendition.Name}, {other.ServerControl?.Canonical} in {first.Name}");
            }
        }
    }

    /// <summary>
    /// A segment comes within 1.5 target durations of the one before it, a part within one part target. A gap counts only when its end
    /// is known: the answer to a request that was held. While the publisher is disturbed the gaps are only measured.
    /// </summary>
    public static void Pace(History history, Findings findings)
    {
        foreach (var rendition in history.Renditions)
        {
            Pace(history, rendition, findings, "segment", list => list.LastMsn, 1.5 * rendition.TargetDuration);
            if (rendition.First?.PartTarget is { } target)
                Pace(history, rendition, findings, "part", list => (list.LastPart is { } last ? last.Msn << 20 | last.Part : -1), target);
        }
    }

    private static void Pace(History history, RenditionHistory rendition, Findings findings, string what, Func<MediaPlaylist, long> last, double limit)
    {
        Reload? before = null;
        foreach (var version in rendition.Versions)
        {
            if (before is not null && last(version.List) <= last(before.List))
                continue;
            if (before is not null && version.Asked is not null && version.Exchange.Held)
            {
                var (from, to) = (before.Exchange.HeadersAt, version.Exchange.HeadersAt);
                var disturbed = history.Disturbed(from, to);
                findings.Largest($"{what} gap{(disturbed ? " while disturbed" : "")}", (to - from).TotalSeconds, "s");
                if (!disturbed)
                    findings.Check((to - from).TotalSeconds <= limit + history.Tolerance.TotalSeconds, () => $"{rendition.Name}: no new {what} for {(to - from).TotalSeconds:0.###} s, limit {limit:0.###}, before {version.Exchange}");
            }

            before = version;
        }
    }

    /// <summary>Versions only append and remove in order, and the two sequence numbers count exactly what was removed.</summary>
    public static void Versions(History history, Findings findings)
    {
        foreach (var rendition in history.Renditions)
        {
            var versions = rendition.Versions.ToArray();
            for (var i = 1; i < versions.Length; i++)
            {
                var evidence = Difference(versions[i - 1].List, versions[i].List);
                var exchange = versions[i].Exchange;
                findings.Check(evidence is null, () => $"{rendition.Name}: {evidence}; {exchange}");
            }
        }
    }

    /// <summary>How <paramref name="now"/> breaks the rule; null when it does not.</summary>
    internal static string? Difference(MediaPlaylist before, MediaPlaylist now)
    {
        if (now.MediaSequence < before.MediaSequence)
            return $"MEDIA-SEQUENCE goes back from {before.MediaSequence} to {now.MediaSequence}";
        if (now.DiscontinuitySequence < before.DiscontinuitySequence)
            return $"DISCONTINUITY-SEQUENCE goes back from {before.DiscontinuitySequence} to {now.DiscontinuitySequence}";
        if (now.Next < before.Next)
            return $"the playlist goes back from {before.Next} to {now.Next}";
        if (before.Ended && !now.Ended)
            return "EXT-X-ENDLIST is gone";
        foreach (var old in before.AllSegments)
        {
            if (now.Segment(old.Msn) is { } same && Difference(old, same) is { } difference)
                return difference;
        }

        return null;
    }

    private static string? Difference(SegmentEntry old, SegmentEntry same)
    {
        if (old.Uri is not null && old.Identity != same.Identity)
            return $"segment {old.Msn} was {old.Identity} and is {same.Identity} (line {same.Line})";
        if (old.DiscontinuitySequence != same.DiscontinuitySequence)
            return $"the discontinuity sequence number of segment {old.Msn} was {old.DiscontinuitySequence} and is {same.DiscontinuitySequence}";
        var counts = old.Uri is null || same.Parts.Count == old.Parts.Count;
        if (old.Parts.Count > 0 && same.Parts.Count > 0 && (same.Parts.Count < old.Parts.Count || !counts))
            return $"segment {old.Msn} had {old.Parts.Count} parts and has {same.Parts.Count}";
        if (old.Uri is null && same.Uri is null && same.Parts.Count < old.Parts.Count)
            return $"segment {old.Msn} lost parts while it is open";
        for (var i = 0; i < Math.Min(old.Parts.Count, same.Parts.Count); i++)
        {
            if (old.Parts[i].Text != same.Parts[i].Text)
                return $"part {old.Parts[i]} is now {same.Parts[i]}";
        }

        return null;
    }

    /// <summary>
    /// §6.2.2: what removes a segment leaves at least three target durations. A playlist that slides has no EXT-X-PLAYLIST-TYPE.
    /// </summary>
    public static void Window(History history, Findings findings)
    {
        foreach (var rendition in history.Renditions)
        {
            MediaPlaylist? before = null;
            foreach (var version in rendition.Versions)
            {
                var list = version.List;
                if (before is not null && list.MediaSequence > before.MediaSequence)
                {
                    findings.Check(list.Duration >= (3 * list.TargetDuration) - 1e-3 || list.Ended, () => $"{rendition.Name}: {list.Duration:0.###} s left after segment {list.MediaSequence - 1} was removed; {version.Exchange}");
                    findings.Check(list.PlaylistType is null, () => $"{rendition.Name}: EXT-X-PLAYLIST-TYPE:{list.PlaylistType} although segments are removed");
                }

                before = list;
            }
        }
    }
}
