using Millrace.Streams.Hls;

namespace Millrace.Node.Settings;

/// <summary>HLS (RFC 8216bis): low-latency HLS and, below it, HLS with MPEG-TS segments. An app's own values: <see cref="HlsOverrides"/>.</summary>
internal sealed record HlsSettings
{
    /// <summary>The most that <see cref="Segments"/> may be.</summary>
    public const int MostSegments = HlsOptions.MostSegments;

    /// <summary>Serve HLS; default true.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Target duration of a part (PART-TARGET), rounded up to whole frames; default 500 ms; 100 ms to 2 s.</summary>
    public TimeSpan Part { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Target duration of a segment; default 6 s (Apple's HLS authoring specification, 7.5); 1 s to 30 s.</summary>
    public TimeSpan Segment { get; init; } = TimeSpan.FromSeconds(6);

    /// <summary>Segments in a playlist, but never less than three target durations (RFC 8216bis, 6.2.2); default 10; 3 to 10,000.</summary>
    public int Segments { get; init; } = 10;

    /// <summary>PART-HOLD-BACK in parts; default 3, which is also the least that players are to be given (RFC 8216bis, 4.4.3.8); 3 to 20.</summary>
    public int HoldBack { get; init; } = 3;

    /// <summary>When packaging begins; default with the first request.</summary>
    public HlsWarm Warm { get; init; } = HlsWarm.Demand;

    /// <summary>Packaging on demand stops when nobody has asked for this long; default 60 s; at least 5 s.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Whether every segment must begin with a key frame; default any.</summary>
    public HlsKeyframes Keyframes { get; init; } = HlsKeyframes.Any;

    public TsHlsSettings Ts { get; init; } = new();
}

internal enum HlsWarm
{
    /// <summary>From the first request on, until <see cref="HlsSettings.Idle"/>.</summary>
    Demand,

    /// <summary>From a stream's first frame to its last.</summary>
    Always,
}

internal enum HlsKeyframes
{
    /// <summary>A segment that grows too long is cut without a key frame.</summary>
    Any,

    /// <summary>Every segment begins with an IDR, a source that breaks it is reported, and EXT-X-INDEPENDENT-SEGMENTS is announced.</summary>
    Strict,
}
