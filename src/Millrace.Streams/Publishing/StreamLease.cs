namespace Millrace.Streams.Publishing;

/// <summary>The exclusive right to append to a stream. A lease that has ended is refused, whatever it still brings.</summary>
internal abstract class StreamLease(PublisherInfo info, Action<string> onRevoked, long now) : IDisposable
{
    public PublisherInfo Info { get; } = info;

    /// <summary>Monotonic time of the last media, microseconds.</summary>
    public long LastArrived { get; protected set; } = now;

    internal Action<string> OnRevoked { get; } = onRevoked;

    /// <summary>Gives back what waited; the stream calls it when the lease has ended.</summary>
    public abstract void Dispose();
}
