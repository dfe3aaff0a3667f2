using Millrace.Streams.Log;
using Millrace.Streams.Wire;

namespace Millrace.Streams.Packaging;

/// <summary>
/// Turns a stream's log into the messages of one wire log. Runs on the publisher's thread, inside the stream's lock; each entry of the
/// log is told once, in the log's order.
/// </summary>
internal abstract class WirePackager(LiveStream stream, WireKey key)
{
    public WireLog Wire { get; } = new(
        key, stream.Resources.Pool, stream.Resources.Budget[Buffers.MemoryUse.WireLogs], stream.Resources.Options.WireLimits, stream.Resources.Options.RtmpChunkSize);

    /// <summary>Monotonic time at which the last reader left, microseconds.</summary>
    public long IdleSince { get; set; }

    /// <summary>The stream has ended it: it may be called once more by who is just going through all packagers.</summary>
    public bool IsStopped { get; set; }

    protected LiveStream Stream { get; } = stream;

    /// <summary>What the format cannot carry of an Era of which it can carry nothing; null: there is something.</summary>
    public abstract string? WhyEmpty();

    /// <summary>Writes what the log holds from its join point on, as it would have been written when it came.</summary>
    public abstract void BackFill(StreamLog log);

    public abstract void OnEra(Era era);

    public abstract void OnConfig(in LogEntry entry, StreamLog log);

    public abstract void OnUnit(in LogEntry entry, StreamLog log);

    /// <summary>The stream's metadata have changed; the message itself, if there is one, comes as a unit.</summary>
    public abstract void OnMetadata();

    public virtual void OnMark(in LogEntry entry, StreamLog log)
    {
    }

    /// <summary>Another node decides from here on.</summary>
    public virtual void OnFork()
    {
    }

    /// <summary>The publisher has gone; it may come back.</summary>
    public virtual void OnPause(in LogEntry entry) => Wire.MarkIdle();

    /// <summary>What is cheaper to lose goes before this log's own past does; but nothing of others for a log that nobody reads.</summary>
    protected void MakeRoom(long length, bool isJoinPoint, long now)
    {
        if (Wire.Readers.Length == 0 || (Wire.AwaitsJoinPoint && !isJoinPoint))
            return;
        while (!Wire.Bytes.TryReserve(length) && Stream.Resources.Shed(Stream, now, length))
        {
        }
    }
}
