using Millrace.Streams;
using Millrace.Streams.Hls;

namespace Millrace.Node.Hls;

/// <summary>One start of a packager, and the requests that wait for it.</summary>
internal sealed class HlsStart : IThreadPoolWorkItem
{
    private readonly HlsStarts _starts;
    private readonly LiveStream _stream;
    private readonly HlsFormat _format;
    private int _isThrough;

    public HlsStart(HlsStarts starts, LiveStream stream, HlsFormat format)
    {
        (_starts, _stream, _format) = (starts, stream, format);
        Waiters = new HlsWaiters(_ => Volatile.Read(ref _isThrough) == 1);
    }

    /// <summary>Whatever they wait for has happened when the start is through.</summary>
    public HlsWaiters Waiters { get; }

    public void Execute()
    {
        // Asked again, those who wait for one that failed would start the next at once: they wait for as long as they may.
        if (!_starts.TryRun(_stream, _format))
            return;
        Volatile.Write(ref _isThrough, 1);
        // Who waits looks at that after it has said so: one of the two sees the other.
        Interlocked.MemoryBarrier();
        Waiters.OnPublished();
    }
}
