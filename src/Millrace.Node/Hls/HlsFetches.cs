using System.Collections.Concurrent;
using Millrace.Node.Relay;
using Millrace.Streams;
using Millrace.Streams.Hls;

namespace Millrace.Node.Hls;

/// <summary>The segments that are being brought from other nodes. Any thread.</summary>
internal sealed class HlsFetches
{
    private readonly ConcurrentDictionary<HlsSegment, HlsFetch> _running = new();

    public HlsFetch Begin(NodeContext node, LiveStream stream, HlsSegment segment, RelayObjectName name)
    {
        if (_running.TryGetValue(segment, out var running))
            return running;
        var fetch = new HlsFetch(this, stream, segment, name);
        running = _running.GetOrAdd(segment, fetch);
        if (running == fetch)
            node.Upstreams.Fetch(stream.Name, fetch);
        return running;
    }

    internal void Remove(HlsFetch fetch) => _running.TryRemove(fetch.Segment, out _);
}
