using Millrace.Conformance.Playlists;

namespace Millrace.Conformance.Record;

/// <summary>What a request that the followers would not make was to find out.</summary>
internal enum ProbeKind
{
    /// <summary>A directive that is malformed, repeated or too large, or _HLS_part alone.</summary>
    BadDirective,

    /// <summary>An unknown _HLS_ directive.</summary>
    UnknownDirective,

    /// <summary>A place so far ahead that it is refused.</summary>
    TooFar,

    /// <summary>A place ahead that is just near enough.</summary>
    NearEnough,

    /// <summary>A place that is already in the playlist, or was.</summary>
    Past,

    /// <summary>_HLS_msn of the segment in progress, without _HLS_part.</summary>
    MsnAlone,

    /// <summary>The same directives in another order; <see cref="Probe.Reference"/> has the usual order.</summary>
    Order,

    /// <summary>A delta update; <see cref="Probe.Base"/> came before it, <see cref="Probe.Full"/> after it.</summary>
    Delta,

    /// <summary>_HLS_legacy=YES; <see cref="Probe.Full"/> came after it.</summary>
    Legacy,

    /// <summary>With Accept-Encoding: gzip; <see cref="Probe.Reference"/> is the same without.</summary>
    Gzip,

    /// <summary>HEAD; <see cref="Probe.Reference"/> is the GET.</summary>
    Head,

    /// <summary>If-None-Match with the ETag of <see cref="Probe.Reference"/>.</summary>
    Conditional,

    /// <summary>A satisfiable range; <see cref="Probe.Reference"/> is the whole.</summary>
    Range,

    /// <summary>A range beyond the end.</summary>
    BadRange,

    /// <summary>A name that nothing has and no hint gives.</summary>
    UnknownName,

    /// <summary>A segment that left the playlist.</summary>
    RemovedSegment,

    /// <summary>A part that left the playlist.</summary>
    DroppedPart,

    /// <summary>Directives on a playlist that has ended.</summary>
    Ended,

    /// <summary>A plain load.</summary>
    Plain,

    /// <summary>A quick request while another on the same HTTP/2 connection was held; <see cref="Probe.Reference"/> is that one.</summary>
    Multiplexed,

    /// <summary>The same URL over HTTP/1.1.</summary>
    OldProtocol,
}

/// <summary>A probe and its answer.</summary>
internal sealed record Probe(ProbeKind Kind, Exchange Exchange)
{
    /// <summary>The rendition; null for the Multivariant Playlist.</summary>
    public Uri? Rendition { get; init; }

    /// <summary>"playlist", "segment", "part", "init" or "multivariant".</summary>
    public string Subject { get; init; } = "playlist";

    public Position? Asked { get; init; }

    /// <summary>The newest playlist when it was asked.</summary>
    public MediaPlaylist? Known { get; init; }

    /// <summary>The newest playlist after the answer.</summary>
    public MediaPlaylist? Later { get; init; }

    /// <summary>The answer, when it is a playlist.</summary>
    public MediaPlaylist? Answer { get; init; }

    public MediaPlaylist? Base { get; init; }

    public MediaPlaylist? Full { get; init; }

    public Exchange? Reference { get; init; }

    /// <summary>For what was removed: how long it has been gone, and how long it must stay.</summary>
    public TimeSpan Gone { get; init; }

    public TimeSpan MustStay { get; init; }
}
