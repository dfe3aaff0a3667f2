using System.Security.Cryptography;
using Millrace.Protocols.Relay;
using Millrace.Streams.Buffers;
using Millrace.Streams.Log;

namespace Millrace.Streams.Hls;

/// <summary>A Partial Segment: a run of its segment's bytes.</summary>
/// <param name="Position">In the segment.</param>
/// <param name="Length">Bytes; 0 where the part is a GAP.</param>
/// <param name="DurationMicros">DURATION.</param>
/// <param name="IsIndependent">It holds a picture that can be decoded without an earlier one.</param>
/// <param name="ETag">Hash of its bytes.</param>
internal readonly record struct HlsPart(long Position, int Length, long DurationMicros, bool IsIndependent, string ETag)
{
    public bool IsGap => Length == 0;
}

/// <summary>An initialization section (EXT-X-MAP) of one Config of one Era.</summary>
/// <param name="Era">Number of the Era.</param>
/// <param name="Config">Number of the Config.</param>
/// <param name="Bytes">The section.</param>
/// <param name="ETag">Hash of its bytes.</param>
/// <param name="NameKey">The part of its name that stands for stream and Timeline.</param>
internal sealed record HlsInit(int Era, int Config, byte[] Bytes, string ETag, string NameKey)
{
    /// <summary>Whoever has made it.</summary>
    public bool IsSameAs(HlsInit? other) => other is not null && other.Era == Era && other.Config == Config;
}

/// <summary>
/// One Media Segment of a rendition, from its first part on. Written by the packager inside the stream's lock; what is
/// published of it never changes and may be read by any thread that holds a pin.
/// </summary>
internal sealed class HlsSegment
{
    private const int FirstParts = 4;

    private HlsPart[] _parts;
    private int _pins = 1;
    private bool _isSealed;
    private long _length = -1;
    private readonly string _nameKey;
    private string _wholeKey;
    private int _forkedAt = int.MaxValue;
    private bool _isDropped;

    /// <param name="mark">Where it begins.</param>
    /// <param name="nameKey">The part of its files' names that stands for stream and Timeline.</param>
    /// <param name="key">Number of its content key; -1: none.</param>
    /// <param name="pool">Where its bytes lie.</param>
    /// <param name="account">What they count for.</param>
    /// <param name="parts">How many parts it has, where that is known.</param>
    public HlsSegment(in LogEntry mark, string nameKey, long key, IBlockPool pool, MemoryAccount account, int parts = 0)
    {
        _parts = parts > 0 ? new HlsPart[parts] : [];
        _nameKey = _wholeKey = nameKey;
        Number = mark.Mark.Number;
        Name = mark.Dts;
        Discontinuities = mark.Number;
        IsBreak = mark.Mark.IsBreak;
        BorderMicros = mark.DtsMicros;
        BorderDateMicros = mark.Pts;
        StartMicros = mark.DtsMicros;
        Key = key;
        Bytes = new BlockLog(pool, account);
    }

    /// <summary>Media sequence number.</summary>
    public long Number { get; }

    /// <summary>Number in the file's name.</summary>
    public long Name { get; }

    /// <summary>The part of the whole segment's name that stands for stream and Timeline.</summary>
    public string NameKey => Volatile.Read(ref _wholeKey);

    /// <summary>The same of a part's name: it differs for those that were made before another node went on.</summary>
    public string NameKeyOf(int part) => part < _forkedAt ? _nameKey : NameKey;

    /// <summary>From the next part on it is not what it would have become at the node that has begun it.</summary>
    public void Fork(string nameKey)
    {
        _forkedAt = Math.Min(_forkedAt, PartCount);
        Volatile.Write(ref _wholeKey, nameKey);
    }

    /// <summary>First part of another name than those before, and that of those; for <see cref="Relay.RelayPlaylists"/>.</summary>
    public (int At, string Before) Forked => (_forkedAt, _nameKey);

    /// <summary>Discontinuities of the Timeline up to it.</summary>
    public int Discontinuities { get; }

    /// <summary>The newest of them is its own: EXT-X-DISCONTINUITY.</summary>
    public bool IsBreak { get; }

    /// <summary>Media time at which the authority has cut, microseconds.</summary>
    public long BorderMicros { get; }

    public long BorderDateMicros { get; }

    /// <summary>Number of the content key; -1: none.</summary>
    public long Key { get; }

    /// <summary>Media time at which this rendition's segment begins: audio frames do not end where pictures do.</summary>
    public long StartMicros { get; set; }

    /// <summary>EXT-X-PROGRAM-DATE-TIME: Unix time, microseconds; a calendar has it, whatever another node says of the three.</summary>
    public long DateMicros => Math.Clamp(BorderDateMicros + StartMicros - BorderMicros, RelayReader.EarliestDate, RelayReader.LatestDate);

    /// <summary>EXTINF once it is sealed; before, the sum of its parts.</summary>
    public long DurationMicros { get; private set; }

    public HlsInit? Init { get; set; }

    public BlockLog Bytes { get; set; }

    /// <summary>Whoever sees it set sees the finished bytes and tag, on any thread.</summary>
    public bool IsSealed => Volatile.Read(ref _isSealed);

    public string ETag { get; private set; } = "";

    /// <summary>Bytes of it, whether they are here or on another node.</summary>
    public long Length => Volatile.Read(ref _length) is >= 0 and var away ? away : Bytes.Head;

    /// <summary>The bytes are on another node, from where they can be fetched.</summary>
    public bool IsAway => Volatile.Read(ref _length) > 0;

    /// <summary>Monotonic time, microseconds: up to then it is not to be had, and not asked for again.</summary>
    public long LostUntil { get; set; }

    /// <summary>Nothing came for it.</summary>
    public bool IsGap => Length == 0;

    /// <summary>Another node has made it.</summary>
    public void LeaveAway(long length) => Volatile.Write(ref _length, length);

    /// <summary>The bytes have come; they are not another segment's.</summary>
    public void Bring(BlockLog bytes)
    {
        Bytes = bytes;
        Volatile.Write(ref _length, -1);
    }

    public int PartCount { get; private set; }

    /// <summary>A Mark says again where it begins.</summary>
    public bool IsSameAs(in LogEntry mark) => mark.Mark.Number == Number && mark.DtsMicros == BorderMicros;

    /// <summary>Those before the count of a view never change.</summary>
    public HlsPart[] Parts => _parts;

    /// <summary>Monotonic time after which it may go, microseconds, once it has left the playlist.</summary>
    public long ExpiresAt { get; set; } = long.MaxValue;

    public void Add(in HlsPart part)
    {
        if (PartCount == _parts.Length)
            Array.Resize(ref _parts, Math.Max(FirstParts, _parts.Length * 2));
        _parts[PartCount++] = part;
        DurationMicros += part.DurationMicros;
    }

    public void Seal(long durationMicros, string etag)
    {
        (DurationMicros, ETag) = (durationMicros, etag);
        Volatile.Write(ref _isSealed, true);
    }

    /// <summary>Keeps the bytes while they are sent; false when they have gone.</summary>
    public bool TryPin()
    {
        var pins = Volatile.Read(ref _pins);
        while (pins > 0)
        {
            var seen = Interlocked.CompareExchange(ref _pins, pins + 1, pins);
            if (seen == pins)
                return true;
            pins = seen;
        }

        return false;
    }

    /// <summary>It can be asked for no more: only those who are being sent it keep its bytes.</summary>
    public bool IsDropped => Volatile.Read(ref _isDropped);

    /// <summary>Gives the packager's own pin back.</summary>
    public void Drop()
    {
        Volatile.Write(ref _isDropped, true);
        Unpin();
    }

    /// <summary>Gives a pin back; with the last the bytes go.</summary>
    public void Unpin()
    {
        if (Interlocked.Decrement(ref _pins) == 0)
            Bytes.Dispose();
    }

    /// <summary>Of the parts' hashes: the bytes are theirs, and have been read once already.</summary>
    public string HashOfParts() =>
        HlsNames.Tag(System.Text.Encoding.ASCII.GetBytes(string.Concat(_parts.Take(PartCount).Select(static part => part.ETag))));

    /// <summary>Hash of a run of the bytes: strong, and the same on every node that has the same bytes.</summary>
    public static string Hash(BlockLog bytes, long position, long length)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        while (length > 0)
        {
            var run = bytes.Read(position, length);
            hash.AppendData(run);
            position += run.Length;
            length -= run.Length;
        }

        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(digest);
        return HlsNames.Tag(digest);
    }
}
