using System.Runtime.InteropServices;
using Millrace.Streams.Buffers;

namespace Millrace.Fuzz;

/// <summary>Blocks of native memory, kept from run to run; what is given back is scribbled over, so that late readers see garbage.</summary>
internal sealed unsafe class BlockPool : IBlockPool
{
    private const byte Scribble = 0xDD;
    private readonly Stack<Block> _free = new();

    public Block? TryRent(MemoryAccount account)
    {
        if (!account.TryCharge(BlockLog.BlockBytes))
            return null;
        return _free.TryPop(out var block) ? block : new Block((byte*)NativeMemory.Alloc(BlockLog.BlockBytes));
    }

    public void Return(Block block, MemoryAccount account)
    {
        block.Span.Fill(Scribble);
        account.Release(BlockLog.BlockBytes);
        _free.Push(block);
    }
}
