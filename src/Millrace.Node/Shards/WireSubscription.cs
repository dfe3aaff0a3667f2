using Millrace.Streams;
using Millrace.Streams.Wire;

namespace Millrace.Node.Shards;

/// <summary>All of one shard's viewers of one wire log, and the shard's epoch slot in that log.</summary>
internal sealed class WireSubscription(Shard shard, WireKey key, long windowMicros) : WireReader, IShardPass
{
    private readonly List<ShardConnection> _viewers = [];
    private SignalPass? _signals;
    private int _isDirty;
    private int _next = -1;
    private int _served;
    private long _floor;
    private long _covered;
    private long _dueAt;
    private long _passDueAt;
    private bool _isRested;

    public WireKey Key { get; } = key;

    public LiveStream Stream { get; private set; } = null!;

    public WireLog Wire { get; private set; } = null!;

    /// <summary>The merge window: a viewer is written to at most once in this time.</summary>
    public long WindowMicros { get; } = windowMicros;

    public IReadOnlyList<ShardConnection> Viewers => _viewers;

    /// <summary>Links the shard's list of subscriptions with new bytes.</summary>
    internal WireSubscription? NextDirty { get; set; }

    /// <summary>Said once, inside the stream's lock, when the log has taken this reader.</summary>
    public void Bind(LiveStream stream, WireLog wire)
    {
        Stream = stream;
        Wire = wire;
    }

    public override void OnCommitted()
    {
        // Orders the commit before the look at the mark; TryWake has the other half.
        Interlocked.MemoryBarrier();
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
            (_signals ??= new SignalPass(shard, _viewers)).Add(signal, position);
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

    /// <summary>Bytes came after the window of the last pass: the next is due.</summary>
    /// <param name="since">Since when, monotonic microseconds.</param>
    public void BecomeDue(long since)
    {
        _dueAt = since;
        shard.Schedule(this);
    }

    /// <summary>
    /// The window of the last pass is over: the next is due when there are new bytes. Otherwise the next commit marks the
    /// subscription. Until here it did not, so a stream of many small frames costs one wake-up a window and not one for each.
    /// </summary>
    /// <param name="since">When the window ended, monotonic microseconds.</param>
    public void EndRest(long since)
    {
        _dueAt = since;
        _isRested = true;
        if (_next < 0)
            TryWake();
    }

    /// <summary>Serves the next viewers of the pass. True when the pass is through.</summary>
    public bool RunSlice(long now)
    {
        if (_next < 0)
        {
            _floor = Wire.Floor;
            _covered = Wire.Committed;
            _served = _viewers.Count;
            _next = _served - 1;
            _passDueAt = _dueAt;
            _isRested = false;
            shard.Rest(this, now);
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

        var end = NodeClock.Micros;
        shard.Pacer.OnSent(end - now);
        if (_next >= 0)
            return false;
        Publish(_floor);
        shard.OnPassEnd(_served, end - _passDueAt, WindowMicros);
        if (_isRested)
            TryWake();
        return true;
    }

    private bool HasBytes => _viewers.Count > 0 && Wire.Committed != _covered;

    private void TryWake()
    {
        var hasBytes = HasBytes;
        if (!hasBytes)
        {
            Interlocked.Exchange(ref _isDirty, 0);
            // Looked at again after that: a commit that still saw the mark is seen here.
            hasBytes = HasBytes && Interlocked.Exchange(ref _isDirty, 1) == 0;
        }

        if (hasBytes)
            shard.Schedule(this);
    }
}
