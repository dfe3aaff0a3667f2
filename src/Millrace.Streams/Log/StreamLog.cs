using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Millrace.Streams.Buffers;

namespace Millrace.Streams.Log;

/// <summary>
/// The bounded tail of a stream: access units and the decisions between them, in order of arrival. Belongs to the holder
/// of its stream's lock, readers included.
/// </summary>
/// <param name="pool">Where its bytes lie.</param>
/// <param name="account">What they count for.</param>
/// <param name="limits">How much it keeps.</param>
/// <param name="first">Number of its first entry: on every node an entry has the number that the Timeline's authority has given it.</param>
internal sealed class StreamLog(IBlockPool pool, MemoryAccount account, LogLimits limits, long first = 0) : IDisposable
{
    /// <summary>What is kept as the join point of an Era without video, microseconds.</summary>
    private const long AudioTailMicros = 2_000_000;

    /// <summary>Bounds the entries, whatever the size of units: 10 minutes of 60 pictures and 47 audio frames a second.</summary>
    public const int MaxEntries = 1 << 16;

    /// <summary>Entries that come until the oldest are looked at again, where no block becomes full before.</summary>
    private const int TrimEvery = 64;

    private const int FirstRing = 64;

    private readonly List<Era> _eras = [];
    private LogEntry[] _ring = new LogEntry[FirstRing];
    private long _mask = FirstRing - 1;
    private long _trimNumber;
    private long _trimPosition;

    /// <summary>Number of the oldest entry kept.</summary>
    public long First { get; private set; } = first;

    /// <summary>Number that the next entry gets.</summary>
    public long End { get; private set; } = first;

    /// <summary>Number of the entry where a consumer starts: the newest key frame of the leading track; -1 when none is kept.</summary>
    public long JoinNumber { get; private set; } = -1;

    /// <summary>Media time from which on entries are kept however old they are: the open HLS segment is packaged from here, microseconds.</summary>
    public long NeededFrom { get; set; } = long.MaxValue;

    /// <summary>Number of the oldest entry that somebody is about to read, who goes through the log.</summary>
    public long ReadFrom { get; set; } = long.MaxValue;

    public BlockLog Bytes { get; } = new(pool, account);

    public ref readonly LogEntry this[long number] => ref _ring[number & (_ring.Length - 1)];

    /// <summary>
    /// Appends a unit. False when the budget has no room for it. With <paramref name="isLast"/> all that lies before the join
    /// point is given up for it first, whoever needs it, and where the unit makes a new one, the old one with what follows.
    /// </summary>
    public bool TryAppend(ref LogEntry entry, ReadOnlySpan<byte> payload, bool isJoinPoint, bool hasVideo, bool isLast)
    {
        if (isLast)
            GiveUp(isReplaced: isJoinPoint && hasVideo);
        if (!Bytes.TryReserve(payload.Length))
            return false;

        entry.Position = Bytes.Head;
        entry.Length = payload.Length;
        Bytes.Append(payload);
        Add(entry);
        if (isJoinPoint)
            MoveJoinPoint(entry, hasVideo);
        // Memory is given back by blocks, and the oldest entries are in no cache.
        if (End >= _trimNumber || Bytes.Head >= _trimPosition)
            Trim(entry.DtsMicros);
        return true;
    }

    /// <summary>Entries of an Era follow that has begun before the first of them.</summary>
    public void Adopt(Era era)
    {
        _eras.Add(era);
        foreach (var track in era.Tracks)
            Weigh(track.Config);
    }

    /// <summary>Appends the beginning of an Era.</summary>
    public void Append(Era era)
    {
        _eras.RemoveAll(old => First < End && old.Number < this[First].EraNumber);
        Adopt(era);
        Append(new LogEntry { Kind = LogEntryKind.EraStart, Number = era.Number, EraNumber = era.Number, DtsMicros = era.StartMicros });
    }

    /// <summary>The Era that entries of that number belong to.</summary>
    public Era EraOf(int number) => _eras.Find(era => era.Number == number)!;

    /// <summary>Number of the Config of <paramref name="track"/> that is in force before entry <paramref name="number"/>.</summary>
    public int ConfigAt(long number, Track track)
    {
        for (var era = this[number].EraNumber; number < End && this[number].EraNumber == era; number++)
        {
            ref readonly var entry = ref this[number];
            if (entry.Track == track.Id && entry.Kind is LogEntryKind.Unit or LogEntryKind.Config)
                return entry.Kind == LogEntryKind.Unit ? entry.Number : entry.Number - 1;
        }

        return Math.Max(0, track.Configs.Length - 1);
    }

    /// <summary>Appends an entry without payload.</summary>
    public void Append(LogEntry entry)
    {
        entry.Position = Bytes.Head;
        Add(entry);
    }

    /// <summary>
    /// Lets a Config count as media does: it lives as long as the entries that need it, and a publisher that changes it
    /// with every frame must not hold more than the log's limit.
    /// </summary>
    public void Weigh(Media.Config? config)
    {
        if (config is { InitData.IsEmpty: false } && Bytes.TryReserve(config.InitData.Length))
            Bytes.Append(config.InitData.Span);
    }

    public void Dispose() => Bytes.Dispose();

    private void Add(in LogEntry entry)
    {
        if (End - First > _mask)
        {
            var grown = new LogEntry[_ring.Length * 2];
            for (var number = First; number < End; number++)
                grown[number & (grown.Length - 1)] = this[number];
            (_ring, _mask) = (grown, grown.Length - 1);
        }

        // Not by the array's length, which lies far from the entry: with very many streams each is a line that is in no cache.
        Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_ring), (nint)(End & _mask)) = entry;
        End++;
    }

    private void MoveJoinPoint(in LogEntry newest, bool hasVideo)
    {
        // Without video the join point stays two seconds behind, but never in another Era.
        if (hasVideo || JoinNumber < 0 || this[JoinNumber].EraNumber != newest.EraNumber)
        {
            JoinNumber = End - 1;
            return;
        }

        while (JoinNumber < End - 1 && !IsAudioJoin(this[JoinNumber], newest))
            JoinNumber++;
    }

    private static bool IsAudioJoin(in LogEntry entry, in LogEntry newest) =>
        entry.Kind == LogEntryKind.Unit && entry.Track == newest.Track && entry.DtsMicros >= newest.DtsMicros - AudioTailMicros;

    /// <summary>
    /// Gives up what lies before the join point, but nothing from position <paramref name="needed"/> on and nothing that is about
    /// to be read. Returns the bytes.
    /// </summary>
    public long Shed(long needed)
    {
        var held = Bytes.HeldBytes;
        // The newest entry may be just on its way to the packagers.
        var end = Math.Min(JoinNumber < 0 ? End - 1 : JoinNumber, ReadFrom);
        while (First < end && this[First].Position + this[First].Length <= needed)
            First++;
        Release();
        return held - Bytes.HeldBytes;
    }

    /// <summary>Gives up what lies before the join point, or all of it where a new one comes or none is kept.</summary>
    private void GiveUp(bool isReplaced)
    {
        First = isReplaced || JoinNumber < 0 ? End : JoinNumber;
        Release();
    }

    private void Trim(long dtsMicros)
    {
        while (First < End)
        {
            ref readonly var entry = ref this[First];
            var isOld = First < JoinNumber && entry.DtsMicros < Math.Min(dtsMicros - limits.KeepMicros, NeededFrom);
            if (!isOld && Bytes.Head - entry.Position <= limits.KeepBytes && End - First <= MaxEntries)
                break;
            First++;
        }

        Release();
        _trimNumber = Math.Min(End + TrimEvery, First + _mask + 1);
        _trimPosition = (Bytes.Head / BlockLog.BlockBytes * BlockLog.BlockBytes) + BlockLog.BlockBytes;
    }

    private void Release()
    {
        if (JoinNumber < First)
            JoinNumber = -1;
        Bytes.ReleaseBelow(First < End ? this[First].Position : Bytes.Head);
    }
}

/// <summary>How much a stream log keeps.</summary>
/// <param name="KeepMicros">Media time behind the head, microseconds; the newest key frame stays whatever its age.</param>
/// <param name="KeepBytes">Bytes behind the head; this limit wins over the newest key frame.</param>
internal readonly record struct LogLimits(long KeepMicros, long KeepBytes);
