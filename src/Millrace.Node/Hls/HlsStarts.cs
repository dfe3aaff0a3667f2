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

    /// <summary>Packages, and tells when that is done; where another node decides, when that has told its playlists.</summary>
    internal void Run(LiveStream stream, HlsFormat format, Action onDone)
    {
        void End()
        {
            _running.TryRemove((stream, format), out _);
            onDone();
        }

        try
        {
            if (stream.UseHls(format, NodeClock.Micros, out _, End) is not null || !stream.CanStartHls(format, out _))
                End();
        }
        catch (Exception fault)
        {
            // On this thread it would end the process: other streams are not broken.
            logger.LogError(fault, "{Stream}: HLS could not be started", stream.Name);
            _running.TryRemove((stream, format), out _);
        }
    }
}
