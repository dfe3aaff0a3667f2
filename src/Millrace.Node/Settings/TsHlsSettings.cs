namespace Millrace.Node.Settings;

/// <summary>HLS with MPEG-TS segments, as far as it differs from <see cref="HlsSettings"/>. An app's own values: <see cref="TsHlsOverrides"/>.</summary>
internal sealed record TsHlsSettings
{
    /// <summary>Serve it; default true.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>
    /// Duration of a segment; null (<c>auto</c>, the default) is <see cref="HlsSettings.Segment"/> with its cuts; 100 ms to 5 min.
    /// Restreamer-Edge: 2 s.
    /// </summary>
    public TimeSpan? Fragment { get; init; }

    /// <summary>
    /// Duration of a playlist; null (<c>auto</c>, the default) is <see cref="HlsSettings.Segments"/> fragments; at least 1 s, at
    /// most 10,000 fragments. Restreamer-Edge: 60 s.
    /// </summary>
    public TimeSpan? PlaylistLength { get; init; }

    /// <summary>Where a segment ends; default auto. Restreamer-Edge: after.</summary>
    public TsCut Cut { get; init; } = TsCut.Auto;

    /// <summary>What a segment's length counts from; default plain.</summary>
    public TsSlicing Slicing { get; init; } = TsSlicing.Plain;

    /// <summary>Whether segments leave the playlist; default live.</summary>
    public TsPlaylistType Type { get; init; } = TsPlaylistType.Live;

    /// <summary>What the number in a segment's name is; default sequential.</summary>
    public TsNaming Naming { get; init; } = TsNaming.Sequential;

    /// <summary>The number in a name is rounded down to a multiple of this; default 0: it is not.</summary>
    public int Granularity { get; init; }

    /// <summary>Whether names carry a key of the Timeline; default keyed. Restreamer-Edge: plain.</summary>
    public TsNames Names { get; init; } = TsNames.Keyed;

    /// <summary><c>NAME/index.m3u8</c> and <c>NAME/N.ts</c> in place of <c>NAME.m3u8</c> and <c>NAME-N.ts</c>; default false.</summary>
    public bool Nested { get; init; }

    /// <summary>Numbering goes on over a restart; default false.</summary>
    public bool Continuous { get; init; }

    /// <summary>Segments that left the playlist are dropped; default true. False: they can be fetched until their memory is needed.</summary>
    public bool Cleanup { get; init; } = true;

    /// <summary>Segments are encrypted with AES-128 (RFC 8216bis, 4.4.4.4); default false.</summary>
    public bool Encrypt { get; init; }

    /// <summary>Segments that share a key; default 0: one key for a whole publication.</summary>
    public int FragmentsPerKey { get; init; }
}

internal enum TsCut
{
    /// <summary>Never longer than the target, where key frames allow.</summary>
    Auto,

    /// <summary>At the first key frame at or after the fragment's length (nginx-rtmp's rule).</summary>
    After,
}

internal enum TsSlicing
{
    /// <summary>From the segment's own beginning.</summary>
    Plain,

    /// <summary>From multiples of the fragment's length, so that several packagers of one stream cut alike.</summary>
    Aligned,
}

internal enum TsPlaylistType
{
    /// <summary>The playlist is a window.</summary>
    Live,

    /// <summary>The playlist keeps everything (EXT-X-PLAYLIST-TYPE:EVENT): players begin at the start.</summary>
    Event,
}

internal enum TsNaming
{
    /// <summary>Counted from 0.</summary>
    Sequential,

    /// <summary>Media time at the segment's beginning, in ticks of 90 kHz.</summary>
    Timestamp,

    /// <summary>Wall clock at the segment's beginning, milliseconds.</summary>
    System,
}

internal enum TsNames
{
    /// <summary><c>NAME-KEY-N.ts</c>: a name never means two things, so it may be cached for ever.</summary>
    Keyed,

    /// <summary><c>NAME-N.ts</c>, as nginx-rtmp has it; not to be cached.</summary>
    Plain,
}
