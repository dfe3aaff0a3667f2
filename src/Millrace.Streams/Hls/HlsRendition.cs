using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Millrace.Media;
using Millrace.Streams.Buffers;
using Millrace.Streams.Log;

namespace Millrace.Streams.Hls;

/// <summary>
/// One media playlist in the making: its open segment, those that the playlist lists, and those that have left it but can
/// still be fetched. Belongs to the holder of the stream's lock, but for <see cref="Find"/>.
/// </summary>
internal abstract class HlsRendition(HlsPackager packager, RenditionId id)
{
    private readonly ConcurrentDictionary<long, HlsSegment> _byName = new();
    private readonly Queue<HlsSegment> _removed = new();
    private HlsSegment[] _listed = [];
    private long _listedMicros;
    private long _longestMicros;
    private IReadOnlyList<HlsKnownSegment> _before = [];

    public RenditionId Id { get; } = id;

    protected HlsPackager Packager { get; } = packager;

    protected HlsSegment? Open { get; private set; }

    /// <summary>At this position of the log; null where the rendition has not one track of its own.</summary>
    protected virtual Config? Config => null;

    /// <summary>Something to publish has happened since <see cref="View"/> was made.</summary>
    public bool HasChanged { get; private set; }

    /// <summary>Other tracks go on under this name from here.</summary>
    /// <param name="era">The Era.</param>
    /// <param name="log">The log.</param>
    /// <param name="from">The entry to start from in mid-Era; -1: its beginning.</param>
    public abstract void OnEra(Era era, StreamLog log, long from);

    public abstract void OnUnit(in LogEntry entry, StreamLog log);

    public abstract void OnMark(in LogEntry mark, StreamLog log);

    /// <summary>The publisher has gone: nothing is waited for any more.</summary>
    public abstract void OnPause(StreamLog log);

    public virtual void OnConfig(in LogEntry entry)
    {
    }

    /// <summary>The segments that can be fetched, the oldest first, those that the playlist lists among them.</summary>
    public IEnumerable<HlsKnownSegment> Known =>
        _removed.Select(static segment => new HlsKnownSegment(segment, IsListed: false)).Concat(_listed.Select(static segment => new HlsKnownSegment(segment, IsListed: true)));

    /// <summary>What another node has packaged before the first segment that is begun here.</summary>
    public void GoOnAfter(IReadOnlyList<HlsKnownSegment> known) => _before = known;

    /// <summary>No segment was begun here: the playlist is the other node's.</summary>
    public void TakeBefore(long number = long.MaxValue)
    {
        if (_before.Count == 0)
            return;
        var listed = new List<HlsSegment>();
        foreach (var (segment, isListed) in _before)
        {
            if (segment.Number >= number)
                continue;
            _byName[segment.Name] = segment;
            if (isListed)
                listed.Add(segment);
            else
                Remove(segment);
        }

        _before = [];
        List(CollectionsMarshal.AsSpan(listed));
    }

    /// <summary>By the number in its name; any thread.</summary>
    public HlsSegment? Find(long name) => _byName.GetValueOrDefault(name);

    /// <summary>Any thread.</summary>
    public HlsInit? FindInit(int era, int config, string nameKey)
    {
        foreach (var segment in _byName.Values)
        {
            if (segment.Init is { } init && init.Era == era && init.Config == config && init.NameKey == nameKey)
                return init;
        }

        return null;
    }

    /// <summary>Any thread.</summary>
    public bool HasKey(long number, string nameKey)
    {
        foreach (var segment in _byName.Values)
        {
            if (segment.Key == number && number >= 0 && (nameKey.Length == 0 || segment.NameKey == nameKey))
                return true;
        }

        return false;
    }

    public RenditionView View()
    {
        HasChanged = false;
        return new RenditionView(Id, _listed, Open) { Config = Config, HintKey = Packager.NameKey };
    }

    /// <summary>Position in the stream log from which on it is still to be packaged.</summary>
    public virtual long NeededFrom => long.MaxValue;

    /// <summary>Lets go of what has been fetchable for long enough.</summary>
    public void Expire()
    {
        while (_removed.TryPeek(out var oldest) && Packager.Now >= oldest.ExpiresAt)
            Drop(_removed.Dequeue());
    }

    /// <summary>Lets go of what no playlist lists, the oldest first, until <paramref name="bytes"/> are free. Returns the bytes.</summary>
    public long ShedRetained(long bytes)
    {
        var freed = 0L;
        while (freed < bytes && _removed.TryDequeue(out var oldest))
            freed += Drop(oldest);
        return freed;
    }

    /// <summary>Takes the oldest segment off the playlist; false where that would leave less than three target durations.</summary>
    public bool TryShorten()
    {
        if (!Packager.Window.CanRemove(_listed, _listedMicros))
            return false;
        RemoveOldest();
        HasChanged = true;
        return true;
    }

    public void Dispose()
    {
        foreach (var segment in _byName.Values)
            Drop(segment);
        Open = null;
        _listed = [];
        _removed.Clear();
    }

    public long HeldBytes
    {
        get
        {
            var held = 0L;
            foreach (var segment in _byName.Values)
                held += segment.Bytes.HeldBytes;
            return held;
        }
    }

    /// <summary>Once it is retired: nothing is left to fetch, though the last playlist still lists it.</summary>
    public bool IsDrained => _removed.Count == 0;

    /// <summary>The stream has ended: the playlist stays as it is, for as long as its segments may be fetched.</summary>
    public void Retire()
    {
        if (Open is { } open && !open.IsSealed)
            Drop(open);
        Open = null;
        HasChanged = true;
        foreach (var segment in _listed)
            Remove(segment);
    }

    protected void Begin(in LogEntry mark, long key)
    {
        // A segment that nothing came into makes room for one of the same number.
        if (Open is { IsSealed: false } empty)
            Drop(empty);
        TakeBefore(mark.Mark.Number);
        Open = new HlsSegment(mark, Packager.NameKey, key, Packager.Memory.Pool, Packager.Memory.Windows);
        _byName[Open.Name] = Open;
    }

    /// <summary>Where the open segment begins is said again, now as a discontinuity: what has come into it stays.</summary>
    protected void Reannounce(in LogEntry mark)
    {
        var old = Open!;
        Open = new HlsSegment(mark, Packager.NameKey, old.Key, Packager.Memory.Pool, Packager.Memory.Windows) { Bytes = old.Bytes, StartMicros = old.StartMicros };
        _byName.TryRemove(old.Name, out _);
        _byName[Open.Name] = Open;
    }

    protected void MarkChanged() => HasChanged = true;

    /// <summary>Another node goes on with the segment that is open.</summary>
    public void Fork(string nameKey) => Open?.Fork(nameKey);

    /// <summary>Another Era begins: what comes before its first Mark belongs to no segment.</summary>
    protected void Abandon()
    {
        if (Open is { } empty)
            Drop(empty);
        Open = null;
    }

    /// <summary>Ends the open segment and lists it.</summary>
    protected void Seal(long durationMicros, string etag)
    {
        var segment = Open!;
        Open = null;
        segment.Seal(durationMicros, etag);
        List([segment]);
        Expire();
    }

    /// <summary>One after the other, but with one copy of the list: another node may have thousands.</summary>
    private void List(ReadOnlySpan<HlsSegment> segments)
    {
        HlsSegment[] all = [.. _listed, .. segments];
        var first = 0;
        for (var end = _listed.Length + 1; end <= all.Length; end++)
        {
            _listedMicros += all[end - 1].DurationMicros;
            for (; Packager.Window.IsOverfull(all.AsSpan(first..end), _listedMicros); first++)
            {
                _listedMicros -= all[first].DurationMicros;
                Remove(all[first]);
            }

            _longestMicros = Math.Max(_longestMicros, _listedMicros);
        }

        _listed = first > 0 ? all[first..] : all;
        HasChanged = true;
    }

    private void RemoveOldest()
    {
        var segment = _listed[0];
        _listed = _listed[1..];
        _listedMicros -= segment.DurationMicros;
        Remove(segment);
    }

    private void Remove(HlsSegment segment)
    {
        Retain(segment);
        _removed.Enqueue(segment);
    }

    /// <summary>For its own duration and that of the longest playlist it was in (RFC 8216bis 6.2.2).</summary>
    private void Retain(HlsSegment segment)
    {
        segment.ExpiresAt = Packager.Window.KeepsRemoved ? long.MaxValue : Packager.Now + segment.DurationMicros + _longestMicros;
        segment.Bytes.MoveTo(Packager.Memory.Retained);
    }

    /// <summary>Returns the bytes; 0 while somebody is being sent it.</summary>
    private long Drop(HlsSegment segment)
    {
        _byName.TryRemove(new KeyValuePair<long, HlsSegment>(segment.Name, segment));
        var held = segment.Bytes.HeldBytes;
        segment.Drop();
        return held - segment.Bytes.HeldBytes;
    }
}

/// <summary>A complete segment that a rendition has.</summary>
internal readonly record struct HlsKnownSegment(HlsSegment Segment, bool IsListed);
