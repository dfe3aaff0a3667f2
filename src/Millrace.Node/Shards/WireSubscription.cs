using Millrace.Streams;
using Millrace.Streams.Wire;

namespace Millrace.Node.Shards;

/// <summary>All of one shard's viewers of one wire log, and the shard's epoch slot in that log.</summary>
internal sealed class WireSubscription(Shard shard, WireKey key, long windowMicros) : WireReader, IShardPass
{
    private readonly List<ShardConnection> _viewers = [];
    private int _isDirty;
    private int _next = -1;
    private long _floor;
    private long _lastPass;

    public WireKey Key { get; } = key;

    public LiveStream Stream { get; private set; } = null!;

    public WireLog Wire { get; private set; } = null!;

    /// <summary>The merge window: a viewer is written to at most once in this time.</summary>
    public long WindowMicros { get; } = windowMicros;

    public IReadOnlyList<ShardConnection> Viewers => _viewers;

    /// <summary>When the next pass may start, monotonic microseconds.</summary>
    public long DueAt => _next >= 0 ? 0 : _lastPass + WindowMicros;

    /// <summary>Links the shard's list of subscriptions with new bytes.</summary>
    internal WireSubscription? NextDirty { get; set; }

    /// <summary>On the shard's list of what to send.</summary>
    internal bool IsScheduled { get; set; }

    /// <summary>Bytes came while a pass was under way, behind viewers that it had already served: another pass is due.</summary>
    internal bool IsDueAgain { get; set; }

    /// <summary>Said once, inside the stream's lock, when the log has taken this reader.</summary>
    public void Bind(LiveStream stream, WireLog wire)
    {
        Stream = stream;
        Wire = wire;
    }

    public override void OnCommitted()
    {
        if (Volatile.Read(ref _isDirty) == 0 && Interlocked.Exchange(ref _isDirty, 1) == 0)
            shard.MarkDirty(this);
    }

    public override void OnSignal(WireSignal signal)
    {
        var position = Wire.Committed;
        shard.Post(() =>
        {
            if (signal == WireSignal.Ended)
                shard.Subscriptions.Retire(this);
            for (var i = _viewers.Count - 1; i >= 0; i--)
                _viewers[i].Signal(signal, position, NodeClock.Micros);
        });
    }

    public void Add(ShardConnection viewer)
    {
        viewer.SubscriptionIndex = _viewers.Count;
        _viewers.Add(viewer);
    }

    public void Remove(ShardConnection viewer)
    {
        var index = viewer.SubscriptionIndex;
        var last = _viewers[^1];
        _viewers[index] = last;
        last.SubscriptionIndex = index;
        _viewers.RemoveAt(_viewers.Count - 1);
        viewer.SubscriptionIndex = -1;
    }

    /// <summary>Serves the next viewers of the pass. True when the pass is through and no other is due.</summary>
    public bool RunSlice(long now)
    {
        if (_next < 0)
        {
            // Cleared first: a commit from here on asks for another pass.
            Interlocked.Exchange(ref _isDirty, 0);
            _floor = Wire.Floor;
            _lastPass = now;
            _next = _viewers.Count - 1;
        }

        var served = 0;
        // Downwards, for a viewer that closes is replaced by the last, which has been served.
        while (_next >= 0 && served < Shard.SliceViewers)
        {
            if (_next < _viewers.Count)
                _viewers[_next].Serve(Turn.Bytes, 0, now);
            _next--;
            served++;
            if ((served & 15) == 0 && NodeClock.Micros - now > Shard.SliceMicros)
                break;
        }

        if (_next >= 0)
            return false;
        Publish(_floor);
        if (NodeClock.Micros - _lastPass > Math.Max(WindowMicros, Shard.SliceMicros))
            shard.LatePasses++;
        IsScheduled = IsDueAgain;
        IsDueAgain = false;
        return !IsScheduled;
    }
}
