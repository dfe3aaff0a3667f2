using Millrace.Streams.Log;

namespace Millrace.Streams.Hls;

/// <summary>What a media playlist is asked to leave out.</summary>
internal enum PlaylistForm
{
    Full,

    /// <summary><c>_HLS_skip=YES</c>: a delta update.</summary>
    Delta,

    /// <summary><c>_HLS_skip=v2</c>: the same, for a client of version 10.</summary>
    DeltaV2,

    /// <summary><c>_HLS_legacy=YES</c>: no tag of LL-HLS.</summary>
    Legacy,
}

/// <summary>
/// All playlists of a packager at one position of the log. Immutable, so that a reader sees renditions that belong
/// together; each playlist is written when it is first asked for, once for all who ask.
/// </summary>
/// <param name="packager">Whose.</param>
/// <param name="renditions">Its renditions.</param>
/// <param name="era">The Era of the newest units.</param>
/// <param name="partTargetMicros">PART-TARGET; 0 while it is unknown.</param>
/// <param name="targetSeconds">EXT-X-TARGETDURATION.</param>
/// <param name="isEnded">EXT-X-ENDLIST.</param>
internal sealed class HlsSnapshot(HlsPackager packager, RenditionView[] renditions, Era? era, long partTargetMicros, long targetSeconds, bool isEnded)
{
    private const int Forms = 4;

    private static long _serials;

    private readonly HlsDocument?[] _playlists = new HlsDocument?[renditions.Length * Forms];
    private HlsDocument? _master;
    private HlsDocument? _legacyMaster;

    /// <summary>No two snapshots have the same.</summary>
    public long Serial { get; } = Interlocked.Increment(ref _serials);

    public HlsPackager Packager { get; } = packager;

    public RenditionView[] Renditions { get; } = renditions;

    public Era? Era { get; } = era;

    public long PartTargetMicros { get; } = partTargetMicros;

    public long TargetSeconds { get; } = targetSeconds;

    public bool IsEnded { get; } = isEnded;

    /// <summary>
    /// A player can start: LL-HLS with the first part of each track (a track of which nothing comes has a GAP by then), MPEG-TS
    /// with the first segment.
    /// </summary>
    public bool IsPlayable => Packager.Format == HlsFormat.TransportStream
        ? Array.Exists(Renditions, static view => view.Segments.Length > 0)
        : PartTargetMicros > 0 && Renditions.Length > 0 && Array.TrueForAll(Renditions, view => !view.IsEmpty || TrackOf(view) is null);

    /// <summary>The track that goes on in the rendition; null where the Era has none.</summary>
    public Track? TrackOf(RenditionView view) =>
        Array.Find(Era?.Tracks ?? [], track => track.Kind == view.Id.Kind && track.WireId == view.Id.Number);

    /// <summary>Each request that waits asks for it, so without the closure that <see cref="Array.Find"/> takes.</summary>
    public RenditionView? Find(RenditionId id)
    {
        foreach (var view in Renditions)
        {
            if (view.Id == id)
                return view;
        }

        return null;
    }

    /// <summary>The multivariant playlist of LL-HLS; in the legacy form its playlists are, too.</summary>
    public HlsDocument Master(PlaylistForm form) => form == PlaylistForm.Legacy
        ? _legacyMaster ??= new HlsDocument(MultivariantPlaylist.Write(this, "?_HLS_legacy=YES"))
        : _master ??= new HlsDocument(MultivariantPlaylist.Write(this, ""));

    /// <summary>A part as it is published here; parts of segments that have left the playlist are complete.</summary>
    public bool TryFindPart(HlsSegment segment, RenditionId id, int number, out HlsPart part)
    {
        part = default;
        var parts = Find(id) is { } view && view.Open == segment ? view.PartsOfOpen
            : segment.IsSealed ? segment.Parts.AsSpan(0, segment.PartCount)
            : default;
        if (number >= parts.Length)
            return false;
        part = parts[number];
        return true;
    }

    public HlsDocument Playlist(RenditionView view, PlaylistForm form)
    {
        // Two requests at the same time may both write it, with the same result.
        ref var document = ref _playlists[(Array.IndexOf(Renditions, view) * Forms) + (int)form];
        return document ??= new HlsDocument(MediaPlaylist.Write(this, view, form));
    }
}
