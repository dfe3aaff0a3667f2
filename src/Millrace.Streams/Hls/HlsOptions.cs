using Millrace.Streams.Cuts;

namespace Millrace.Streams.Hls;

/// <summary>How the streams of an app are packaged for HLS. Times in microseconds.</summary>
internal sealed record HlsOptions
{
    /// <summary>The most that settings allow: a playlist of that many segments is some 600 KB of text.</summary>
    public const int MostSegments = 10_000;

    /// <summary>False: neither LL-HLS nor MPEG-TS HLS.</summary>
    public bool IsEnabled { get; init; } = true;

    public CutRule Cuts { get; init; } = new();

    /// <summary>Segments in a playlist, unless that is less than three target durations.</summary>
    public int Segments { get; init; } = 10;

    /// <summary>PART-HOLD-BACK in part targets; at least 3 (Apple's authoring specification).</summary>
    public int HoldBackParts { get; init; } = 3;

    /// <summary>Package from the first frame on; else from the first request on.</summary>
    public bool IsWarm { get; init; }

    /// <summary>Packaging stops when nobody has asked for so long.</summary>
    public long IdleMicros { get; init; } = 60_000_000;

    /// <summary>MPEG-TS HLS; null: not offered.</summary>
    public TsOptions? Ts { get; init; } = new();
}

/// <summary>What is particular to MPEG-TS HLS.</summary>
internal sealed record TsOptions
{
    /// <summary>Cuts of its own; null: those of LL-HLS.</summary>
    public CutRule? Cuts { get; init; }

    /// <summary>Media time in a playlist; 0: as many segments as LL-HLS has.</summary>
    public long WindowMicros { get; init; }

    /// <summary>EXT-X-PLAYLIST-TYPE:EVENT: nothing is removed.</summary>
    public bool IsEvent { get; init; }

    /// <summary>Removed segments stay fetchable until the memory is needed.</summary>
    public bool KeepsRemoved { get; init; }

    /// <summary>AES-128 (RFC 8216bis 4.4.4.4).</summary>
    public bool IsEncrypted { get; init; }

    /// <summary>Segments that share a content key; 0: one key for each Era.</summary>
    public int SegmentsPerKey { get; init; }

    /// <summary><c>NAME-N.ts</c> without the Timeline's key: a name can mean two things, so it is not to be cached.</summary>
    public bool HasPlainNames { get; init; }

    /// <summary><c>NAME/index.m3u8</c> and <c>NAME/N.ts</c>.</summary>
    public bool IsNested { get; init; }
}
