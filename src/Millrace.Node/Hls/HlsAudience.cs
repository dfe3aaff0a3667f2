using System.Collections.Concurrent;
using System.Net;
using Millrace.Node.Metrics;
using Millrace.Streams;

namespace Millrace.Node.Hls;

/// <summary>
/// Who watches by HLS. A viewer of HLS has no connection of its own and no session, so it is whoever asked for a playlist or
/// a segment of the stream a short while ago: an address and an agent.
/// </summary>
internal sealed class HlsAudience
{
    /// <summary>Behind three target durations of 6 s a player has stopped, or has long been stalled.</summary>
    public const long PresentMicros = 18_000_000;

    /// <summary>Of one stream; more are not counted, for agents are made up by clients.</summary>
    public const int MaxViewers = 50_000;

    private readonly ConcurrentDictionary<(StreamName Stream, TrafficFormat Format), Viewers> _viewers = new();

    private int _waiting;

    /// <summary>Requests that wait for something to be published.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    public void AddWaiting(int count) => Interlocked.Add(ref _waiting, count);

    /// <summary>Two requests of one viewer have the same number.</summary>
    /// <param name="address">Of the viewer.</param>
    /// <param name="agent">User-Agent.</param>
    public static int ViewerOf(IPAddress? address, ReadOnlySpan<byte> agent)
    {
        var hash = new HashCode();
        hash.Add(address);
        hash.AddBytes(agent);
        return hash.ToHashCode();
    }

    /// <param name="stream">A stream that exists.</param>
    /// <param name="format">LL-HLS or MPEG-TS.</param>
    /// <param name="viewer">From <see cref="ViewerOf"/>.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    public void Note(StreamName stream, TrafficFormat format, int viewer, long now) =>
        _viewers.GetOrAdd((stream, format), static _ => new Viewers()).Note(viewer, now);

    public int Count(StreamName stream, TrafficFormat format) =>
        _viewers.TryGetValue((stream, format), out var viewers) ? viewers.Count : 0;

    public int Count(StreamName stream) => Count(stream, TrafficFormat.LlHls) + Count(stream, TrafficFormat.TsHls);

    /// <summary>Of all streams.</summary>
    public int Count(TrafficFormat format) => _viewers.Where(pair => pair.Key.Format == format).Sum(static pair => pair.Value.Count);

    /// <summary>Forgets who has not asked for a while.</summary>
    public void Sweep(long now)
    {
        foreach (var (key, viewers) in _viewers)
        {
            viewers.Sweep(now);
            if (viewers.Count == 0)
                _viewers.TryRemove(key, out _);
        }
    }

    /// <summary>Of one stream in one format. The dictionary's own Count takes all of its locks, and is asked for with each new viewer.</summary>
    private sealed class Viewers
    {
        private readonly ConcurrentDictionary<int, long> _seen = new();
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public void Note(int viewer, long now)
        {
            if (_seen.TryGetValue(viewer, out var before) && _seen.TryUpdate(viewer, now, before))
                return;
            if (Interlocked.Increment(ref _count) > MaxViewers || !_seen.TryAdd(viewer, now))
                Interlocked.Decrement(ref _count);
        }

        public void Sweep(long now)
        {
            foreach (var pair in _seen)
            {
                if (now - pair.Value > PresentMicros && _seen.TryRemove(pair))
                    Interlocked.Decrement(ref _count);
            }
        }
    }
}
