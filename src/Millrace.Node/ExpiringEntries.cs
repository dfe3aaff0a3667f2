using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Millrace.Node;

/// <summary>
/// What holds for a while, up to a number of entries, as their keys are often made up by clients: what is over goes first, and when nothing is, new ones are not
/// kept. Any thread; time is monotonic microseconds.
/// </summary>
/// <param name="most">Entries.</param>
internal sealed class ExpiringEntries<TKey, TValue>(int most)
    where TKey : notnull
    where TValue : class
{
    /// <summary>A full table is looked through at most so often: in a flood each new key would cost a walk.</summary>
    private const long SweepMicros = 1_000_000;

    private readonly ConcurrentDictionary<TKey, Entry> _entries = new();
    private int _count;
    private long _nextSweep;

    /// <summary>With those that are over and still there.</summary>
    public int Count => Volatile.Read(ref _count);

    public bool TryFind(TKey key, long now, [NotNullWhen(true)] out TValue? value)
    {
        value = _entries.TryGetValue(key, out var entry) && now < entry.Until ? entry.Value : null;
        return value is not null;
    }

    public void Set(TKey key, TValue value, long until, long now)
    {
        var entry = new Entry(value, until);
        if (!_entries.TryGetValue(key, out var before) || !_entries.TryUpdate(key, entry, before))
            TryInsert(key, entry, now);
    }

    /// <summary>False where another value holds, or where there is no room. Of several threads that add at the same moment one is told true.</summary>
    public bool TryAdd(TKey key, TValue value, long until, long now)
    {
        var entry = new Entry(value, until);
        return _entries.TryGetValue(key, out var before) ? now >= before.Until && _entries.TryUpdate(key, entry, before) : TryInsert(key, entry, now);
    }

    public void Remove(TKey key)
    {
        if (_entries.TryRemove(key, out _))
            Interlocked.Decrement(ref _count);
    }

    /// <summary>Forgets what is over.</summary>
    public void Sweep(long now)
    {
        foreach (var pair in _entries)
        {
            if (now >= pair.Value.Until && _entries.TryRemove(pair))
                Interlocked.Decrement(ref _count);
        }
    }

    private bool TryInsert(TKey key, Entry entry, long now)
    {
        var next = Volatile.Read(ref _nextSweep);
        if (Count >= most && now >= next && Interlocked.CompareExchange(ref _nextSweep, now + SweepMicros, next) == next)
            Sweep(now);
        if (Interlocked.Increment(ref _count) <= most && _entries.TryAdd(key, entry))
            return true;
        Interlocked.Decrement(ref _count);
        return false;
    }

    private sealed record Entry(TValue Value, long Until);
}
