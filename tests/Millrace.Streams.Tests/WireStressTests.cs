using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using Millrace.Media.Flv;
using Millrace.Streams.Buffers;
using Millrace.Streams.Wire;
using Millrace.Testing;

namespace Millrace.Streams.Tests;

/// <summary>
/// One writer and several reader threads on a log whose blocks go round as fast as they can. Blocks that went back are
/// scribbled over, so a byte that was read too late fails its message's checksum. MILLRACE_STRESS_SECONDS makes it longer.
/// </summary>
public sealed class WireStressTests
{
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(
        double.TryParse(Environment.GetEnvironmentVariable("MILLRACE_STRESS_SECONDS"), CultureInfo.InvariantCulture, out var seconds) ? seconds : 1.5);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void No_viewer_ever_receives_a_torn_or_foreign_byte(bool goesOffline)
    {
        var budget = new MemoryBudget(1 << 30);
        var pool = new PinnedBlockPool();
        var key = WireKey.Flv(FlvForm.Legacy);
        var wire = new WireLog(key, pool, budget[MemoryUse.WireLogs], new WireLimits(KeepMillis: 40, KeepBytes: 400_000), 128);
        var gate = new Lock();
        var readers = new StressReader[4];
        var failures = new List<string>();
        var watch = Stopwatch.StartNew();
        var threads = new Thread[readers.Length];
        for (var i = 0; i < readers.Length; i++)
        {
            var reader = readers[i] = new StressReader(wire, budget, i, goesOffline);
            lock (gate)
                wire.AddReader(reader);
            threads[i] = new Thread(() => Run(reader));
            threads[i].Start();
        }

        void Run(StressReader reader)
        {
            try
            {
                while (watch.Elapsed < Length)
                    reader.Pass();
            }
            catch (Exception e)
            {
                lock (failures)
                    failures.Add(e.ToString());
            }

            // As a shard that has stopped: the log goes on without it.
            lock (gate)
                wire.RemoveReader(reader);
        }

        var written = Write(wire, gate, () => watch.Elapsed >= Length);
        foreach (var thread in threads)
            thread.Join();
        failures.ShouldBeEmpty();
        readers.Sum(reader => reader.Messages).ShouldBeGreaterThan(1_000);
        readers.Sum(reader => reader.Skips).ShouldBeGreaterThan(0);
        // Blocks were used again and again.
        written.ShouldBeGreaterThan(2L * pool.Made * BlockLog.BlockBytes);
        foreach (var reader in readers)
            reader.Dispose();
        wire.Dispose();
        budget.Used.ShouldBe(0);
    }

    /// <summary>FLV tags with a CRC at the end of each body; one of 20 is a join point.</summary>
    private static long Write(WireLog wire, Lock gate, Func<bool> isOver)
    {
        var random = new Random(7);
        var preamble = new WirePreamble([new WireHeader(18, StressReader.Seal(new byte[300]))]);
        var tag = new byte[70_000];
        random.NextBytes(tag);
        for (var number = 0L; ; number++)
        {
            if (number % 64 == 0)
            {
                if (isOver())
                    return wire.Bytes.Head;
                Thread.Yield();
            }

            var length = number % 20 == 0 ? random.Next(20_000, 60_000) : random.Next(12, 9_000);
            var body = tag.AsSpan(FlvTagHeader.Length, length);
            random.NextBytes(body[..Math.Min(64, length)]);
            BinaryPrimitives.WriteInt64LittleEndian(body, number);
            StressReader.Seal(body);
            FlvTagHeader.Write(tag, FlvTagType.Video, length, (uint)number);
            FlvTagHeader.WriteTrailer(tag.AsSpan(FlvTagHeader.Length + length), length);
            lock (gate)
            {
                var size = length + FlvTagHeader.Length + FlvTagHeader.TrailerLength;
                if (!wire.TryBegin(size, number, number % 20 == 0 ? preamble : null, keepsEverywhere: false))
                    throw new InvalidOperationException("the readers hold more than the budget");
                wire.Bytes.Append(tag.AsSpan(0, size));
                wire.Commit();
            }
        }
    }
}

/// <summary>A shard with viewers of different speeds; one of them often stands still for a long time.</summary>
internal sealed unsafe class StressReader : WireReader, IDisposable
{
    private readonly Cursor[] _cursors = new Cursor[8];
    private readonly byte[][] _partial = new byte[8][];
    private readonly int[] _filled = new int[8];
    private readonly WireLog _wire;
    private readonly Random _random;
    private readonly bool _goesOffline;

    public StressReader(WireLog wire, MemoryBudget budget, int seed, bool goesOffline)
    {
        _wire = wire;
        _random = new Random(seed);
        _goesOffline = goesOffline;
        for (var i = 0; i < _cursors.Length; i++)
        {
            _cursors[i] = new Cursor(budget[MemoryUse.Spills]);
            _cursors[i].Attach(wire, fromEnd: true);
            _partial[i] = new byte[1 << 17];
        }
    }

    public long Messages { get; private set; }

    public long Skips => _cursors.Sum(cursor => cursor.Skips);

    /// <summary>Writes a body's checksum into its last four bytes.</summary>
    public static byte[] Seal(byte[] body)
    {
        Seal(body.AsSpan());
        return body;
    }

    public static void Seal(Span<byte> body) => BinaryPrimitives.WriteUInt32LittleEndian(body[^4..], Checksum(body[..^4]));

    public override void OnCommitted()
    {
    }

    public override void OnSignal(WireSignal signal)
    {
    }

    public void Pass()
    {
        if (_goesOffline)
        {
            PassAsResponse();
            return;
        }

        var floor = _wire.Floor;
        for (var i = 0; i < _cursors.Length; i++)
        {
            if (!_cursors[i].TryFollow())
                throw new InvalidOperationException("no room for a spill");
            Send(i);
        }

        Publish(floor);
    }

    public void Dispose()
    {
        foreach (var cursor in _cursors)
            cursor.Dispose();
    }

    /// <summary>A Kestrel response: one viewer, whose slot is its own position while it sends and offline while it waits.</summary>
    private void PassAsResponse()
    {
        var cursor = _cursors[0];
        Publish(cursor.Position);
        if (!cursor.TryFollow())
            throw new InvalidOperationException("no room for a spill");
        for (var i = 0; i < 50 && cursor.HasBytes; i++)
        {
            Send(0);
            Publish(cursor.Position);
            if (_random.Next(4) == 0)
                Thread.Yield();
            if (!cursor.TryFollow())
                throw new InvalidOperationException("no room for a spill");
        }

        if (cursor.HasBytes || cursor.Fill(new WireRun[1], 1, out _) > 0)
            return;
        Publish(Offline);
        for (var i = _random.Next(60); i > 0; i--)
            Thread.Yield();
    }

    private void Send(int viewer)
    {
        // Odd viewers take little, and the last one hardly anything: they fall below the floor in mid-message.
        if (viewer == 7 && _random.Next(20) != 0)
            return;
        var limit = viewer % 2 == 0 ? 1 << 20 : _random.Next(1, 30_000);
        Span<WireRun> runs = stackalloc WireRun[16];
        var count = _cursors[viewer].Fill(runs, limit, out var bytes);
        var left = Math.Min(limit, bytes);
        var sent = left;
        for (var i = 0; i < count && left > 0; i++)
        {
            var run = new ReadOnlySpan<byte>(runs[i].Address, (int)Math.Min((long)runs[i].Length, left));
            left -= run.Length;
            Receive(viewer, run);
        }

        _cursors[viewer].Advance(sent);
    }

    private void Receive(int viewer, ReadOnlySpan<byte> bytes)
    {
        var buffer = _partial[viewer];
        while (!bytes.IsEmpty)
        {
            ref var filled = ref _filled[viewer];
            var need = filled < FlvTagHeader.Length ? FlvTagHeader.Length : TagLength(buffer);
            var take = Math.Min(need - filled, bytes.Length);
            bytes[..take].CopyTo(buffer.AsSpan(filled));
            filled += take;
            bytes = bytes[take..];
            if (filled < FlvTagHeader.Length || filled < TagLength(buffer))
                continue;
            Verify(buffer.AsSpan(0, filled));
            Messages++;
            filled = 0;
        }
    }

    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        var sum = 0u;
        foreach (var word in words)
            sum = BitOperations.Crc32C(sum, word);
        foreach (var rest in bytes[(words.Length * sizeof(ulong))..])
            sum = BitOperations.Crc32C(sum, rest);
        return sum;
    }

    private static int TagLength(byte[] tag)
    {
        if (tag[0] is not (9 or 18) || tag[1] != 0)
            throw new InvalidDataException($"a foreign byte {tag[0]:x2} {tag[1]:x2} where a tag begins");
        return FlvTagHeader.Length + ((tag[2] << 8) | tag[3]) + FlvTagHeader.TrailerLength;
    }

    private static void Verify(ReadOnlySpan<byte> tag)
    {
        var body = tag[FlvTagHeader.Length..^FlvTagHeader.TrailerLength];
        if (BinaryPrimitives.ReadUInt32LittleEndian(body[^4..]) != Checksum(body[..^4]))
            throw new InvalidDataException("a torn message");
    }
}
