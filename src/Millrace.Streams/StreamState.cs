namespace Millrace.Streams;

internal enum StreamState
{
    /// <summary>Nobody publishes; viewers may wait.</summary>
    Idle,

    Live,

    /// <summary>The publisher has gone; the Timeline waits for its return.</summary>
    Grace,
}
