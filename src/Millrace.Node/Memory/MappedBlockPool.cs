using Millrace.Node.Shards;
using Millrace.Streams.Buffers;

namespace Millrace.Node.Memory;

/// <summary>
/// Blocks from anonymous mappings of 2 MiB, outside the garbage collector's heap. Mappings are kept and reused for the
/// life of the process; the budget bounds them.
/// </summary>
internal sealed unsafe class MappedBlockPool : IBlockPool
{
    private const int SlabBytes = 2 << 20;
    private const int ReadWrite = 0x1 | 0x2;
    private const int PrivateAnonymous = 0x2 | 0x20;

    private readonly Stack<Block> _free = new();
    private readonly Lock _gate = new();

    /// <summary>Bytes mapped from the kernel, in use or free.</summary>
    public long MappedBytes { get; private set; }

    public Block? TryRent(MemoryAccount account)
    {
        if (!account.TryCharge(BlockLog.BlockBytes))
            return null;
        lock (_gate)
        {
            if (_free.Count > 0 || TryMap())
                return _free.Pop();
        }

        account.Release(BlockLog.BlockBytes);
        return null;
    }

    public void Return(Block block, MemoryAccount account)
    {
        lock (_gate)
            _free.Push(block);
        account.Release(BlockLog.BlockBytes);
    }

    private bool TryMap()
    {
        const nint Failed = -1;
        var slab = Native.MemoryMap(null, SlabBytes, ReadWrite, PrivateAnonymous, -1, 0);
        if ((nint)slab == Failed)
            return false;
        MappedBytes += SlabBytes;
        // For all of them, so that no return ever grows the stack: that would happen on a shard's way of a frame.
        _free.EnsureCapacity((int)(MappedBytes / BlockLog.BlockBytes));
        // Pushed from the top, so that the lowest address goes out first and a small node touches few pages.
        for (var offset = SlabBytes - BlockLog.BlockBytes; offset >= 0; offset -= BlockLog.BlockBytes)
            _free.Push(new Block((byte*)slab + offset));
        return true;
    }
}
