namespace Millrace.Streams.Buffers;

/// <summary>
/// A piece of memory outside the moving heap, of <see cref="BlockLog.BlockBytes"/> bytes. Its owner is whoever rented it last;
/// the address stays valid while the pool lives.
/// </summary>
internal sealed unsafe class Block(byte* data)
{
    public byte* Data { get; } = data;

    public Span<byte> Span => new(Data, BlockLog.BlockBytes);
}

/// <summary>Where blocks come from: mapped memory in the node, pinned arrays in tests.</summary>
internal interface IBlockPool
{
    /// <summary>Takes a block on the account, or null when the budget has none left.</summary>
    Block? TryRent(MemoryAccount account);

    void Return(Block block, MemoryAccount account);
}
