using System.Collections.Concurrent;
using Millrace.Streams;

namespace Millrace.Node.Cluster;

/// <summary>
/// What this node wants in the map, and what is there. Wishes come from any thread and only the newest of each stream counts;
/// the map's loop, which alone calls <see cref="Absorb"/> and <see cref="Forget"/>, turns them into claims.
/// </summary>
internal sealed class OriginClaims(string prefix)
{
    private readonly ConcurrentDictionary<StreamName, string?> _wishes = new();
    private readonly ConcurrentDictionary<StreamName, OriginClaim> _claims = new();
    private int _registered;
    private int _candidates;

    public int Registered => Volatile.Read(ref _registered);

    public int Candidates => Volatile.Read(ref _candidates);

    /// <summary>Any thread. Null takes the stream out.</summary>
    public void Wish(StreamName name, string? url) => _wishes[name] = url;

    /// <summary>Any thread: whether this is what the node itself said of the stream.</summary>
    public bool IsOwn(StreamName name, string url) =>
        (_wishes.TryGetValue(name, out var wish) && wish == url) || (_claims.TryGetValue(name, out var claim) && claim.Url == url);

    /// <summary>All claims, the wishes that came since the last call included.</summary>
    public IEnumerable<OriginClaim> Absorb()
    {
        foreach (var name in _wishes.Keys)
        {
            if (!_wishes.TryRemove(name, out var url))
                continue;
            if (!_claims.TryGetValue(name, out var claim) && url is not null)
                claim = _claims[name] = new OriginClaim(name, prefix + name);
            claim?.Want(url);
        }

        Count();
        return _claims.Values;
    }

    /// <summary>What is there is not known any more.</summary>
    public void OnLost()
    {
        foreach (var (_, claim) in _claims)
            claim.OnLost();
        Count();
    }

    public void Forget(OriginClaim claim) => _claims.TryRemove(claim.Name, out _);

    /// <summary>After claims were changed.</summary>
    public void Count()
    {
        int registered = 0, candidates = 0;
        foreach (var (_, claim) in _claims)
        {
            registered += claim.Url is null ? 0 : 1;
            candidates += claim.Url is null || claim.IsHeld ? 0 : 1;
        }

        Volatile.Write(ref _registered, registered);
        Volatile.Write(ref _candidates, candidates);
    }
}

/// <summary>One stream's entry; the map's loop alone changes it.</summary>
internal sealed class OriginClaim(StreamName name, string key)
{
    private volatile string? _url;

    public StreamName Name { get; } = name;

    public string Key { get; } = key;

    /// <summary>What is wanted under the key; null: nothing of ours.</summary>
    public string? Url => _url;

    /// <summary>What of ours may be there.</summary>
    public string? Written { get; private set; }

    /// <summary>When <see cref="Written"/> goes by itself, as <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public long WrittenUntil { get; private set; }

    public bool IsHeld { get; private set; }

    /// <summary>Wanted anew, and not yet written.</summary>
    public bool IsNew { get; private set; }

    public void Want(string? url)
    {
        IsNew |= url != _url;
        _url = url;
    }

    /// <summary>A claim is on its way: whether or not it is answered, the value may be there from now on.</summary>
    public void OnSent(long until)
    {
        IsNew = false;
        Written ??= _url;
        WrittenUntil = until;
    }

    public void OnHeld()
    {
        IsHeld = true;
        Written = _url;
    }

    /// <summary>Another node has the entry.</summary>
    public void OnTaken()
    {
        IsHeld = false;
        Written = null;
    }

    /// <summary>What is there is not known any more.</summary>
    public void OnLost() => IsHeld = false;
}
