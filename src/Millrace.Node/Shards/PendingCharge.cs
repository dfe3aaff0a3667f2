using Millrace.Streams.Buffers;

namespace Millrace.Node.Shards;

/// <summary>
/// What one connection's unfinished messages have on the budget, so that thousands of peers who never finish one cannot take more memory than
/// there is. Small ones are left out: they cost less than the socket.
/// </summary>
internal struct PendingCharge
{
    /// <summary>Bytes that are not counted.</summary>
    private const int FreeBytes = 4 * 1024;

    private long _charged;

    /// <summary>So many bytes are held now; false where the budget has no room for them.</summary>
    public bool TryHold(long bytes, MemoryAccount account)
    {
        var held = bytes <= FreeBytes ? 0 : bytes;
        if (held > _charged && !account.TryCharge(held - _charged))
            return false;
        if (held < _charged)
            account.Release(_charged - held);
        _charged = held;
        return true;
    }

    public void Release(MemoryAccount account)
    {
        account.Release(_charged);
        _charged = 0;
    }
}
