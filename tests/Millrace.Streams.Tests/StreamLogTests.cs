using Millrace.Streams.Buffers;
using Millrace.Streams.Log;
using Millrace.Testing;

namespace Millrace.Streams.Tests;

public sealed class StreamLogTests
{
    private const int KeepBytes = 200_000;
    private const long FrameMicros = 20_000;

    private readonly MemoryBudget _budget = new(64 << 20);

    /// <summary>Entries are looked at now and then, memory is held by blocks: so much more than the limit, and no more.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(5_000)]
    [InlineData(70_000)]
    public void The_log_keeps_its_limit_of_bytes_and_little_more(int unitBytes)
    {
        using var log = new StreamLog(new PinnedBlockPool(), _budget[MemoryUse.StreamLogs], new LogLimits(long.MaxValue / 2, KeepBytes));
        for (var i = 0; i < 2_000; i++)
        {
            Append(log, i, unitBytes, isKey: i % 50 == 0);
            log.Bytes.HeldBytes.ShouldBeLessThanOrEqualTo(KeepBytes + unitBytes + (2 * BlockLog.BlockBytes));
        }

        (log.Bytes.Head - log[log.First].Position).ShouldBeGreaterThanOrEqualTo(Math.Min(KeepBytes - unitBytes, log.Bytes.Head));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3_000)]
    public void The_log_keeps_its_limit_of_time_its_join_point_and_each_entry_in_its_place(int unitBytes)
    {
        const int KeepFrames = 100;
        const int Group = 30;
        const int Late = 64;
        using var log = new StreamLog(new PinnedBlockPool(), _budget[MemoryUse.StreamLogs], new LogLimits(KeepFrames * FrameMicros, 32 << 20));
        for (var i = 0; i < 2_000; i++)
        {
            Append(log, i, unitBytes, isKey: i % Group == 0);

            (log.End - log.First).ShouldBeInRange(Math.Min(i + 1, KeepFrames), KeepFrames + Late + 1);
            log.JoinNumber.ShouldBe(i / Group * Group);
            for (var number = log.First; number < log.End; number++)
                log[number].DtsMicros.ShouldBe(number * FrameMicros);
        }
    }

    private static void Append(StreamLog log, int number, int bytes, bool isKey)
    {
        var entry = new LogEntry { Kind = LogEntryKind.Unit, IsKey = isKey, DtsMicros = number * FrameMicros };
        log.TryAppend(ref entry, new byte[bytes], isJoinPoint: isKey, hasVideo: true, isLast: false).ShouldBeTrue();
    }
}
