using Millrace.Bench.Latency;
using Millrace.Bench.Rtmp;

namespace Millrace.Bench.Crowds;

/// <summary>Publishes the clip by RTMP in real time from a thread of its own; each picture holds its send time.</summary>
internal sealed class StampedPublisher : IDisposable
{
    private const int HeadStartMs = 1500; // a second of stream, so that the first viewers find it
    private readonly TimedPath _path;

    private StampedPublisher(TimedPath path) => _path = path;

    /// <summary>Why it ended; null while it sends.</summary>
    public string? Fault => _path.Fault;

    public static StampedPublisher Start(string clip, int port, string app, string name)
    {
        var path = new TimedPath("publisher", StampedClip.Load(clip));
        var socket = path.Connect(port);
        var client = new RtmpClient(port, app, name, publish: true);
        TimedPath.Open(socket, client, () => client.Started);
        path.StartSender(socket, client.Output, (type, time, payload) => client.WriteMedia(type, time, payload));
        Thread.Sleep(HeadStartMs);
        return new StampedPublisher(path);
    }

    public void Dispose() => _path.Dispose();
}
