using System.Collections.Concurrent;
using System.Diagnostics;
using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd.Cluster;

/// <summary>Plays HTTP-FLV and notes when bytes come.</summary>
internal sealed class PacedViewer : IDisposable
{
    private static readonly HttpClient Http = new() { Timeout = Timeout.InfiniteTimeSpan };

    private readonly ConcurrentQueue<long> _arrivals = new();
    private readonly Stream _body;

    private PacedViewer(Stream body)
    {
        _body = body;
        // A thread of its own: what it measures is not to wait for others of this process.
        new Thread(Read) { IsBackground = true }.Start();
    }

    public bool HasEnded { get; private set; }

    public static async Task<PacedViewer> PlayAsync(MillraceServer server, string name) =>
        new(await Http.GetStreamAsync(server.Http($"live/{name}.flv"), TestContext.Current.CancellationToken));

    /// <summary>Times between two arrivals since a timestamp, milliseconds, the longest first; the time that has passed since the last one too.</summary>
    public IReadOnlyList<double> GapsSince(long timestamp)
    {
        long[] times = [timestamp, .. _arrivals.Where(time => time > timestamp), Stopwatch.GetTimestamp()];
        return [.. times.Zip(times.Skip(1), static (from, to) => Stopwatch.GetElapsedTime(from, to).TotalMilliseconds).OrderDescending()];
    }

    public void Dispose() => _body.Dispose();

    private void Read()
    {
        var buffer = new byte[64 << 10];
        try
        {
            while (_body.Read(buffer) > 0)
                _arrivals.Enqueue(Stopwatch.GetTimestamp());
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // Left, or reset.
        }

        HasEnded = true;
    }
}
