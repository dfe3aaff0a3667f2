using System.Collections.Concurrent;
using Millrace.Node.Relay;
using Millrace.Streams;
using Millrace.Streams.Hls;

namespace Millrace.Node.Hls;

/// <summary>The segments that are being brought from other nodes. Any thread.</summary>
internal sealed class HlsFetches
{
    private readonly ConcurrentDictionary<HlsSegment, HlsFetch> _running = new();
    private long _brought;
    private long _failed;
    private long _bytes;

    /// <summary>Segments that came, since the start.</summary>
    public long Brought => Interlocked.Read(ref _brought);

    /// <summary>Those that did not.</summary>
    public long Failed => Interlocked.Read(ref _failed);

    /// <summary>Bytes of those that came.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    public HlsFetch Begin(NodeContext node, LiveStream stream, HlsSegment segment, RelayObjectName name)
    {
        if (_running.TryGetValue(segment, out var running))
            return running;
        var fetch = new HlsFetch(this, stream, segment, name);
        running = _running.GetOrAdd(segment, fetch);
        if (running != fetch)
            return running;
        // Looked at again: it may have come since the caller looked, and the fetch that brought it be over.
        if (segment.IsAway)
            node.Upstreams.Fetch(stream.Name, fetch);
        else
            fetch.Forgo();
        return fetch;
    }

    /// <summary>There was nothing to bring.</summary>
    internal void Forget(HlsFetch fetch) => _running.TryRemove(fetch.Segment, out _);

    internal void Remove(HlsFetch fetch, bool isBrought)
    {
        if (!_running.TryRemove(fetch.Segment, out _))
            return;
        Interlocked.Increment(ref (isBrought ? ref _brought : ref _failed));
        if (isBrought)
            Interlocked.Add(ref _bytes, fetch.Segment.Length);
    }
}
