namespace Millrace.Node.Hls;

/// <summary>A request that cannot be answered yet.</summary>
/// <param name="Waiters">Among whom it waits.</param>
/// <param name="Condition">What has to happen.</param>
/// <param name="LimitMicros">For how long at most: three target durations (RFC 8216bis 6.2.5.2).</param>
internal sealed record HlsWait(HlsWaiters Waiters, HlsCondition Condition, long LimitMicros);
