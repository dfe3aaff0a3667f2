using Millrace.Streams.Buffers;
using Millrace.Testing;

namespace Millrace.Streams.Tests;

public sealed class BlockLogTests
{
    private readonly PinnedBlockPool _pool = new();
    private readonly MemoryBudget _budget = new(16 * BlockLog.BlockBytes);

    private MemoryAccount Account => _budget[MemoryUse.StreamLogs];

    [Theory]
    [InlineData(1)]
    [InlineData(999)]
    [InlineData(BlockLog.BlockBytes - 1)]
    [InlineData(BlockLog.BlockBytes)]
    [InlineData(BlockLog.BlockBytes + 1)]
    [InlineData((3 * BlockLog.BlockBytes) - 7)]
    public void Bytes_are_read_as_they_were_written_while_old_blocks_go(int length)
    {
        using var log = new BlockLog(_pool, Account);
        for (var i = 0; i < 200; i++)
        {
            var written = Bytes(length, i);
            log.TryReserve(length).ShouldBeTrue();
            log.Append(written);

            ReadBack(log, log.Head - length, length).ShouldBe(written);
            log.ReleaseBelow(log.Head);
        }

        log.HeldBytes.ShouldBeLessThanOrEqualTo(BlockLog.BlockBytes);
    }

    [Fact]
    public void A_refused_reservation_changes_nothing_wherever_the_head_is()
    {
        foreach (var head in (int[])[0, 1, BlockLog.BlockBytes - 1, BlockLog.BlockBytes, BlockLog.BlockBytes + 1])
        {
            using var log = new BlockLog(_pool, Account);
            log.TryReserve(head).ShouldBeTrue();
            log.Append(Bytes(head, 1));
            var held = log.HeldBytes;

            log.TryReserve(_budget.Limit + 1).ShouldBeFalse();

            log.HeldBytes.ShouldBe(held);
            _budget.Used.ShouldBe(held);
            log.TryReserve(100).ShouldBeTrue();
            log.Append(Bytes(100, 2));
            ReadBack(log, 0, head).ShouldBe(Bytes(head, 1));
            ReadBack(log, head, 100).ShouldBe(Bytes(100, 2));
        }
    }

    [Fact]
    public void Nothing_can_be_written_into_blocks_that_were_given_back()
    {
        var log = new BlockLog(_pool, Account);
        log.TryReserve(100).ShouldBeTrue();
        log.Append(Bytes(50, 1));
        log.Dispose();

        Should.Throw<NullReferenceException>(() => log.Append(Bytes(50, 2)));

        _pool.TryRent(Account)!.Span.ToArray().ShouldAllBe(static value => value == PinnedBlockPool.Scribble);
    }

    private static byte[] Bytes(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static byte[] ReadBack(BlockLog log, long position, int length)
    {
        var bytes = new byte[length];
        log.CopyTo(position, bytes);
        return bytes;
    }
}
