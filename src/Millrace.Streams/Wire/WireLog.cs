using Millrace.Streams.Buffers;
using Millrace.Streams.Packaging;

namespace Millrace.Streams.Wire;

/// <summary>
/// The finished bytes of one stream in one format: whole messages, appended once and shared by every viewer of that
/// format. Appends, trimming and the list of readers belong to the holder of the stream's lock; <see cref="Committed"/>,
/// <see cref="Floor"/> and <see cref="JoinNumber"/> may be read by any thread.
/// </summary>
internal sealed class WireLog : IDisposable
{
    /// <summary>What a joiner of a stream without video gets: the last 2 s.</summary>
    private const long AudioJoinMillis = 2_000;

    /// <summary>Bounds the index, whatever the size of messages: 10 minutes of 60 pictures and 47 audio frames a second.</summary>
    private const long MaxMessages = 1 << 16;

    private readonly WireLimits _limits;
    private WireReader[] _readers = [];
    private long _committed;
    private long _floor;
    private long _floorNumber;
    private long _joinNumber = -1;
    private bool _joinEverywhere;
    private long _idleEnd;
    private bool _isEnded;
    private FramedPreamble? _preamble;

    public WireLog(WireKey key, IBlockPool pool, MemoryAccount account, WireLimits limits, int chunkSize)
    {
        ChunkSize = chunkSize;
        Key = key;
        _limits = limits;
        Bytes = new BlockLog(pool, account);
    }

    public WireKey Key { get; }

    /// <summary>Payload bytes of each RTMP chunk.</summary>
    public int ChunkSize { get; }

    public BlockLog Bytes { get; }

    public WireIndex Index { get; } = new();

    /// <summary>Bytes before this position are complete messages and may be sent.</summary>
    public long Committed => Volatile.Read(ref _committed);

    /// <summary>Start of the oldest message that is kept; a cursor below it has lost media.</summary>
    public long Floor => Volatile.Read(ref _floor);

    /// <summary>Number of the message where a viewer starts: the newest key frame; -1 when there is none.</summary>
    public long JoinNumber => Volatile.Read(ref _joinNumber);

    /// <summary>Number of the oldest message that is kept.</summary>
    public long FloorNumber => _floorNumber;

    /// <summary>Where a viewer starts that came while the stream was not live: what comes next begins here.</summary>
    public long IdleEnd => Volatile.Read(ref _idleEnd);

    /// <summary>What a viewer that starts at the message of this number is sent first; framed once for all who start there. Any thread.</summary>
    public ReadOnlySpan<byte> PreambleAt(long number)
    {
        var framed = Volatile.Read(ref _preamble);
        if (framed is null || framed.Number != number)
        {
            ref readonly var entry = ref Index[number];
            framed = new FramedPreamble(number, WireFraming.FramePreamble(Key, entry.Preamble!, entry.DtsMillis, ChunkSize));
            Volatile.Write(ref _preamble, framed);
        }

        return framed.Bytes;
    }

    /// <summary>Messages that did not fit into the budget or the format.</summary>
    public long Refused { get; private set; }

    /// <summary>A message was refused: nothing is written until a join point, which must announce its state anew.</summary>
    public bool AwaitsJoinPoint { get; private set; }

    public ReadOnlySpan<WireReader> Readers => _readers;

    public void AddReader(WireReader reader)
    {
        reader.Publish(_floor);
        _readers = [.. _readers, reader];
    }

    public void RemoveReader(WireReader reader)
    {
        reader.Publish(WireReader.Offline);
        _readers = Array.FindAll(_readers, other => other != reader);
    }

    /// <summary>Viewers start at the message of this number from now on.</summary>
    public void SetJoin(long number, WirePreamble preamble)
    {
        Index.SetPreamble(number, preamble);
        Volatile.Write(ref _joinNumber, number);
    }

    /// <summary>The stream is not live: whoever attaches now starts with what comes next.</summary>
    public void MarkIdle() => Volatile.Write(ref _idleEnd, Bytes.Head);

    /// <summary>Leaves a message out: what follows it up to a join point is of no use.</summary>
    public void Refuse()
    {
        Refused++;
        AwaitsJoinPoint = true;
    }

    /// <summary>A join point of <paramref name="length"/> bytes has come after a refusal: it and what announces it may be written.</summary>
    public void Resume(long length)
    {
        if (!Bytes.TryReserve(length))
            Shed(isReplaced: true);
        AwaitsJoinPoint = false;
    }

    /// <summary>
    /// Opens a message of exactly <paramref name="length"/> bytes. False when the budget has no room for it even without
    /// the media that nobody can start with any more: the message is refused.
    /// </summary>
    /// <param name="length">Bytes of the message, framing included.</param>
    /// <param name="dtsMillis">Media time, milliseconds.</param>
    /// <param name="preamble">What a player must have before it starts here; null where it cannot.</param>
    /// <param name="keepsEverywhere">Every message is a join point (no video): join two seconds back, not at the newest.</param>
    public bool TryBegin(long length, long dtsMillis, WirePreamble? preamble, bool keepsEverywhere)
    {
        if (AwaitsJoinPoint)
            return false;
        if (!Bytes.TryReserve(length))
        {
            Shed(preamble is not null && !keepsEverywhere);
            if (!Bytes.TryReserve(length))
            {
                Refuse();
                return false;
            }
        }

        _joinEverywhere = keepsEverywhere;
        Index.Add(new WireEntry { Start = Bytes.Head, DtsMillis = dtsMillis, Preamble = preamble });
        return true;
    }

    /// <summary>Publishes what was written since the last commit, advances the floor and tells the readers.</summary>
    public void Commit()
    {
        if (Bytes.Head == _committed)
            return;
        var newest = Index.End - 1;
        ref readonly var entry = ref Index[newest];
        MoveJoinPoint(newest, entry);
        Volatile.Write(ref _committed, Bytes.Head);
        AdvanceFloor(entry.DtsMillis);
        Reclaim();
        foreach (var reader in _readers)
            reader.OnCommitted();
    }

    /// <summary>The Timeline has ended: whoever comes now needs another log.</summary>
    public bool IsEnded => Volatile.Read(ref _isEnded);

    public void Signal(WireSignal signal)
    {
        if (signal == WireSignal.Ended)
            Volatile.Write(ref _isEnded, true);
        foreach (var reader in _readers)
            reader.OnSignal(signal);
    }

    /// <summary>Gives back what no reader can need any more.</summary>
    public void Reclaim()
    {
        var safe = _floor;
        foreach (var reader in _readers)
            safe = Math.Min(safe, reader.Passed);
        Index.ReleaseBelow(safe);
        Bytes.ReleaseBelow(safe);
    }

    /// <summary>
    /// Keeps no more than viewers start with, whoever lags. Returns the bytes; those that readers are still at come with a later
    /// <see cref="Reclaim"/>.
    /// </summary>
    public long ShedToJoinPoint()
    {
        var held = Bytes.HeldBytes;
        Shed(isReplaced: false);
        return held - Bytes.HeldBytes;
    }

    public void Dispose() => Bytes.Dispose();

    private void MoveJoinPoint(long newest, in WireEntry entry)
    {
        if (entry.Preamble is null)
            return;
        if (!_joinEverywhere || _joinNumber < 0)
        {
            Volatile.Write(ref _joinNumber, newest);
            return;
        }

        var number = _joinNumber;
        while (number < newest && (Index[number].Preamble is null || Index[number].DtsMillis < entry.DtsMillis - AudioJoinMillis))
            number++;
        Volatile.Write(ref _joinNumber, number);
    }

    /// <summary>
    /// Gives up what lies before the join point. A key frame that has no room takes its place, and where there is no join
    /// point nobody can start with anything.
    /// </summary>
    private void Shed(bool isReplaced)
    {
        // All that was begun so far is complete.
        Volatile.Write(ref _committed, Bytes.Head);
        MoveFloor(isReplaced || _joinNumber < 0 ? Index.End : _joinNumber);
        Reclaim();
    }

    private void AdvanceFloor(long dtsMillis)
    {
        var number = _floorNumber;
        var end = Index.End;
        var head = Bytes.Head;
        while (number < end)
        {
            ref readonly var entry = ref Index[number];
            var isOld = number < _joinNumber && entry.DtsMillis < dtsMillis - _limits.KeepMillis;
            if (!isOld && head - entry.Start <= _limits.KeepBytes && end - number <= MaxMessages)
                break;
            number++;
        }

        MoveFloor(number);
    }

    private void MoveFloor(long number)
    {
        if (number <= _floorNumber)
            return;
        _floorNumber = number;
        if (_joinNumber < number)
            Volatile.Write(ref _joinNumber, -1);
        Volatile.Write(ref _floor, number < Index.End ? Index[number].Start : Bytes.Head);
        // Orders the floor before the look at the readers' slots; WireReader.Publish is the other half.
        Interlocked.MemoryBarrier();
    }

    private sealed record FramedPreamble(long Number, byte[] Bytes);
}

/// <summary>How much a wire log keeps for viewers that lag.</summary>
/// <param name="KeepMillis">Media time behind the head, milliseconds; the newest key frame stays whatever its age.</param>
/// <param name="KeepBytes">Bytes behind the head; this limit wins over the newest key frame.</param>
internal readonly record struct WireLimits(long KeepMillis, long KeepBytes);
