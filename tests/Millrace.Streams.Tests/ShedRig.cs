using Millrace.Media.Flv;
using Millrace.Streams.Buffers;
using Millrace.Streams.Hls;
using Millrace.Streams.Publishing;
using Millrace.Streams.Tests.Hls;
using Millrace.Streams.Wire;

namespace Millrace.Streams.Tests;

/// <summary>Streams that share one budget, in virtual time.</summary>
internal sealed class ShedRig(HlsOptions? hls = null, long budget = 1L << 30)
{
    private const int PictureBytes = 10_000;

    public TestStream Stream { get; } = new(budget: budget, hls: hls);

    public Shedder Shedder => Stream.Registry.Shedder;

    public LiveStream Add(string name) => Stream.Registry.Use(new StreamName("default", "live", name), 0, static (live, _) => live);

    /// <summary>A stream of 2 Mbit/s at 25 pictures a second.</summary>
    public MediaSource Publish(LiveStream live, int group = 50)
    {
        var lease = live.TryAcquire(new PublisherInfo("1", "rtmp", "peer", DuplicatePolicy.Reject, 10_000_000), _ => { }, Stream.Now, out var refusal);
        refusal.ShouldBeNull();
        var source = new MediaSource(Stream, lease!) { PictureBytes = PictureBytes, Group = group };
        source.Announce();
        return source;
    }

    /// <summary>A wire log that somebody has read and left.</summary>
    public void LeaveWireLog(LiveStream live)
    {
        var reader = new WireReaderStub();
        live.Detach(live.Attach(WireKey.Flv(FlvForm.Enhanced), reader, out _, out _)!, reader, Stream.Now);
    }

    public long Used(MemoryUse use) => Stream.Budget[use].Used;

    public bool Shed(LiveStream asker, long bytes = long.MaxValue)
    {
        lock (asker.Gate)
            return Shedder.TryShed(asker, Stream.Now, bytes);
    }
}
