using Millrace.Streams.Buffers;
using Millrace.Streams.Log;
using Millrace.Streams.Packaging;
using Millrace.Streams.Publishing;
using Millrace.Streams.Wire;

namespace Millrace.Streams;

/// <summary>
/// One live thing: its Timeline, its log, its wire logs, and who may append. All of it belongs to the holder of
/// <see cref="Gate"/>, which is taken once per access unit by the publisher and never per viewer.
/// </summary>
internal sealed partial class LiveStream(StreamName name, StreamResources resources)
{
    private readonly LeaseSeat _seat = new();
    private readonly WirePackagers _wires = new();
    private long _graceEnd;
    private StreamLog? _log;

    public Lock Gate { get; } = new();

    public StreamName Name { get; } = name;

    public StreamResources Resources { get; } = resources;

    public Timeline Timeline { get; private set; } = new Timeline(TimelineId.Create());

    public StreamState State { get; private set; }

    /// <summary>Unix time at which the Timeline's first unit came, microseconds; 0 before.</summary>
    public long LiveSinceMicros { get; private set; }

    public StreamLease? Holder => _seat.Holder;

    public StreamLog? Log => _log;

    public ReadOnlyMemory<byte> Metadata { get; private set; }

    internal EraReason StartReason => _seat.StartReason;

    /// <summary>The registry has forgotten this object: ask it for the name again.</summary>
    public bool IsSwept { get; private set; }

    public int WireCount => _wires.Active.Length;

    /// <summary>Asks for the right to publish. Null with the reason where somebody else has it.</summary>
    /// <param name="info">Who asks.</param>
    /// <param name="onRevoked">Called with a reason, on any thread, inside the stream's lock, when the lease is taken away.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    /// <param name="refusal">The reason of a refusal.</param>
    public PublisherLease? TryAcquire(PublisherInfo info, Action<string> onRevoked, long now, out string? refusal)
    {
        lock (Gate)
        {
            if (State == StreamState.Grace && _seat.Holder is null && now >= _graceEnd)
                EndTimeline(now);
            while (Resources.Budget.IsTight && Resources.Shed(this, now, Resources.Budget.TightExcess))
            {
            }

            if (Resources.Budget.IsTight)
            {
                refusal = "the media memory budget is used up";
                return null;
            }

            var lease = new PublisherLease(this, info, onRevoked, now);
            return TryTakeSeat(lease, now, out refusal) ? lease : null;
        }
    }

    /// <summary>Ends whoever publishes or waits to take over; the stream waits out its grace. False when nobody does.</summary>
    public bool Kick(string reason, long now)
    {
        lock (Gate)
        {
            _seat.RevokeChallenger(reason);
            if (_seat.Holder is not { } holder)
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
            fromEnd = IsWaitingFor(key.Format);
            return _wires.Attach(this, key, reader, fromEnd ? null : _log, out unsupported);
        }
    }

    /// <summary>Bytes in the stream log's blocks.</summary>
    public long HeldLogBytes => _log?.Bytes.HeldBytes ?? 0;

    /// <summary>Bytes in the blocks of all wire logs.</summary>
    public long HeldWireBytes => _wires.HeldBytes;

    /// <summary>Viewers who come now wait for what comes.</summary>
    public bool IsWaiting => State != StreamState.Live || Timeline.Era is null || _isReplaying;

    /// <summary>As <see cref="IsWaiting"/>; another node takes what there is while the publisher is away.</summary>
    public bool IsWaitingFor(WireFormat format) =>
        format == WireFormat.Relay ? State == StreamState.Idle || Timeline.Era is null || _isReplaying : IsWaiting;

    /// <summary>True when the stream is live with nothing that the wire log can carry.</summary>
    public bool IsEmpty(WireKey key, out string? unsupported)
    {
        lock (Gate)
        {
            unsupported = _wires.WhyEmpty(key);
            return unsupported is not null;
        }
    }

    public void Detach(WireLog wire, WireReader reader, long now)
    {
        lock (Gate)
        {
            _wires.Detach(wire, reader, now);
        }
    }

    /// <summary>Ends a grace that is over and wire logs that nobody reads. True when the stream holds nothing any more.</summary>
    public bool Sweep(long now)
    {
        lock (Gate)
        {
            // A publisher that came back within the grace may take its time to the first key frame.
            if (State == StreamState.Grace && _seat.Holder is null && now >= _graceEnd)
                EndTimeline(now);
            if (State != StreamState.Idle && _seat.IsEmpty && now >= _orphanEnd)
            {
                // Its publisher may have gone on by another node.
                IsLost = true;
                EndTimeline(now);
            }

            _wires.Sweep(now, State == StreamState.Idle ? 0 : Resources.Options.WireLingerMicros);
            ReportHardCuts();
            _hls.Sweep(now, Resources.Budget.IsFilling);
            IsSwept = State == StreamState.Idle && _seat.IsEmpty && _wires.Active.Length == 0 && _hls.IsEmpty;
            return IsSwept;
        }
    }

    internal bool Holds(StreamLease lease) => _seat.Has(lease);

    /// <summary>Makes the lease the only one: a challenger's first key frame has come.</summary>
    internal void TakeOver(StreamLease lease) => _seat.TakeOver(lease);

    /// <summary>The holder's media begins: on a Timeline that waits, or on a new one.</summary>
    internal void GoLive(long now)
    {
        // Of a copy that has had no Era yet there is nothing to go on with.
        if (State != StreamState.Idle && Timeline.Era is null)
            EndTimeline(now);
        if (State != StreamState.Idle && !IsAuthority)
            Fork();
        if (State == StreamState.Idle)
        {
            _formerIds.Clear();
            IsLost = false;
            if (Timeline.Era is not null)
                Timeline = new Timeline(TimelineId.Create());
            Hls = Resources.Hls(Name);
            ResetCuts(now);
            LiveSinceMicros = now + Resources.Options.UnixOffsetMicros;
        }

        IsOrphan = false;
        _log ??= new StreamLog(Resources.Pool, Resources.Budget[MemoryUse.StreamLogs], Resources.Options.LogLimits);
        State = StreamState.Live;
        // What is fetched from another node is the other's, also where this one has gone on with it.
        if (_seat.Holder?.Info.IsFetched == false)
            Resources.Owns(Name, true);
    }

    internal void EndLease(StreamLease lease, bool isClean, long now)
    {
        if (!_seat.Leave(lease) || State == StreamState.Idle)
            return;
        if (!IsAuthority)
        {
            // Nothing came of it: what is here is another node's, who alone numbers what comes behind.
            _orphanEnd = Math.Min(_orphanEnd, now + lease.Info.GraceMicros);
            Abandon();
            return;
        }

        if (State != StreamState.Live)
            return;
        if (Timeline.Era is not { } era)
        {
            EndTimeline(now);
            return;
        }

        CutForPause(now);
        var entry = new LogEntry { Kind = LogEntryKind.Pause, Number = isClean ? 1 : 0, EraNumber = era.Number, DtsMicros = Timeline.EndMicros };
        _log!.Append(entry);
        foreach (var packager in _wires.Active)
            packager.OnPause(entry);
        TellHls(entry);
        State = StreamState.Grace;
        _graceEnd = now + lease.Info.GraceMicros;
        if (isClean)
            _wires.Signal(WireSignal.Unpublished);
    }

    internal void OpenEra(Track[] tracks, EraReason reason, ReadOnlyMemory<byte> metadata, long start, long latenessMicros)
    {
        Metadata = metadata;
        if (Timeline.Era is not null)
            CutForPause(_seat.Holder?.LastArrived ?? Timeline.LastArrivedMicros);
        var era = Timeline.OpenEra(tracks, start, latenessMicros + Resources.Options.UnixOffsetMicros, reason);
        _log!.Append(era);
        foreach (var packager in _wires.Active)
            packager.OnEra(era);
        BeginHlsEra(era);
    }

    /// <summary>A track's next Config holds from the unit on that is about to be appended.</summary>
    internal void AppendConfig(in LogEntry unit, int previous)
    {
        var entry = unit;
        (entry.Kind, entry.IsKey) = (LogEntryKind.Config, false);
        entry.EraNumber = Timeline.Era!.Number;
        CutForConfig(unit, previous, Timeline.Era);
        _log!.Weigh(Timeline.Era.Tracks[entry.Track].Configs[entry.Number]);
        _log.Append(entry);
        TellHls(entry);
        foreach (var packager in _wires.Active)
            packager.OnConfig(entry, _log);
    }

    internal void ChangeMetadata(ReadOnlyMemory<byte> body)
    {
        Metadata = body;
        foreach (var packager in _wires.Active)
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
        if (!TryLog(ref entry, payload, era))
            return false;
        NoteCut(entry, era);
        era.EpochMicros = latenessMicros + Resources.Options.UnixOffsetMicros;
        if (endMicros > 0)
            Timeline.Advance(entry.DtsMicros, endMicros, entry.ArrivedMicros);
        foreach (var packager in _wires.Active)
            packager.OnUnit(entry, _log!);
        TellHls(entry);
        return true;
    }

    private bool TryLog(ref LogEntry entry, ReadOnlySpan<byte> payload, Era era)
    {
        var isJoinPoint = entry.IsKey && era.Leading is { } leading && leading.Id == entry.Track;
        var isLast = false;
        while (!_log!.TryAppend(ref entry, payload, isJoinPoint, era.HasVideo, isLast))
        {
            // What the log itself needs is the very last to go.
            if (isLast)
                return false;
            isLast = !Resources.Shed(this, entry.ArrivedMicros, payload.Length);
        }

        return true;
    }

    private bool TryTakeSeat(StreamLease lease, long now, out string? refusal) =>
        _seat.TryTake(lease, Resources.Options.SilentHolderMicros, now, out refusal);

    private void EndTimeline(long now)
    {
        State = StreamState.Idle;
        Resources.Owns(Name, false);
        LiveSinceMicros = 0;
        _hls.Retire(now);
        _log?.Dispose();
        _log = null;
        (_replica, _isReplaying, _orphanEnd, IsOrphan) = (null, false, long.MaxValue, false);
        Hops.Clear();
        _wires.End();
        TellAwaiting();
    }
}
