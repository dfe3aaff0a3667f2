using System.Security.Cryptography;
using Millrace.Streams.Buffers;
using Millrace.Streams.Log;
using Millrace.Streams.Packaging;
using Millrace.Streams.Publishing;
using Millrace.Streams.Wire;

namespace Millrace.Streams;

internal enum StreamState
{
    /// <summary>Nobody publishes; viewers may wait.</summary>
    Idle,

    Live,

    /// <summary>The publisher has gone; the Timeline waits for its return.</summary>
    Grace,
}

/// <summary>
/// One live thing: its Timeline, its log, its wire logs, and who may append. All of it belongs to the holder of
/// <see cref="Gate"/>, which is taken once per access unit by the publisher and never per viewer.
/// </summary>
internal sealed partial class LiveStream(StreamName name, StreamResources resources)
{
    private readonly Dictionary<WireKey, WirePackager> _packagers = [];
    private WirePackager[] _activePackagers = [];
    private PublisherLease? _holder;
    private PublisherLease? _challenger;
    private long _graceEnd;
    private StreamLog? _log;

    /// <summary>Wire logs at once: every format and form has room; one made-up variant after the other has not.</summary>
    public const int MaxWireLogs = 24;

    public Lock Gate { get; } = new();

    public StreamName Name { get; } = name;

    public StreamResources Resources { get; } = resources;

    public Timeline Timeline { get; private set; } = NewTimeline();

    public StreamState State { get; private set; }

    /// <summary>Unix time at which the Timeline's first unit came, microseconds; 0 before.</summary>
    public long LiveSinceMicros { get; private set; }

    public PublisherLease? Holder => _holder;

    public StreamLog? Log => _log;

    public ReadOnlyMemory<byte> Metadata { get; private set; }

    internal EraReason StartReason { get; private set; }

    /// <summary>The registry has forgotten this object: ask it for the name again.</summary>
    public bool IsSwept { get; private set; }

    public int WireCount => _activePackagers.Length;

    /// <summary>Asks for the right to publish. Null with the reason where somebody else has it.</summary>
    /// <param name="info">Who asks.</param>
    /// <param name="onRevoked">Called with a reason, on any thread, inside the stream's lock, when the lease is taken away.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    /// <param name="refusal">The reason of a refusal.</param>
    public PublisherLease? TryAcquire(PublisherInfo info, Action<string> onRevoked, long now, out string? refusal)
    {
        lock (Gate)
        {
            refusal = null;
            if (State == StreamState.Grace && _holder is null && now >= _graceEnd)
                EndTimeline(now);
            if (Resources.Budget.IsTight)
            {
                refusal = "the media memory budget is used up";
                return null;
            }

            while (_holder is not null && now - _holder.LastArrived >= Resources.Options.SilentHolderMicros)
            {
                Revoke(ref _holder, "silent while another publisher came");
                Promote();
            }

            if (_holder is not null && info.Duplicate == DuplicatePolicy.Reject)
            {
                refusal = "the stream is already being published";
                return null;
            }

            var lease = new PublisherLease(this, info, onRevoked, now);
            if (_holder is null)
            {
                StartReason = EraReason.Reconnect;
                _holder = lease;
                return lease;
            }

            Revoke(ref _challenger, "another publisher took the stream over");
            _challenger = lease;
            return lease;
        }
    }

    /// <summary>Ends whoever publishes or waits to take over; the stream waits out its grace. False when nobody does.</summary>
    public bool Kick(string reason, long now)
    {
        lock (Gate)
        {
            Revoke(ref _challenger, reason);
            if (_holder is not { } holder)
                return false;
            EndLease(holder, isClean: false, now);
            holder.OnRevoked(reason);
            return true;
        }
    }

    /// <summary>
    /// Gives the wire log of a format, started (and filled from the log back to the newest key frame) if it is the first
    /// to ask, with the reader attached. Null when the stream is live with nothing that the format can carry.
    /// </summary>
    /// <param name="key">Format and variant.</param>
    /// <param name="reader">The reader to attach.</param>
    /// <param name="fromEnd">True when the stream is not live: the viewer waits at the end for what comes.</param>
    /// <param name="unsupported">What the format cannot carry.</param>
    public WireLog? Attach(WireKey key, WireReader reader, out bool fromEnd, out string? unsupported)
    {
        lock (Gate)
        {
            fromEnd = IsWaiting;
            unsupported = null;
            if (!_packagers.TryGetValue(key, out var packager))
            {
                if (_packagers.Count >= MaxWireLogs)
                {
                    unsupported = "too many variants of the stream are being played";
                    return null;
                }

                packager = new WirePackager(this, key);
                if (!fromEnd)
                    packager.BackFill(_log!);
                _packagers.Add(key, packager);
                _activePackagers = [.. _packagers.Values];
            }

            if (!fromEnd && packager.IsEmpty)
            {
                unsupported = packager.DescribeEmpty();
                if (packager.Wire.Readers.Length == 0)
                    Remove(packager);
                return null;
            }

            packager.Wire.AddReader(reader);
            return packager.Wire;
        }
    }

    /// <summary>Bytes in the stream log's blocks.</summary>
    public long HeldLogBytes => _log?.Bytes.HeldBytes ?? 0;

    /// <summary>Bytes in the blocks of all wire logs.</summary>
    public long HeldWireBytes => _activePackagers.Sum(packager => packager.Wire.Bytes.HeldBytes);

    /// <summary>Viewers who come now wait for what comes.</summary>
    public bool IsWaiting => State != StreamState.Live || Timeline.Era is null;

    /// <summary>True when the stream is live with nothing that the wire log can carry.</summary>
    public bool IsEmpty(WireKey key, out string? unsupported)
    {
        lock (Gate)
        {
            var isEmpty = _packagers.TryGetValue(key, out var packager) && packager.IsEmpty;
            unsupported = isEmpty ? packager!.DescribeEmpty() : null;
            return isEmpty;
        }
    }

    public void Detach(WireLog wire, WireReader reader, long now)
    {
        lock (Gate)
        {
            wire.RemoveReader(reader);
            wire.Reclaim();
            if (wire.Readers.Length > 0)
                return;
            if (_packagers.TryGetValue(wire.Key, out var packager) && packager.Wire == wire)
                packager.IdleSince = now;
            else
                wire.Dispose();
        }
    }

    /// <summary>Ends a grace that is over and wire logs that nobody reads. True when the stream holds nothing any more.</summary>
    public bool Sweep(long now)
    {
        lock (Gate)
        {
            // A publisher that came back within the grace may take its time to the first key frame.
            if (State == StreamState.Grace && _holder is null && now >= _graceEnd)
                EndTimeline(now);
            var linger = State == StreamState.Idle ? 0 : Resources.Options.WireLingerMicros;
            foreach (var packager in _activePackagers)
            {
                if (packager.Wire.Readers.Length == 0 && now - packager.IdleSince >= linger)
                    Remove(packager);
            }

            SweepHls(now);
            IsSwept = State == StreamState.Idle && _holder is null && _challenger is null && _packagers.Count == 0 && _retiredHls.Length == 0;
            return IsSwept;
        }
    }

    internal bool Holds(PublisherLease lease) => lease == _holder || lease == _challenger;

    /// <summary>Makes the lease the only one: a challenger's first key frame has come.</summary>
    internal void TakeOver(PublisherLease lease)
    {
        if (lease != _challenger)
            return;
        _challenger = null;
        Revoke(ref _holder, "another publisher took the stream over");
        StartReason = EraReason.Takeover;
        _holder = lease;
    }

    /// <summary>The holder's media begins: on a Timeline that waits, or on a new one.</summary>
    internal void GoLive(long now)
    {
        if (State == StreamState.Idle)
        {
            if (Timeline.Era is not null)
                Timeline = NewTimeline();
            ResetCuts(now);
            LiveSinceMicros = now + Resources.Options.UnixOffsetMicros;
        }

        _log ??= new StreamLog(Resources.Pool, Resources.Budget[MemoryUse.StreamLogs], Resources.Options.LogLimits);
        State = StreamState.Live;
    }

    internal void EndLease(PublisherLease lease, bool isClean, long now)
    {
        lease.Dispose();
        if (lease == _challenger)
            _challenger = null;
        if (lease != _holder)
            return;
        Promote();
        if (State != StreamState.Live)
            return;
        foreach (var packager in _activePackagers)
            packager.Wire.MarkIdle();
        PauseHls(now);
        State = StreamState.Grace;
        _graceEnd = now + lease.Info.GraceMicros;
        if (isClean)
            Signal(WireSignal.Unpublished);
    }

    internal void OpenEra(Track[] tracks, EraReason reason, ReadOnlyMemory<byte> metadata, long start, long latenessMicros)
    {
        Metadata = metadata;
        if (Timeline.Era is not null)
            PauseHls(_holder?.LastArrived ?? Timeline.LastArrivedMicros);
        var era = Timeline.OpenEra(tracks, start, latenessMicros + Resources.Options.UnixOffsetMicros, reason);
        _log!.Append(era);
        foreach (var packager in _activePackagers)
            packager.OnEra(era);
        BeginHlsEra(era);
    }

    /// <summary>A track's next Config holds from the unit on that is about to be appended.</summary>
    internal void AppendConfig(in LogEntry unit, int previous)
    {
        var entry = unit;
        entry.Kind = LogEntryKind.Config;
        entry.EraNumber = Timeline.Era!.Number;
        CutForConfig(unit, previous, Timeline.Era);
        _log!.Weigh(Timeline.Era.Tracks[entry.Track].Configs[entry.Number]);
        _log.Append(entry);
        TellHls(entry);
        foreach (var packager in _activePackagers)
            packager.OnConfig(entry);
    }

    internal void ChangeMetadata(ReadOnlyMemory<byte> body)
    {
        Metadata = body;
        foreach (var packager in _activePackagers)
            packager.OnMetadata();
    }

    /// <param name="entry">The unit; its place in the log is filled in.</param>
    /// <param name="payload">Copied.</param>
    /// <param name="endMicros">Media time at which it ends; 0 for data, which do not move the time.</param>
    /// <param name="latenessMicros">Monotonic time of media time 0, as the sender's clock says.</param>
    internal bool AppendUnit(ref LogEntry entry, ReadOnlySpan<byte> payload, long endMicros, long latenessMicros)
    {
        var era = Timeline.Era!;
        entry.EraNumber = era.Number;
        Cut(entry, era);
        var isJoinPoint = entry.IsKey && era.Leading is { } leading && leading.Id == entry.Track;
        if (!_log!.TryAppend(ref entry, payload, isJoinPoint, era.HasVideo)
            && !(Resources.Shed(this) && _log.TryAppend(ref entry, payload, isJoinPoint, era.HasVideo)))
            return false;
        era.EpochMicros = latenessMicros + Resources.Options.UnixOffsetMicros;
        if (endMicros > 0)
            Timeline.Advance(entry.DtsMicros, endMicros, entry.ArrivedMicros);
        foreach (var packager in _activePackagers)
            packager.OnUnit(entry, _log);
        TellHls(entry);
        return true;
    }

    /// <summary>Idle packagers are the first to go when the budget is used up. Returns the bytes.</summary>
    private long ShedIdlePackagers()
    {
        var freed = 0L;
        foreach (var packager in _activePackagers)
        {
            if (packager.Wire.Readers.Length > 0)
                continue;
            freed += packager.Wire.Bytes.HeldBytes;
            Remove(packager);
        }

        return freed;
    }

    /// <summary>The holder has gone: who waited to take over comes back in its place.</summary>
    private void Promote()
    {
        StartReason = EraReason.Reconnect;
        _holder = _challenger;
        _challenger = null;
    }

    private static Timeline NewTimeline()
    {
        Span<byte> id = stackalloc byte[8];
        RandomNumberGenerator.Fill(id);
        return new Timeline(BitConverter.ToUInt64(id));
    }

    private static void Revoke(ref PublisherLease? lease, string reason)
    {
        if (lease is null)
            return;
        lease.Dispose();
        lease.OnRevoked(reason);
        lease = null;
    }

    private void EndTimeline(long now)
    {
        State = StreamState.Idle;
        LiveSinceMicros = 0;
        RetireHls(now);
        _log?.Dispose();
        _log = null;
        foreach (var packager in _activePackagers)
        {
            packager.Wire.Signal(WireSignal.Ended);
            Remove(packager);
        }
    }

    private void Signal(WireSignal signal)
    {
        foreach (var packager in _activePackagers)
            packager.Wire.Signal(signal);
    }

    private void Remove(WirePackager packager)
    {
        _packagers.Remove(packager.Wire.Key);
        _activePackagers = [.. _packagers.Values];
        if (packager.Wire.Readers.Length == 0)
            packager.Wire.Dispose();
    }
}
