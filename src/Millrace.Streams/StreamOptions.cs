using Millrace.Streams.Buffers;
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
internal sealed record StreamResources(IBlockPool Pool, MemoryBudget Budget, StreamOptions Options);
