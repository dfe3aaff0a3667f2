namespace Millrace.Conformance.Mp4;

/// <summary>What the fragments of a part or segment hold of one track; times in seconds.</summary>
internal sealed record TrackSummary(uint Id, bool IsVideo)
{
    /// <summary>tfdt of the first fragment.</summary>
    public double Start { get; init; }

    /// <summary>Decode time after the last sample.</summary>
    public double End { get; init; }

    /// <summary>The sum of the samples' durations; a gap between fragments is not in it.</summary>
    public double Duration { get; init; }

    /// <summary>One unit of the track's timescale.</summary>
    public double Tick { get; init; }

    /// <summary>The earliest presentation time.</summary>
    public double Presented { get; init; }

    /// <summary>The largest difference between a fragment's tfdt and the end of the fragment before it.</summary>
    public double InnerJump { get; init; }

    public int Samples { get; init; }

    public bool StartsWithSync { get; init; }

    /// <summary>Presentation times of the samples marked as sync samples.</summary>
    public IReadOnlyList<double> Syncs { get; init; } = [];

    /// <summary>Samples marked as sync in which no IDR or IRAP picture is.</summary>
    public int FalseSyncs { get; init; }
}

/// <summary>What the rules need to know of a part's or segment's bytes, so that the bytes need not be kept.</summary>
internal sealed record MediaSummary(IReadOnlyList<TrackSummary> Tracks)
{
    /// <summary>The video track if there is one: it decides durations and independence.</summary>
    public TrackSummary? Main => Tracks.FirstOrDefault(track => track.IsVideo) ?? (Tracks.Count > 0 ? Tracks[0] : null);

    public static MediaSummary Parse(ReadOnlySpan<byte> bytes, InitSection init)
    {
        var tracks = new Dictionary<uint, TrackBuilder>();
        var reader = new BoxReader(bytes);
        while (reader.Next())
        {
            if (reader.Type == "moof")
                Fragment(reader.Body, bytes, reader.Start, init, tracks);
        }

        return tracks.Count > 0 ? new([.. tracks.Values.Select(track => track.Build())]) : throw new Mp4Exception("no moof");
    }

    private static void Fragment(ReadOnlySpan<byte> moof, ReadOnlySpan<byte> bytes, int start, InitSection init, Dictionary<uint, TrackBuilder> tracks)
    {
        var reader = new BoxReader(moof);
        while (reader.Next())
        {
            if (reader.Type != "traf")
                continue;
            var tfhd = BoxReader.Find(reader.Body, "tfhd");
            var id = BoxReader.U32(tfhd, 4);
            var track = init.Tracks.FirstOrDefault(t => t.Id == id) ?? throw new Mp4Exception($"track {id} is not in the initialization section");
            if (!tracks.TryGetValue(id, out var builder))
                tracks[id] = builder = new(track);
            builder.Add(reader.Body, tfhd, bytes, start);
        }
    }
}
