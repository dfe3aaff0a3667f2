using Millrace.Media.Flv;
using Millrace.Streams.Buffers;
using Millrace.Streams.Wire;

namespace Millrace.Streams.Tests;

public sealed class AllocationTests
{
    [Fact]
    public void Appending_and_pulling_allocate_nothing()
    {
        var stream = new TestStream();
        var publisher = stream.Publish();
        var reader = new WireReaderStub();
        publisher.Run(60);
        var wire = stream.Live.Attach(WireKey.Rtmp(FlvForm.Enhanced), reader, out _, out _)!;
        var flv = stream.Live.Attach(WireKey.Flv(FlvForm.Enhanced), new WireReaderStub(), out _, out _)!;
        var cursors = new Cursor[100];
        for (var i = 0; i < cursors.Length; i++)
        {
            cursors[i] = new Cursor(stream.Budget[MemoryUse.Spills]);
            cursors[i].Attach(wire, fromEnd: false);
        }

        var frame = 0;
        void Frame()
        {
            // Without assertions, which allocate.
            publisher.Video(isKey: frame++ % 25 == 0);
            publisher.Audio();
            publisher.Sender += TestStream.Frame;
            stream.Now += TestStream.Frame;
            Pass(wire, reader, cursors);
            foreach (var other in flv.Readers)
                other.Publish(flv.Floor);
        }

        for (var i = 0; i < 6_000; i++)
            Frame();
        var units = stream.Live.Log!.End;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 5_000; i++)
            Frame();
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        stream.Pool.Made.ShouldBeLessThan(20);
        allocated.ShouldBe(0);
        // And the Marks between them: a part each half second.
        (stream.Live.Log.End - units).ShouldBeInRange(10_000 + 350, 10_000 + 450);
        foreach (var cursor in cursors)
        {
            cursor.Skips.ShouldBe(0);
            cursor.Dispose();
        }
    }

    private static unsafe void Pass(WireLog wire, WireReaderStub reader, Cursor[] cursors)
    {
        var floor = wire.Floor;
        Span<WireRun> runs = stackalloc WireRun[16];
        foreach (var cursor in cursors)
        {
            cursor.TryFollow();
            while (cursor.Fill(runs, 1 << 20, out var bytes) > 0)
                cursor.Advance(bytes);
        }

        reader.Publish(floor);
    }
}
