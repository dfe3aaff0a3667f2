using Millrace.Streams.Wire;

namespace Millrace.Node.Shards;

/// <summary>
/// Tells one shard's viewers of a wire log what is not in its bytes: one thing after the other, each in slices. A viewer may hear
/// a thing twice, when another leaves meanwhile; those who come meanwhile do not hear it.
/// </summary>
internal sealed class SignalPass(Shard shard, IReadOnlyList<ShardConnection> viewers) : IShardPass
{
    private readonly Queue<(WireSignal Signal, long Position)> _signals = [];
    private int _next;

    /// <param name="signal">What there is to say.</param>
    /// <param name="position">Of the log, when it happened.</param>
    public void Add(WireSignal signal, long position)
    {
        _signals.Enqueue((signal, position));
        if (_signals.Count > 1)
            return;
        _next = viewers.Count - 1;
        shard.Schedule(this);
    }

    public bool RunSlice(long now)
    {
        var (signal, position) = _signals.Peek();
        // Downwards, for a viewer that closes is replaced by the last, which has heard it.
        for (var served = 1; _next >= 0; served++)
        {
            if (_next < viewers.Count)
                viewers[_next].Signal(signal, position, now);
            _next--;
            if (served == Shard.SliceViewers || ((served & 15) == 0 && NodeClock.Micros - now > Shard.SliceMicros))
                return false;
        }

        _signals.Dequeue();
        _next = viewers.Count - 1;
        return _signals.Count == 0;
    }
}
