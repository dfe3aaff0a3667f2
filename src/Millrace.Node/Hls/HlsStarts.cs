using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Millrace.Streams;
using Millrace.Streams.Hls;

namespace Millrace.Node.Hls;

/// <summary>
/// The packagers that are being started, each by a pool thread: it packages all that the log holds, which would keep a shard's
/// other viewers waiting. Any thread.
/// </summary>
internal sealed class HlsStarts(ILogger logger)
{
    private readonly ConcurrentDictionary<(LiveStream Stream, HlsFormat Format), HlsStart> _running = new();

    /// <summary>Starts a packager, once for all who ask meanwhile.</summary>
    /// <param name="stream">A stream that has no packager of the form, or one that nobody has asked for.</param>
    /// <param name="format">Which form.</param>
    public HlsStart Begin(LiveStream stream, HlsFormat format)
    {
        if (_running.TryGetValue((stream, format), out var running))
            return running;
        var start = new HlsStart(this, stream, format);
        running = _running.GetOrAdd((stream, format), start);
        if (running == start)
            ThreadPool.UnsafeQueueUserWorkItem(start, preferLocal: false);
        return running;
    }

    /// <summary>Packages; false when that failed.</summary>
    internal bool TryRun(LiveStream stream, HlsFormat format)
    {
        try
        {
            stream.UseHls(format, NodeClock.Micros, out _);
            return true;
        }
        catch (Exception fault)
        {
            // On this thread it would end the process: other streams are not broken.
            logger.LogError(fault, "{Stream}: HLS could not be started", stream.Name);
            return false;
        }
        finally
        {
            _running.TryRemove((stream, format), out _);
        }
    }
}
