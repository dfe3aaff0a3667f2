namespace Millrace.Conformance.Playlists;

/// <summary>Something the strict parser does not accept; the line is counted from 1.</summary>
internal sealed record PlaylistProblem(int Line, string Text, string What)
{
    public override string ToString() => $"line {Line}: {What}: {Text}";
}

/// <summary>A sub-range of a resource, bytes; no length means to its end, which only a hint may say.</summary>
internal readonly record struct ByteRange(long Start, long? Length)
{
    /// <summary>The value of a Range header.</summary>
    public string Header => Length is { } length ? $"bytes={Start}-{Start + length - 1}" : $"bytes={Start}-";
}

/// <summary>EXT-X-MAP (RFC 8216bis §4.4.4.5).</summary>
internal sealed record MapEntry(Uri Uri, ByteRange? Range);

/// <summary>EXT-X-PART (§4.4.4.9). Durations are seconds.</summary>
internal sealed record PartEntry(long Msn, int Index, double Duration, Uri Uri)
{
    public bool Independent { get; init; }

    public bool Gap { get; init; }

    public ByteRange? Range { get; init; }

    /// <summary>What a unit of the last digit of <see cref="Duration"/> is worth.</summary>
    public double Place { get; init; }

    public int Line { get; init; }

    public string Text { get; init; } = "";

    public override string ToString() => $"{Msn}.{Index} (line {Line}: {Text})";
}

/// <summary>A Media Segment, or, while it has no URI line yet, the parent of the parts at the end of the playlist.</summary>
internal sealed record SegmentEntry
{
    public required long Msn { get; init; }

    /// <summary>EXTINF, seconds; 0 while it is open.</summary>
    public double Duration { get; init; }

    /// <summary>What a unit of the last digit of <see cref="Duration"/> is worth.</summary>
    public double Place { get; init; }

    /// <summary>Null while it is open.</summary>
    public Uri? Uri { get; init; }

    public ByteRange? Range { get; init; }

    public IReadOnlyList<PartEntry> Parts { get; init; } = [];

    /// <summary>The EXT-X-MAP that applies; null before the first.</summary>
    public MapEntry? Map { get; init; }

    /// <summary>The EXT-X-KEY that applies, as it stands; null before the first.</summary>
    public string? Key { get; init; }

    /// <summary>Its own EXT-X-PROGRAM-DATE-TIME.</summary>
    public DateTimeOffset? ProgramDateTime { get; init; }

    public bool Discontinuity { get; init; }

    /// <summary>EXT-X-DISCONTINUITY-SEQUENCE plus the EXT-X-DISCONTINUITY tags up to this segment.</summary>
    public long DiscontinuitySequence { get; init; }

    public bool Gap { get; init; }

    /// <summary>The URI line, or the first tag's.</summary>
    public int Line { get; init; }

    /// <summary>KEY, MAP, PROGRAM-DATE-TIME and DISCONTINUITY tags that come after its first part.</summary>
    public IReadOnlyList<string> LateTags { get; init; } = [];

    public double PartsDuration => Parts.Sum(part => part.Duration);

    /// <summary>What must not change while it is in the playlist.</summary>
    public string Identity => $"{Uri} {Range} EXTINF {Duration} {(Discontinuity ? "DISCONTINUITY " : "")}{(Gap ? "GAP " : "")}KEY {Key} MAP {Map?.Uri} {Map?.Range}";
}

/// <summary>EXT-X-PRELOAD-HINT (§4.4.5.3).</summary>
internal sealed record HintEntry(string Type, Uri Uri, long Start, long? Length, int Line, string Text)
{
    /// <summary>Whether it hints at a sub-range.</summary>
    public bool IsRange => Start > 0 || Length is not null;
}

/// <summary>EXT-X-RENDITION-REPORT (§4.4.5.4).</summary>
internal sealed record ReportEntry(string RawUri, Uri Uri, long? LastMsn, long? LastPart, int Line, string Text);

/// <summary>EXT-X-SKIP (§4.4.5.2).</summary>
internal sealed record SkipEntry(long Segments, string? RemovedDateRanges, int Line);

/// <summary>A place in a playlist: a part index within a Media Sequence Number.</summary>
internal readonly record struct Position(long Msn, long Part) : IComparable<Position>
{
    public int CompareTo(Position other) => Msn != other.Msn ? Msn.CompareTo(other.Msn) : Part.CompareTo(other.Part);

    public static bool operator <(Position left, Position right) => left.CompareTo(right) < 0;

    public static bool operator >(Position left, Position right) => left.CompareTo(right) > 0;

    public static bool operator <=(Position left, Position right) => left.CompareTo(right) <= 0;

    public static bool operator >=(Position left, Position right) => left.CompareTo(right) >= 0;

    public override string ToString() => $"{Msn}.{Part}";
}
