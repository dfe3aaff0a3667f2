using Millrace.Streams.Buffers;

namespace Millrace.Testing;

/// <summary>Blocks of pinned arrays. A block that is given back is scribbled over, so that a reader who still looks at it is found out.</summary>
internal sealed unsafe class PinnedBlockPool : IBlockPool
{
    public const byte Scribble = 0xDD;

    private readonly Lock _gate = new();
    private readonly List<byte[]> _arrays = [];
    private readonly Stack<Block> _free = new();

    public int Made => _arrays.Count;

    public Block? TryRent(MemoryAccount account)
    {
        if (!account.TryCharge(BlockLog.BlockBytes))
            return null;
        lock (_gate)
        {
            if (_free.TryPop(out var block))
                return block;
            var array = GC.AllocateUninitializedArray<byte>(BlockLog.BlockBytes, pinned: true);
            _arrays.Add(array);
            fixed (byte* data = array)
                return new Block(data);
        }
    }

    public void Return(Block block, MemoryAccount account)
    {
        block.Span.Fill(Scribble);
        account.Release(BlockLog.BlockBytes);
        lock (_gate)
            _free.Push(block);
    }
}
