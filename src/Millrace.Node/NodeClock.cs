using System.Diagnostics;

namespace Millrace.Node;

/// <summary>The node's monotonic clock, in microseconds. Its zero means nothing.</summary>
internal static class NodeClock
{
    public static long Micros => (long)(Stopwatch.GetTimestamp() * (1_000_000.0 / Stopwatch.Frequency));

    /// <summary>Unix time minus monotonic time, microseconds. Taken once at start: media time never follows a stepped clock.</summary>
    public static long UnixOffset { get; } = ((DateTimeOffset.UtcNow.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) / 10) - Micros;

    public static long UnixMicros => Micros + UnixOffset;
}
