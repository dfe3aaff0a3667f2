namespace Millrace.Streams.Buffers;

/// <summary>Who holds media memory: each has one account in the budget and one gauge in /metrics.</summary>
internal enum MemoryUse
{
    StreamLogs,
    WireLogs,
    Spills,
    PendingUnits,
    HlsWindows,
    RetainedObjects,
    JitterBuffers,
}

/// <summary>
/// The one limit on media memory (<c>memory.media</c>, bytes). Accounts are charged before memory is taken, so that a
/// refusal costs nothing; the holder that is refused sheds its own oldest media or ends.
/// </summary>
internal sealed class MemoryBudget
{
    private readonly MemoryAccount[] _accounts;
    private long _used;

    public MemoryBudget(long limitBytes)
    {
        Limit = limitBytes;
        var uses = Enum.GetValues<MemoryUse>();
        _accounts = new MemoryAccount[uses.Length];
        foreach (var use in uses)
            _accounts[(int)use] = new MemoryAccount(this, use);
    }

    public long Limit { get; }

    public long Used => Interlocked.Read(ref _used);

    public ReadOnlySpan<MemoryAccount> Accounts => _accounts;

    /// <summary>True from 90 % on: new publishers are refused, so that those that are live keep their room.</summary>
    public bool IsTight => TightExcess > 0;

    /// <summary>Bytes above that.</summary>
    public long TightExcess => Math.Max(0, Used - (Limit / 10 * 9));

    /// <summary>True from 85 % on: HLS takes no more and makes gaps, so that no publisher has to go for want of a log.</summary>
    public bool IsFilling => FillingExcess > 0;

    /// <summary>Bytes above that.</summary>
    public long FillingExcess => Math.Max(0, Used - (Limit / 100 * 85));

    public MemoryAccount this[MemoryUse use] => _accounts[(int)use];

    internal bool TryCharge(long bytes)
    {
        // Compare and swap, not add and take back: a large charge that fails must not make a small one fail beside it.
        var used = Used;
        while (used + bytes <= Limit)
        {
            var seen = Interlocked.CompareExchange(ref _used, used + bytes, used);
            if (seen == used)
                return true;
            used = seen;
        }

        return false;
    }

    internal void Release(long bytes) => Interlocked.Add(ref _used, -bytes);
}

/// <summary>Bytes that one kind of holder has taken from the budget.</summary>
internal sealed class MemoryAccount(MemoryBudget budget, MemoryUse use)
{
    private long _used;

    public MemoryUse Use { get; } = use;

    public long Used => Interlocked.Read(ref _used);

    public bool TryCharge(long bytes)
    {
        if (!budget.TryCharge(bytes))
            return false;
        Interlocked.Add(ref _used, bytes);
        return true;
    }

    public void Release(long bytes)
    {
        Interlocked.Add(ref _used, -bytes);
        budget.Release(bytes);
    }

    /// <summary>Passes a charge on to another account of the same budget.</summary>
    public void Hand(long bytes, MemoryAccount other)
    {
        Interlocked.Add(ref _used, -bytes);
        Interlocked.Add(ref other._used, bytes);
    }
}
