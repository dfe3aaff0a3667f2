using Millrace.Streams.Buffers;
using Millrace.Streams.Hls;
using Millrace.Streams.Log;
using Millrace.Streams.Wire;

namespace Millrace.Streams;

/// <summary>What a second publisher of a live name meets.</summary>
internal enum DuplicatePolicy
{
    /// <summary>The holder stays, unless it has been silent for 2 s.</summary>
    Reject,

    /// <summary>The newcomer takes over with its first key frame.</summary>
    Takeover,
}

/// <summary>How streams behave. Times in microseconds.</summary>
internal sealed record StreamOptions
{
    /// <summary>How long a track set stays open after its first key frame.</summary>
    public long SettleMicros { get; init; } = 300_000;

    /// <summary>How far audio counted by samples may leave the sender's clock before it is rebased.</summary>
    public long AudioToleranceMicros { get; init; } = 20_000;

    /// <summary>A holder that has been silent for this long loses to a newcomer whatever the policy.</summary>
    public long SilentHolderMicros { get; init; } = 2_000_000;

    /// <summary>How long a wire log without a reader is kept.</summary>
    public long WireLingerMicros { get; init; } = 10_000_000;

    public LogLimits LogLimits { get; init; } = new(KeepMicros: 2_000_000, KeepBytes: 64 << 20);

    public WireLimits WireLimits { get; init; } = new(KeepMillis: 10_000, KeepBytes: 32 << 20);

    /// <summary>Payload bytes of each RTMP chunk that is sent to players.</summary>
    public int RtmpChunkSize { get; init; } = 60_000;

    /// <summary>Unix time minus monotonic time, microseconds, taken once at start.</summary>
    public long UnixOffsetMicros { get; init; }
}

/// <summary>What all streams of a node share.</summary>
internal sealed record StreamResources(IBlockPool Pool, MemoryBudget Budget, StreamOptions Options)
{
    private static readonly HlsOptions DefaultHls = new();

    /// <summary>This node's id in the cluster.</summary>
    public string Node { get; init; } = "node";

    /// <summary>HLS as it is set for the stream's app.</summary>
    public Func<StreamName, HlsOptions> Hls { get; init; } = static _ => DefaultHls;

    /// <summary>Tells whoever runs the node of something that the stream's publisher should know; inside the stream's lock.</summary>
    public Action<StreamName, string> Report { get; init; } = static (_, _) => { };

    /// <summary>A stream is live that others can have here, or is no more; inside the stream's lock.</summary>
    public Action<StreamName, bool> Owns { get; set; } = static (_, _) => { };

    /// <summary>
    /// Frees media memory, of other streams too, for the stream that has found none; false when there was nothing to free. Takes the
    /// stream, whose lock the caller holds, monotonic time in microseconds, and how many bytes would be enough.
    /// </summary>
    public Func<LiveStream, long, long, bool> Shed { get; set; } = Shedder.TryShedOwn;
}

/// <summary>What goes first when the media memory is used up.</summary>
internal enum ShedLevel
{
    /// <summary>Packagers that nobody reads and nobody is about to ask.</summary>
    Idle,

    /// <summary>Segments that no playlist lists any more.</summary>
    Retained,

    /// <summary>Playlists, down to three target durations.</summary>
    Windows,

    /// <summary>Stream logs and wire logs, down to what a viewer joins by: the newest key frame and what follows it.</summary>
    Logs,
}
