using System.Diagnostics;

namespace Millrace.Streams.Buffers;

/// <summary>
/// An append-only run of bytes, addressed by absolute position (the first byte ever written is 0) and held in blocks of
/// 64 KiB. One thread writes; other threads may read what lies between the position that their reader slot protects and
/// the length that the owner has published. Written bytes are never modified.
/// </summary>
internal sealed unsafe class BlockLog(IBlockPool pool, MemoryAccount account) : IDisposable
{
    private MemoryAccount _account = account;

    /// <summary>64 KiB: a 20 ms window of a 25 Mbit/s stream, and small enough for thousands of thin streams.</summary>
    public const int BlockBytes = 1 << BlockShift;

    private const int BlockShift = 16;
    private const int BlockMask = BlockBytes - 1;

    // Index = block number modulo length (a power of two). Replaced whole when it grows, never when a reader could
    // still need an entry: live entries are copied, and an old array keeps those that it had.
    private Block?[] _ring = new Block?[4];
    private long _firstBlock;
    private long _endBlock;

    // Of the byte at Head, while it lies within a block that has been begun. With very many thin logs the way to it over the ring is
    // three looks at memory that is in no cache.
    private byte* _head;

    /// <summary>Position after the last byte written.</summary>
    public long Head { get; private set; }

    /// <summary>Position of the first byte whose block is still held.</summary>
    public long Tail => _firstBlock << BlockShift;

    public long HeldBytes => (_endBlock - _firstBlock) << BlockShift;

    /// <summary>Makes room for <paramref name="bytes"/> more; false (and nothing changed) when the budget refuses.</summary>
    public bool TryReserve(long bytes)
    {
        var end = _endBlock;
        while (Head + bytes > _endBlock << BlockShift)
        {
            var block = pool.TryRent(_account);
            if (block is null)
            {
                ReleaseAbove(end);
                return false;
            }

            AddBlock(block);
        }

        return true;
    }

    /// <summary>Appends into room that <see cref="TryReserve"/> has made.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        Debug.Assert(Head + bytes.Length <= _endBlock << BlockShift, "reserve first");
        while (bytes.Length > 0)
        {
            if (_head is null)
                _head = Locate(Head, 0, out _);
            var count = Math.Min(bytes.Length, BlockBytes - (int)(Head & BlockMask));
            bytes[..count].CopyTo(new Span<byte>(_head, count));
            Head += count;
            _head = (Head & BlockMask) == 0 ? null : _head + count;
            bytes = bytes[count..];
        }
    }

    /// <summary>Appends <paramref name="length"/> bytes of another log, into room that <see cref="TryReserve"/> has made.</summary>
    public void Append(BlockLog source, long position, long length)
    {
        while (length > 0)
        {
            var run = source.Read(position, length);
            Append(run);
            position += run.Length;
            length -= run.Length;
        }
    }

    /// <summary>Lets the blocks count as another holder's from now on.</summary>
    public void MoveTo(MemoryAccount account)
    {
        _account.Hand(HeldBytes, account);
        _account = account;
    }

    /// <summary>The longest contiguous run at <paramref name="position"/>, at most <paramref name="limit"/> bytes.</summary>
    public ReadOnlySpan<byte> Read(long position, long limit)
    {
        var address = Locate(position, limit, out var count);
        return new ReadOnlySpan<byte>(address, count);
    }

    /// <summary>Address and length of the longest contiguous run at <paramref name="position"/>, at most <paramref name="limit"/> bytes.</summary>
    public byte* Locate(long position, long limit, out int count)
    {
        var ring = Volatile.Read(ref _ring);
        var offset = (int)(position & BlockMask);
        count = (int)Math.Min(limit, BlockBytes - offset);
        return ring[(position >> BlockShift) & (ring.Length - 1)]!.Data + offset;
    }

    /// <summary>Copies <paramref name="target"/>.Length bytes from <paramref name="position"/> on.</summary>
    public void CopyTo(long position, Span<byte> target)
    {
        while (target.Length > 0)
        {
            var run = Read(position, target.Length);
            run.CopyTo(target);
            position += run.Length;
            target = target[run.Length..];
        }
    }

    /// <summary>Gives back every block that ends at or below <paramref name="position"/>.</summary>
    public void ReleaseBelow(long position)
    {
        var ring = _ring;
        while (_firstBlock < _endBlock && (_firstBlock + 1) << BlockShift <= position)
        {
            ref var slot = ref ring[_firstBlock & (ring.Length - 1)];
            pool.Return(slot!, _account);
            slot = null;
            _firstBlock++;
        }
    }

    public void Dispose()
    {
        _head = null;
        ReleaseBelow(long.MaxValue);
    }

    /// <summary>Gives back blocks that were just reserved: no byte of them was written, so nobody can be reading them.</summary>
    private void ReleaseAbove(long endBlock)
    {
        var ring = _ring;
        while (_endBlock > endBlock)
        {
            _endBlock--;
            ref var slot = ref ring[_endBlock & (ring.Length - 1)];
            pool.Return(slot!, _account);
            slot = null;
        }
    }

    private void AddBlock(Block block)
    {
        var ring = _ring;
        if (_endBlock - _firstBlock == ring.Length)
        {
            var grown = new Block?[ring.Length * 2];
            for (var number = _firstBlock; number < _endBlock; number++)
                grown[number & (grown.Length - 1)] = ring[number & (ring.Length - 1)];
            Volatile.Write(ref _ring, grown);
            ring = grown;
        }

        ring[_endBlock & (ring.Length - 1)] = block;
        _endBlock++;
    }
}
