using Millrace.Node.Relay;
using Millrace.Node.Sessions;
using Millrace.Streams;
using Millrace.Streams.Buffers;
using Millrace.Streams.Wire;

namespace Millrace.Node.Http;

/// <summary>
/// One Kestrel response's place in a wire log. It holds its epoch slot only while it copies, and goes offline before each
/// wait, so that a slow viewer never keeps a block.
/// </summary>
internal sealed class KestrelReader(LiveStream stream, MemoryAccount spills) : WireReader, ISessionTraffic, IDisposable
{
    /// <summary>Copied at a time; whole messages, so that the slot can be given up between two batches.</summary>
    private const int BatchBytes = 256 * 1024;

    private readonly SemaphoreSlim _signal = new(0, 1);
    private readonly Cursor _cursor = new(spills) { StopsAtBorders = true };
    private WireLog? _wire;
    private int _isSignalled;
    private long _lastCopy;

    /// <summary>No other node has the stream that is waited for.</summary>
    private volatile bool _isMissing;

    public long BytesIn => 0;

    public long BytesOut { get; private set; }

    public long LagBytes => _cursor.Lag;

    public long Skips => _cursor.Skips;

    public long SkippedMessages => _cursor.SkippedMessages;

    public bool HasEnded { get; private set; }

    /// <summary>Null, with the reason, when the format can carry nothing of the stream.</summary>
    public static KestrelReader? TryAttach(NodeContext node, StreamName name, WireKey key, out string? unsupported)
    {
        string? why = null;
        var reader = node.Registry.Use(name, 0, (stream, _) =>
        {
            var reader = new KestrelReader(stream, node.Spills);
            reader._wire = stream.Attach(key, reader, out var fromEnd, out why);
            if (reader._wire is null)
                return null;
            reader._cursor.Attach(reader._wire, fromEnd);
            reader.Publish(Offline);
            return reader;
        });
        unsupported = why;
        return reader;
    }

    /// <summary>Waits for first bytes; false when they did not come, or the stream has ended.</summary>
    /// <param name="deadline">Until when, monotonic microseconds.</param>
    /// <param name="wish">Of who waits though no other node has the stream.</param>
    /// <param name="cancellationToken">He has gone.</param>
    public async Task<bool> WaitForStartAsync(long deadline, UpstreamWish? wish, CancellationToken cancellationToken)
    {
        while (!HasBytes())
        {
            var now = NodeClock.Micros;
            if (HasEnded || (_isMissing && wish is null) || now >= deadline)
                return false;
            if (_isMissing)
            {
                _isMissing = false;
                wish!.AskLater(now);
            }
            else if (now >= wish?.Deadline)
            {
                wish.Ask(now);
            }

            if (await _signal.WaitAsync(TimeSpan.FromMicroseconds(Math.Min(deadline, wish?.Deadline ?? deadline) - now), cancellationToken))
                Volatile.Write(ref _isSignalled, 0);
        }

        return true;
    }

    /// <summary>Waits for bytes, at most once in a merge window; false when the stream has ended.</summary>
    public async Task<bool> WaitAsync(long windowMicros, CancellationToken cancellationToken)
    {
        var early = _lastCopy + windowMicros - NodeClock.Micros;
        if (early > 0)
            await Task.Delay(TimeSpan.FromMicroseconds(early), cancellationToken);
        while (!HasBytes())
        {
            if (HasEnded)
                return false;
            await _signal.WaitAsync(cancellationToken);
            Volatile.Write(ref _isSignalled, 0);
        }

        return true;
    }

    /// <summary>Copies whole messages into <paramref name="target"/>, about 256 KiB at most. False when the budget has no room.</summary>
    public unsafe bool TryCopy(System.Buffers.IBufferWriter<byte> target)
    {
        _lastCopy = NodeClock.Micros;
        Publish(_cursor.Position);
        var done = _cursor.TryFollow();
        var end = EndOfBatch();
        Span<WireRun> runs = stackalloc WireRun[4];
        while (done && (_cursor.SpillBytes > 0 || _cursor.Position < end))
        {
            var count = _cursor.Fill(runs, Math.Max(1, end - _cursor.Position + _cursor.SpillBytes), out var bytes);
            if (count == 0)
                break;
            for (var i = 0; i < count; i++)
                Copy(new ReadOnlySpan<byte>(runs[i].Address, (int)runs[i].Length), target);
            _cursor.Advance(bytes);
            BytesOut += bytes;
        }

        Publish(Offline);
        return done;
    }

    public override void OnCommitted() => Wake();

    public override void OnSignal(WireSignal signal)
    {
        if (signal is WireSignal.Unpublished or WireSignal.Orphaned)
            return;
        if (signal == WireSignal.Missing)
            _isMissing = true;
        else
            HasEnded = true;
        Wake();
    }

    public void Dispose()
    {
        if (_wire is not null)
            stream.Detach(_wire, this, NodeClock.Micros);
        _cursor.Dispose();
    }

    private static void Copy(ReadOnlySpan<byte> source, System.Buffers.IBufferWriter<byte> target)
    {
        const int LeastSpan = 4_096;
        while (!source.IsEmpty)
        {
            // Kestrel gives out memory of that size, to be thrown away, even when the viewer has just gone.
            var span = target.GetSpan(LeastSpan);
            var count = Math.Min(span.Length, source.Length);
            source[..count].CopyTo(span);
            target.Advance(count);
            source = source[count..];
        }
    }

    private bool HasBytes()
    {
        Publish(_cursor.Position);
        _cursor.TryFollow();
        var has = _cursor.HasBytes;
        Publish(Offline);
        return has;
    }

    private long EndOfBatch()
    {
        var committed = _wire!.Committed;
        if (committed - _cursor.Position <= BatchBytes)
            return committed;
        var number = _wire.Index.Find(_cursor.Position + BatchBytes);
        var start = _wire.Index[number].Start;
        if (start > _cursor.Position)
            return start;
        // One message that is longer than a batch.
        return number + 1 < _wire.Index.End ? _wire.Index[number + 1].Start : committed;
    }

    private void Wake()
    {
        if (Interlocked.Exchange(ref _isSignalled, 1) == 0)
            _signal.Release();
    }
}
