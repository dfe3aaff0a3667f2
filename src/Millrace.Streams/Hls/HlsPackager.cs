using Millrace.Media;
using Millrace.Media.Mp4;
using Millrace.Streams.Cuts;
using Millrace.Streams.Log;
using Millrace.Streams.Relay;

namespace Millrace.Streams.Hls;

/// <summary>
/// Packages one Timeline in one form of HLS, obeying the Marks in the log. Runs on the publisher's thread, inside the
/// stream's lock; <see cref="Snapshot"/> and <see cref="FindSegment"/> are for any thread.
/// </summary>
internal sealed class HlsPackager
{
    /// <summary>What a late packager must see of the log before a Mark, to be sure of the units on both sides of it.</summary>
    internal const long LookBack = 1_000_000;

    /// <summary>
    /// Keys that its files have or had: one for each node that has gone on with the Timeline, of which two are many while anything of them can be
    /// fetched. An event of days whose nodes are restarted each hour has less.
    /// </summary>
    internal const int MaxKeys = 256;

    private CutPlanner? _planner;
    private readonly CutRule _rule;
    private readonly MarkSeries _series;
    private HlsRendition[] _renditions = [];
    private HlsSnapshot _snapshot;
    private long _beginFrom = long.MinValue;
    private Era? _era;
    private long _lastUsed;
    private bool _isStopped;
    private string[] _keys;

    /// <param name="stream">Whose.</param>
    /// <param name="format">Which form.</param>
    /// <param name="options">How it is set.</param>
    /// <param name="planner">Who decides where to cut; null where another node does.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    public HlsPackager(LiveStream stream, HlsFormat format, HlsOptions options, CutPlanner? planner, long now)
    {
        Stream = stream.Name;
        Options = options;
        _planner = planner;
        Ts = format == HlsFormat.TransportStream ? options.Ts : null;
        _rule = Ts?.Cuts ?? options.Cuts;
        _series = Ts?.Cuts is null ? MarkSeries.LowLatency : MarkSeries.TransportStream;
        Memory = new HlsMemory(stream, this);
        Window = new HlsWindow(options, Ts);
        _lastUsed = now;
        Now = now;
        Format = format;
        Timeline = stream.Timeline;
        Key = NameKey = HlsNames.KeyOf(stream.Name, Timeline.Id);
        _keys = [Key];
        _snapshot = new HlsSnapshot(this, [], null, 0, 0, isEnded: false);
    }

    public HlsFormat Format { get; }

    public StreamName Stream { get; }

    /// <summary>The part of playlists' names that stands for stream and Timeline.</summary>
    public string Key { get; private set; }

    /// <summary>The same of what is packaged now: the Timeline may have got another id.</summary>
    internal string NameKey { get; private set; }

    /// <summary>Who decides where to cut; null where another node does.</summary>
    internal CutPlanner? Planner
    {
        set => _planner = value;
    }

    internal MarkSeries Series => _series;

    /// <summary>The number in a segment's name is its media sequence number.</summary>
    public bool IsNumbered => _rule.Naming == SegmentNaming.Sequential;

    /// <summary>Whether some of its files are or were named so; any thread.</summary>
    public bool IsNamed(string key) => Volatile.Read(ref _keys).Contains(key, StringComparer.Ordinal);

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

    /// <summary>Monotonic time of the newest request, microseconds. A race of two requests does no harm.</summary>
    public long LastUsed
    {
        get => Volatile.Read(ref _lastUsed);
        set => Volatile.Write(ref _lastUsed, value);
    }

    /// <summary>Nobody has asked for so long that nobody can be waiting.</summary>
    public bool IsLeft(long now) => now - LastUsed >= Window.LongestHoldMicros;

    /// <summary>Nobody can be waiting, and it is not to be kept warm.</summary>
    public bool IsSpare(long now) => IsLeft(now) && !(Options.IsWarm && Format == HlsFormat.LowLatency);

    /// <summary>Nobody has asked for so long that packaging stops.</summary>
    public bool IsIdle(long now) => IsSpare(now) && now - LastUsed >= Options.IdleMicros;

    /// <summary>Monotonic time of what is being packaged, microseconds.</summary>
    public long Now { get; private set; }

    internal ReadOnlySpan<HlsRendition> Renditions => Volatile.Read(ref _renditions);

    internal HlsMemory Memory { get; }

    internal bool IsStrict => _rule.IsStrict;

    internal HlsWindow Window { get; }

    /// <summary>PART-TARGET, as Marks say it; 0 while it is unknown.</summary>
    internal long PartTargetMicros { get; private set; }

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
    public HlsInit? FindInit(RenditionId id, int era, int config, string nameKey) =>
        Array.Find(Volatile.Read(ref _renditions), rendition => rendition.Id == id)?.FindInit(era, config, nameKey);

    /// <summary>Whether a segment that can be fetched has that content key; any thread.</summary>
    public bool HasKey(long number, string nameKey) => Array.Exists(Volatile.Read(ref _renditions), rendition => rendition.HasKey(number, nameKey));

    /// <summary>Before <see cref="BackFill"/>: what comes before the first segment that is begun here is as another node has packaged it.</summary>
    public void GoOnAfter(RelayPlaylists playlists)
    {
        _keys = [Key = playlists.Key];
        Know(NameKey);
        foreach (var key in playlists.FileKeys)
            Know(key);
        foreach (var (id, segments) in playlists.Renditions)
        {
            if (Array.Find(_renditions, rendition => rendition.Id == id) is not { } rendition)
            {
                rendition = Format == HlsFormat.TransportStream ? new TsRendition(this) : new Fmp4Rendition(this, id);
                Volatile.Write(ref _renditions, [.. _renditions, rendition]);
            }

            rendition.GoOnAfter(segments);
        }
    }

    /// <summary>Packages what the log holds, from the first segment on of which it holds all.</summary>
    public void BackFill(StreamLog log)
    {
        Read(log);
        foreach (var rendition in _renditions)
            rendition.TakeBefore();
        Publish(isForced: true);
    }

    private void Read(StreamLog log)
    {
        if (log.First == log.End)
            return;
        _beginFrom = log[log.First].DtsMicros + LookBack;
        for (var number = log.First; number < log.End; number++)
        {
            if (log[number].Kind != LogEntryKind.Fork)
                continue;
            // What lies before it has the name that it had.
            NameKey = HlsNames.KeyOf(Stream, (ulong)log[number].Pts);
            Know(NameKey);
            break;
        }

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
        if (_isStopped)
            return;
        SetEra(era, log, -1);
        Publish();
    }

    /// <summary>An entry has been appended that begins no Era.</summary>
    public void OnEntry(in LogEntry entry, StreamLog log)
    {
        if (_isStopped)
            return;
        Take(entry, log);
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

    /// <summary>Publishes what has changed.</summary>
    internal void Publish(bool isForced = false)
    {
        if (!isForced && !Array.Exists(_renditions, static rendition => rendition.HasChanged))
            return;
        var views = Array.ConvertAll(_renditions, static rendition => rendition.View());
        if (IsAsked && Array.Exists(views, static view => !view.IsEmpty))
            _planner?.FixTarget();
        Volatile.Write(ref _snapshot, new HlsSnapshot(this, views, _era, PartTargetMicros, Window.TargetSeconds, IsRetired));
        // Who registers as listener looks at the snapshot after that: one of the two sees the other.
        Interlocked.MemoryBarrier();
        Listener?.OnPublished();
    }

    public void Dispose()
    {
        // Who is just going through all packagers may come here once more.
        _isStopped = true;
        foreach (var rendition in _renditions)
            rendition.Dispose();
    }

    /// <summary>False for a Mark on whose far side the log may lack units.</summary>
    internal bool CanBegin(in LogEntry mark) => mark.DtsMicros >= _beginFrom;

    /// <summary>Beyond the limit the oldest goes, but never that of the playlists, which is the first.</summary>
    private void Know(string key)
    {
        if (IsNamed(key))
            return;
        var others = _keys.Length < MaxKeys ? _keys[1..] : _keys[2..];
        Volatile.Write(ref _keys, [Key, .. others, key]);
    }

    private void Fork(ulong timeline)
    {
        NameKey = HlsNames.KeyOf(Stream, timeline);
        Know(NameKey);
        foreach (var rendition in _renditions)
            rendition.Fork(NameKey);
    }

    private void Take(in LogEntry entry, StreamLog log)
    {
        if (entry.Kind == LogEntryKind.Fork)
            Fork((ulong)entry.Dts);
        if (entry.Kind == LogEntryKind.Mark)
        {
            if (entry.Mark.Series != _series)
                return;
            Window.TargetSeconds = entry.Mark.TargetSeconds;
            PartTargetMicros = entry.Mark.PartTargetMicros;
        }

        foreach (var rendition in _renditions)
        {
            if (entry.Kind == LogEntryKind.Unit)
                rendition.OnUnit(entry, log);
            else if (entry.Kind == LogEntryKind.Mark)
                rendition.OnMark(entry, log);
            else if (entry.Kind == LogEntryKind.Config)
                rendition.OnConfig(entry);
            else if (entry.Kind == LogEntryKind.Pause)
                rendition.OnPause(log);
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
}
