using Millrace.Node.Shards;

namespace Millrace.Node.Hls;

/// <summary>Those of one shard who wait for the same thing, linked through themselves.</summary>
internal sealed class HlsWaitGroup
{
    public HlsPlayer? First { get; set; }
}

/// <summary>
/// One shard's requests that wait for a packager. A part releases all who wait for it at once; they are answered in slices.
/// </summary>
internal sealed class HlsWaitList : IShardPass
{
    /// <summary>
    /// A slice is longer than others': whoever has its answer asks again at once, and those who still wait would share each
    /// turn of the loop with them.
    /// </summary>
    private const int SliceRequests = 16 * Shard.SliceViewers;

    private const long SliceMicros = 8 * Shard.SliceMicros;

    private readonly Shard _shard;
    private readonly Func<HlsCondition, bool> _isMet;
    private readonly Dictionary<HlsCondition, HlsWaitGroup> _waiting = [];
    private readonly Queue<HlsWaitGroup> _released = [];
    private readonly Action _look;
    private int _hasWaiting;
    private int _isPosted;

    /// <param name="shard">Whose list it is.</param>
    /// <param name="isMet">Whether something has happened.</param>
    public HlsWaitList(Shard shard, Func<HlsCondition, bool> isMet)
    {
        (_shard, _isMet) = (shard, isMet);
        _look = Look;
    }

    /// <summary>Puts a request on the list; false, and nothing done, when what it waits for has happened.</summary>
    public bool TryJoin(HlsPlayer player, in HlsCondition condition)
    {
        Volatile.Write(ref _hasWaiting, 1);
        Interlocked.MemoryBarrier();
        // Looked at after that: what is published later sees that somebody waits.
        if (_isMet(condition))
            return false;
        if (!_waiting.TryGetValue(condition, out var group))
            _waiting[condition] = group = new HlsWaitGroup();
        player.Join(group);
        return true;
    }

    /// <summary>There is a new snapshot; any thread.</summary>
    public void OnPublished()
    {
        if (Volatile.Read(ref _hasWaiting) == 1 && Interlocked.Exchange(ref _isPosted, 1) == 0)
            _shard.Post(_look);
    }

    public bool RunSlice(long now)
    {
        for (var served = 0; _released.TryPeek(out var group);)
        {
            if (group.First is not { } player)
            {
                _released.Dequeue();
                continue;
            }

            if (served == SliceRequests || ((served & 15) == 15 && NodeClock.Micros - now > SliceMicros))
                return false;
            player.Leave();
            player.Connection.Serve(Turn.Released, 0, now);
            served++;
        }

        return true;
    }

    private void Look()
    {
        // A full fence: whoever publishes from here on posts again, and all that was published before is seen.
        Interlocked.Exchange(ref _isPosted, 0);
        var isIdle = _released.Count == 0;
        foreach (var (condition, group) in _waiting)
        {
            if (group.First is not null && !_isMet(condition))
                continue;
            _waiting.Remove(condition);
            _released.Enqueue(group);
        }

        Volatile.Write(ref _hasWaiting, _waiting.Count > 0 ? 1 : 0);
        if (isIdle && _released.Count > 0)
            _shard.Schedule(this);
    }
}
