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
    private const long PresentMicros = 18_000_000;

    /// <summary>Of one stream; more are not counted, for agents are made up by clients.</summary>
    private const int MaxViewers = 50_000;

    private readonly ConcurrentDictionary<(StreamName Stream, TrafficFormat Format), ConcurrentDictionary<int, long>> _viewers = new();

    /// <param name="stream">A stream that exists.</param>
    /// <param name="format">LL-HLS or MPEG-TS.</param>
    /// <param name="address">Of the viewer.</param>
    /// <param name="agent">User-Agent.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    public void Note(StreamName stream, TrafficFormat format, IPAddress? address, string agent, long now)
    {
        var viewers = _viewers.GetOrAdd((stream, format), static _ => new ConcurrentDictionary<int, long>());
        var viewer = HashCode.Combine(address, agent);
        if (viewers.ContainsKey(viewer) || viewers.Count < MaxViewers)
            viewers[viewer] = now;
    }

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
            foreach (var (viewer, seen) in viewers)
            {
                if (now - seen > PresentMicros)
                    viewers.TryRemove(new KeyValuePair<int, long>(viewer, seen));
            }

            if (viewers.IsEmpty)
                _viewers.TryRemove(key, out _);
        }
    }
}
