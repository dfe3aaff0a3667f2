namespace Millrace.Conformance.Playlists;

/// <summary>One version of a Media Playlist, as it was received. Durations are seconds.</summary>
internal sealed record MediaPlaylist
{
    public string Text { get; init; } = "";

    public IReadOnlyList<PlaylistProblem> Problems { get; init; } = [];

    /// <summary>Tags that the specification does not have: allowed, but worth a word.</summary>
    public IReadOnlyList<string> UnknownTags { get; init; } = [];

    /// <summary>1 when there is no EXT-X-VERSION.</summary>
    public int Version { get; init; } = 1;

    public long TargetDuration { get; init; }

    public double? PartTarget { get; init; }

    /// <summary>The attributes of EXT-X-SERVER-CONTROL; null without the tag.</summary>
    public AttributeList? ServerControl { get; init; }

    public long MediaSequence { get; init; }

    public long DiscontinuitySequence { get; init; }

    public string? PlaylistType { get; init; }

    public bool Ended { get; init; }

    public bool IndependentSegments { get; init; }

    public SkipEntry? Skip { get; init; }

    /// <summary>Complete segments, those with a URI line.</summary>
    public IReadOnlyList<SegmentEntry> Segments { get; init; } = [];

    /// <summary>The segment in progress; null when nothing of it is in the playlist yet.</summary>
    public SegmentEntry? Open { get; init; }

    public IReadOnlyList<HintEntry> Hints { get; init; } = [];

    public IReadOnlyList<ReportEntry> Reports { get; init; } = [];

    /// <summary>The lowest EXT-X-VERSION that its tags and attributes allow (§8), and why.</summary>
    public (int Version, string Reason) Needed { get; init; } = (1, "nothing");

    public IEnumerable<SegmentEntry> AllSegments => Open is null ? Segments : Segments.Append(Open);

    public IEnumerable<PartEntry> Parts => AllSegments.SelectMany(segment => segment.Parts);

    /// <summary>The sequence number that the next complete segment will have.</summary>
    public long OpenMsn => MediaSequence + (Skip?.Segments ?? 0) + Segments.Count;

    public long LastMsn => OpenMsn - 1;

    /// <summary>The place of the part that comes next: what a client asks for.</summary>
    public Position Next => new(OpenMsn, Open?.Parts.Count ?? 0);

    /// <summary>The last part, or null when no part stands at the end.</summary>
    public Position? LastPart => Open is { Parts.Count: > 0 } ? new(OpenMsn, Open.Parts.Count - 1)
        : Segments is [.., { Parts.Count: > 0 } last] ? new(last.Msn, last.Parts.Count - 1) : null;

    /// <summary>The sum of its segments' durations (§6.2.2): the parts at the end do not count.</summary>
    public double Duration => Segments.Sum(segment => segment.Duration);

    /// <summary>CAN-SKIP-UNTIL; null when delta updates are not offered.</summary>
    public double? SkipBoundary => ServerControl?.Seconds("CAN-SKIP-UNTIL");

    /// <summary>
    /// Whether the part, or a later one, is here (§6.2.5.2): a part beyond the last of its segment is part 0 of the next segment.
    /// Null when the playlist cannot tell, as the segment's parts are no longer listed.
    /// </summary>
    public bool? Has(Position asked)
    {
        if (OpenMsn > asked.Msn + 1 || (OpenMsn == asked.Msn + 1 && Open is { Parts.Count: > 0 }))
            return true;
        if (OpenMsn == asked.Msn)
            return (Open?.Parts.Count ?? 0) > asked.Part;
        if (OpenMsn < asked.Msn)
            return false;
        var parts = Segments.Count > 0 ? Segments[^1].Parts.Count : 0;
        return parts == 0 ? null : asked.Part < parts;
    }

    public SegmentEntry? Segment(long msn)
    {
        var index = msn - MediaSequence - (Skip?.Segments ?? 0);
        return index >= 0 && index < Segments.Count ? Segments[(int)index] : index == Segments.Count ? Open : null;
    }
}
