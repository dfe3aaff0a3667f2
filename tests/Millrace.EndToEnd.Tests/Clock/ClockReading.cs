namespace Millrace.EndToEnd.Clock;

/// <summary>
/// A clock seen in a picture: when it was drawn and between which two moments it was seen, Unix milliseconds.
/// </summary>
internal readonly record struct ClockReading(long DrawnMillis, long SeenAfterMillis, long SeenBeforeMillis)
{
    /// <summary>The most that the latency can have been, in seconds: a screenshot takes time, and all of it is counted.</summary>
    public double LatencySeconds => (SeenBeforeMillis - DrawnMillis) / 1000.0;
}
