using Millrace.Media;
using Millrace.Media.Mp4;
using Millrace.Streams.Buffers;
using Millrace.Streams.Cuts;
using Millrace.Streams.Log;

namespace Millrace.Streams.Hls;

/// <summary>The two forms of HLS.</summary>
internal enum HlsFormat
{
    /// <summary>fMP4 with parts; a rendition for each track.</summary>
    LowLatency,

    /// <summary>MPEG-TS, all tracks in one.</summary>
    TransportStream,
}

/// <summary>Is told that a packager has published a new <see cref="HlsPackager.Snapshot"/>; inside the stream's lock, so it must only take note.</summary>
internal interface IHlsListener
{
    void OnPublished();
}

/// <summary>
/// Packages one Timeline in one form of HLS, obeying the Marks in the log. Runs on the publisher's thread, inside the
/// stream's lock; <see cref="Snapshot"/> and <see cref="FindSegment"/> are for any thread.
/// </summary>
internal sealed class HlsPackager
{
    /// <summary>What a late packager must see of the log before a Mark, to be sure of the units on both sides of it.</summary>
    private const long LookBack = 1_000_000;

    private readonly LiveStream _stream;
    private readonly CutPlanner _cuts;
    private HlsRendition[] _renditions = [];
    private HlsSnapshot _snapshot;
    private long _beginFrom = long.MinValue;
    private Era? _era;
    private long _lastUsed;

    public HlsPackager(LiveStream stream, HlsFormat format, HlsOptions options, CutPlanner cuts, long now)
    {
        _stream = stream;
        Options = options;
        _cuts = cuts;
        Ts = format == HlsFormat.TransportStream ? options.Ts : null;
        _lastUsed = now;
        Now = now;
        Format = format;
        Timeline = stream.Timeline;
        Key = HlsNames.KeyOf(stream.Name, Timeline.Id);
        _snapshot = new HlsSnapshot(this, [], null, 0, 0, isEnded: false);
    }

    public HlsFormat Format { get; }

    public StreamName Stream => _stream.Name;

    /// <summary>The part of all file names that stands for stream and Timeline.</summary>
    public string Key { get; }

    public Timeline Timeline { get; }

    public HlsOptions Options { get; }

    /// <summary>Null for LL-HLS.</summary>
    public TsOptions? Ts { get; }

    /// <summary>Who waits for what comes.</summary>
    public IHlsListener? Listener { get; set; }

    /// <summary>The newest published state.</summary>
    public HlsSnapshot Snapshot => Volatile.Read(ref _snapshot);

    /// <summary>The stream has ended; what there is can be fetched for a while.</summary>
    public bool IsRetired { get; private set; }

    /// <summary>Somebody has asked: what a playlist says of TARGETDURATION holds from then on.</summary>
    public bool IsAsked { get; private set; }

    /// <summary>Nothing is left that could be fetched.</summary>
    public bool IsDrained => IsRetired && Array.TrueForAll(_renditions, static rendition => rendition.IsDrained);

    /// <summary>Monotonic time of the newest request, microseconds. A race of two requests does no harm.</summary>
    public long LastUsed
    {
        get => Volatile.Read(ref _lastUsed);
        set => Volatile.Write(ref _lastUsed, value);
    }

    /// <summary>Monotonic time of what is being packaged, microseconds.</summary>
    public long Now { get; private set; }

    internal IBlockPool Pool => _stream.Resources.Pool;

    internal MemoryAccount WindowAccount => _stream.Resources.Budget[MemoryUse.HlsWindows];

    internal MemoryAccount RetainedAccount => _stream.Resources.Budget[MemoryUse.RetainedObjects];

    internal bool IsStrict => _cuts.Rule.IsStrict;

    internal bool IsEvent => Ts is { IsEvent: true };

    internal bool KeepsRemoved => Ts is { KeepsRemoved: true };

    internal long PartTargetMicros => _cuts.Part.Micros;

    /// <summary>No segment is removed that would leave less (RFC 8216bis 6.2.2).</summary>
    internal long LeastWindowMicros => 3 * _cuts.TargetSeconds * 1_000_000;

    /// <summary>A request may wait for so long (RFC 8216bis 6.2.5.2), and a moment for its answer.</summary>
    public long LongestHoldMicros => LeastWindowMicros + 1_000_000;

    internal long WindowMicros => Ts?.WindowMicros ?? 0;

    internal int WindowSegments => Options.Segments;

    /// <summary>Bytes in the blocks of all segments.</summary>
    public long HeldBytes => Array.ConvertAll(_renditions, static rendition => rendition.HeldBytes).Sum();

    /// <summary>A segment of a rendition by the number in its name; any thread.</summary>
    public HlsSegment? FindSegment(RenditionId id, long name)
    {
        foreach (var rendition in Volatile.Read(ref _renditions))
        {
            if (rendition.Id == id)
                return rendition.Find(name);
        }

        return null;
    }

    /// <summary>An initialization section that a segment still needs; any thread.</summary>
    public HlsInit? FindInit(RenditionId id, int era, int config) =>
        Array.Find(Volatile.Read(ref _renditions), rendition => rendition.Id == id)?.FindInit(era, config);

    /// <summary>Whether a segment that can be fetched has that content key; any thread.</summary>
    public bool HasKey(long number) => Array.Exists(Volatile.Read(ref _renditions), rendition => rendition.HasKey(number));

    /// <summary>Packages what the log holds, from the first segment on of which it holds all.</summary>
    public void BackFill(StreamLog log)
    {
        if (log.First == log.End)
            return;
        _beginFrom = log[log.First].DtsMicros + LookBack;
        if (log[log.First].Kind != LogEntryKind.EraStart)
            SetEra(log.EraOf(log[log.First].EraNumber), log, log.First);
        for (var number = log.First; number < log.End; number++)
        {
            ref readonly var entry = ref log[number];
            if (entry.Kind == LogEntryKind.EraStart)
                SetEra(log.EraOf(entry.Number), log, -1);
            else
                Take(entry, log);
        }

        _beginFrom = long.MinValue;
        Publish(isForced: true);
    }

    /// <summary>A request has come.</summary>
    public void Ask(long now)
    {
        LastUsed = now;
        if (IsAsked)
            return;
        IsAsked = true;
        Publish(isForced: true);
    }

    /// <summary>Time has come to <paramref name="now"/>; to be said before the Marks of that time.</summary>
    public void Advance(long now) => Now = Math.Max(Now, now);

    public void OnEra(Era era, StreamLog log)
    {
        SetEra(era, log, -1);
        Publish();
    }

    /// <summary>A unit, Config or Mark has been appended.</summary>
    public void OnEntry(in LogEntry entry, StreamLog log)
    {
        Take(entry, log);
        Publish();
    }

    /// <summary>The publisher has gone; it may come back.</summary>
    public void OnPause(StreamLog log)
    {
        foreach (var rendition in _renditions)
            rendition.OnPause(log);
        Publish();
    }

    /// <summary>The stream has ended: EXT-X-ENDLIST.</summary>
    public void Retire(long now)
    {
        Advance(now);
        IsRetired = true;
        foreach (var rendition in _renditions)
            rendition.Retire();
        Publish(isForced: true);
    }

    /// <summary>Lets go of what has been fetchable for long enough. With <paramref name="isShedding"/>, of all that no playlist lists. Returns the bytes.</summary>
    public long Expire(long now, bool isShedding = false)
    {
        Advance(now);
        var freed = 0L;
        foreach (var rendition in _renditions)
            freed += rendition.Expire(isShedding);
        return freed;
    }

    /// <summary>Shortens the playlists to three target durations. Returns the bytes.</summary>
    public long ShedWindows()
    {
        var freed = 0L;
        foreach (var rendition in _renditions)
            freed += rendition.ShedWindow();
        Publish();
        return freed;
    }

    public void Dispose()
    {
        foreach (var rendition in _renditions)
            rendition.Dispose();
    }

    /// <summary>False for a Mark on whose far side the log may lack units.</summary>
    internal bool CanBegin(in LogEntry mark) => mark.DtsMicros >= _beginFrom;

    /// <summary>The number of the content key of a segment; -1: it is not encrypted.</summary>
    internal long KeyOf(in LogEntry mark) =>
        Ts is not { IsEncrypted: true } ? -1
        : Ts.SegmentsPerKey == 0 ? mark.EraNumber
        : mark.Mark.Number / Ts.SegmentsPerKey * Ts.SegmentsPerKey;

    /// <summary>The URI of a segment, relative to its playlist.</summary>
    internal string NameOf(RenditionId id, HlsSegment segment) =>
        Ts is null ? HlsNames.Segment(id, segment.Number, Key) : HlsNames.TsSegment(Stream.Name, Ts, segment.Name, Key);

    internal string KeyNameOf(long number) => HlsNames.ContentKey(Stream.Name, Ts!, number, Key);

    internal bool TryReserve(BlockLog target, long bytes)
    {
        while (!TryTake(target, bytes))
        {
            if (!_stream.Resources.Shed(_stream))
                return false;
        }

        return true;
    }

    private bool TryTake(BlockLog target, long bytes) => !_stream.Resources.Budget.IsFilling && target.TryReserve(bytes);

    private void Take(in LogEntry entry, StreamLog log)
    {
        if (entry.Kind == LogEntryKind.Mark && entry.Mark.Series != _cuts.Series)
            return;
        foreach (var rendition in _renditions)
        {
            if (entry.Kind == LogEntryKind.Unit)
                rendition.OnUnit(entry, log);
            else if (entry.Kind == LogEntryKind.Mark)
                rendition.OnMark(entry, log);
            else if (entry.Kind == LogEntryKind.Config)
                rendition.OnConfig(entry);
        }
    }

    /// <param name="era">The Era.</param>
    /// <param name="log">The log.</param>
    /// <param name="from">The entry to start from in mid-Era; -1: its beginning.</param>
    private void SetEra(Era era, StreamLog log, long from)
    {
        _era = era;
        if (from < 0)
            _beginFrom = long.MinValue;
        if (Format == HlsFormat.TransportStream && _renditions.Length == 0)
            _renditions = [new TsRendition(this)];
        if (Format == HlsFormat.LowLatency)
            AddRenditions(era);
        foreach (var rendition in _renditions)
            rendition.OnEra(era, log, from);
    }

    private void AddRenditions(Era era)
    {
        foreach (var track in era.Tracks)
        {
            var id = new RenditionId(track.Kind, track.WireId);
            if (track.Kind != TrackKind.Data && InitSection.CanCarry(track.Codec) && !Array.Exists(_renditions, rendition => rendition.Id == id))
                Volatile.Write(ref _renditions, [.. _renditions, new Fmp4Rendition(this, id)]);
        }
    }

    private void Publish(bool isForced = false)
    {
        if (!isForced && !Array.Exists(_renditions, static rendition => rendition.HasChanged))
            return;
        var views = Array.ConvertAll(_renditions, static rendition => rendition.View());
        if (IsAsked && Array.Exists(views, static view => !view.IsEmpty))
            _cuts.FixTarget();
        Volatile.Write(ref _snapshot, new HlsSnapshot(this, views, _era, _cuts.Part.Micros, _cuts.TargetSeconds, IsRetired));
        // Who registers as listener looks at the snapshot after that: one of the two sees the other.
        Interlocked.MemoryBarrier();
        Listener?.OnPublished();
    }
}
