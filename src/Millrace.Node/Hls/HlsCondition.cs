using Millrace.Streams.Hls;

namespace Millrace.Node.Hls;

internal enum HlsEvent
{
    /// <summary>The packager has been started, or was found impossible.</summary>
    Started,

    /// <summary>There is something to play.</summary>
    Playable,

    /// <summary>A playlist lists the segment, or the part.</summary>
    Listed,

    /// <summary>The hinted part exists, or will never exist.</summary>
    Decided,

    /// <summary>The object has come from another node, or is not to be had.</summary>
    Fetched,
}

/// <summary>What a request waits for.</summary>
/// <param name="Event">What happens.</param>
/// <param name="Rendition">In which rendition.</param>
/// <param name="Segment">Media sequence number.</param>
/// <param name="Part">Number in the segment; -1: the whole segment.</param>
internal readonly record struct HlsCondition(HlsEvent Event, RenditionId Rendition, long Segment, long Part)
{
    public static HlsCondition Started => new(HlsEvent.Started, default, 0, 0);

    public static HlsCondition Fetched => new(HlsEvent.Fetched, default, 0, 0);

    public static HlsCondition Playable => new(HlsEvent.Playable, default, 0, 0);

    public bool IsMet(HlsSnapshot snapshot)
    {
        if (snapshot.IsEnded)
            return true;
        if (Event == HlsEvent.Playable)
            return snapshot.IsPlayable;
        if (snapshot.Find(Rendition) is not { } view)
            return false;
        if (Event == HlsEvent.Decided)
            return view.NextSegment > Segment || (view.NextSegment == Segment && view.OpenParts > Part);
        return Part < 0 ? view.HasSegment(Segment) : view.HasPart(Segment, Part);
    }
}
