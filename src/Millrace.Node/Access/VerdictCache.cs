using System.Collections.Concurrent;

namespace Millrace.Node.Access;

/// <summary>Verdicts by what they are for, up to a number: what is over goes first, and when nothing is, new ones are not kept. Any thread.</summary>
/// <param name="most">Entries.</param>
internal sealed class VerdictCache(int most)
{
    /// <summary>A full cache is looked through at most so often: a flood of claims must not make each one cost a walk.</summary>
    private const long SweepMicros = 1_000_000;

    private readonly ConcurrentDictionary<AccessKey, AccessVerdict> _verdicts = new();
    private int _count;
    private long _nextSweep;

    public int Count => Volatile.Read(ref _count);

    public AccessVerdict? Find(AccessKey key, long now) => _verdicts.TryGetValue(key, out var kept) && now < kept.KeptUntil ? kept : null;

    public void Set(AccessKey key, AccessVerdict verdict, long now)
    {
        if (_verdicts.TryGetValue(key, out var before) && _verdicts.TryUpdate(key, verdict, before))
            return;
        var next = Volatile.Read(ref _nextSweep);
        if (Count >= most && now >= next && Interlocked.CompareExchange(ref _nextSweep, now + SweepMicros, next) == next)
            Sweep(now);
        if (Interlocked.Increment(ref _count) > most || !_verdicts.TryAdd(key, verdict))
            Interlocked.Decrement(ref _count);
    }

    public void Remove(AccessKey key)
    {
        if (_verdicts.TryRemove(key, out _))
            Interlocked.Decrement(ref _count);
    }

    /// <summary>Forgets what is over.</summary>
    public void Sweep(long now)
    {
        foreach (var pair in _verdicts)
        {
            if (now >= pair.Value.KeptUntil && _verdicts.TryRemove(pair))
                Interlocked.Decrement(ref _count);
        }
    }
}
