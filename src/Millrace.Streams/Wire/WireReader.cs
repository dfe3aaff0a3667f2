namespace Millrace.Streams.Wire;

internal enum WireSignal
{
    /// <summary>The publisher has said goodbye; the stream waits out its grace.</summary>
    Unpublished,

    /// <summary>An Era has begun of which this log's format can carry nothing.</summary>
    Unsupported,

    /// <summary>The Timeline has ended: the log gets no more bytes.</summary>
    Ended,

    /// <summary>No other node has the stream that was waited for.</summary>
    Missing,

    /// <summary>The node that publishes the stream here has gone without a word: it may come back, or publish elsewhere by now.</summary>
    Abandoned,
}

/// <summary>
/// One party that reads a wire log: a shard (for all its viewers of that log), a Kestrel response, a packager.
/// Its epoch slot is a position: blocks that end above <see cref="Passed"/> stay.
/// </summary>
internal abstract class WireReader
{
    /// <summary>The slot's value while its reader holds no position: it delays nobody.</summary>
    public const long Offline = long.MaxValue;

    private long _passed = Offline;

    /// <summary>Below this position the reader touches nothing any more. Set by the reader, read by the log's writer.</summary>
    public long Passed => Volatile.Read(ref _passed);

    /// <summary>Called by the log's writer, on its thread, after bytes were published. Must be short and must not throw.</summary>
    public abstract void OnCommitted();

    /// <summary>Something happened to the stream that is not in its bytes. Called on any thread; must be short and must not throw.</summary>
    public abstract void OnSignal(WireSignal signal);

    /// <summary>
    /// Moves the slot. The full fence orders it before the reader's next look at the floor: either the writer sees the
    /// slot and keeps the block, or the reader sees the new floor and keeps away from it.
    /// </summary>
    public void Publish(long position) => Interlocked.Exchange(ref _passed, position);
}
