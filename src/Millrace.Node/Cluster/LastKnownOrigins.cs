using System.Diagnostics.CodeAnalysis;
using Millrace.Streams;

namespace Millrace.Node.Cluster;

/// <summary>
/// What the map said last, for when it cannot be asked. Bounded: two halves, of which the older is thrown away when the newer
/// is full; what is used moves to the newer one. Any thread; its lock is held for a few dictionary operations.
/// </summary>
/// <param name="capacity">Most entries; about 0.5 KB each.</param>
/// <param name="time">The clock of ages.</param>
internal sealed class LastKnownOrigins(int capacity, TimeProvider time)
{
    /// <summary>Some 50 MB when full.</summary>
    public const int DefaultCapacity = 100_000;

    private readonly Lock _lock = new();
    private Dictionary<StreamName, (string Url, long At)> _newer = [];
    private Dictionary<StreamName, (string Url, long At)> _older = [];

    public int Count
    {
        get
        {
            lock (_lock)
                return _newer.Count + _older.Count;
        }
    }

    public void Set(StreamName name, string url)
    {
        lock (_lock)
            Put(name, (url, time.GetTimestamp()));
    }

    public void Remove(StreamName name)
    {
        lock (_lock)
        {
            _newer.Remove(name);
            _older.Remove(name);
        }
    }

    public bool TryGet(StreamName name, [NotNullWhen(true)] out string? url, out TimeSpan age)
    {
        lock (_lock)
        {
            if (!_newer.TryGetValue(name, out var entry) && _older.TryGetValue(name, out entry))
                Put(name, entry);
            url = entry.Url;
            age = url is null ? default : time.GetElapsedTime(entry.At);
            return url is not null;
        }
    }

    private void Put(StreamName name, (string Url, long At) entry)
    {
        _older.Remove(name);
        if (_newer.Count >= capacity / 2 && !_newer.ContainsKey(name))
            (_older, _newer) = (_newer, []);
        _newer[name] = entry;
    }
}
