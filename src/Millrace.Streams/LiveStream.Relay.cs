using System.Buffers;
using Millrace.Streams.Cuts;
using Millrace.Streams.Hls;
using Millrace.Streams.Log;
using Millrace.Streams.Publishing;
using Millrace.Streams.Relay;
using Millrace.Streams.Wire;

namespace Millrace.Streams;

/// <content>The stream among nodes: as a copy of another node's, and for those that copy it.</content>
internal sealed partial class LiveStream
{
    /// <summary>
    /// Who resumes by an older one begins anew. A node that has lost its connection resumes while wire logs still have its place, in which the nodes
    /// that decide do not change as often.
    /// </summary>
    private const int MaxFormerIds = 64;

    private readonly CutHistory _cutHistory = new();

    /// <summary>Ids that the Timeline had, and the number of the first entry that was not theirs any more.</summary>
    private readonly List<(ulong Id, long End)> _formerIds = [];
    private readonly List<Action> _awaitingHls = [];
    private ReplicaLease? _replica;
    private bool _isReplaying;
    private long _orphanEnd = long.MaxValue;
    private string[] _path = [];

    /// <summary>This node decides where the Timeline is cut; else it obeys another's Marks.</summary>
    public bool IsAuthority => _replica is null;

    /// <summary>The nodes that the log has come through, the authority first; empty at the authority.</summary>
    public IReadOnlyList<string> Path => _path;

    /// <summary>It has ended here alone: others may have it still. Any thread.</summary>
    public bool IsLost { get; private set; }

    /// <summary>The node that it came from has gone, and no other has been found yet: nothing comes, and viewers are kept. Any thread.</summary>
    public bool IsOrphan { get; private set; }

    /// <summary>The way of units.</summary>
    public RelayHops Hops { get; } = new();

    /// <summary>Who publishes, here or at the authority; null where that is not known. Any thread.</summary>
    public RelayedPublisher? Publisher => !IsAuthority ? Hops.Publisher : Holder?.Info is { } info ? new RelayedPublisher(info.Protocol, info.Remote) : null;

    /// <summary>Asks for the right to append what another node has decided. Null with the reason where somebody else has it.</summary>
    /// <param name="info">Who asks.</param>
    /// <param name="onWant">Called with a form of HLS whose playlists are needed from the other node; inside the stream's lock.</param>
    /// <param name="onRevoked">As of <see cref="TryAcquire"/>.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    /// <param name="refusal">The reason of a refusal.</param>
    public ReplicaLease? TryAcquireReplica(PublisherInfo info, Action<HlsFormat> onWant, Action<string> onRevoked, long now, out string? refusal)
    {
        lock (Gate)
        {
            var lease = new ReplicaLease(this, info, onWant, onRevoked, now);
            if (!TryTakeSeat(lease, now, out refusal))
                return null;
            IsOrphan = false;
            return lease;
        }
    }

    /// <summary>Writes what the playlists of a form say now, for another node; false where there are none. Any thread.</summary>
    public bool TryWritePlaylists(HlsFormat format, IBufferWriter<byte> target)
    {
        lock (Gate)
        {
            if (_log is not { } log || _hls.Find(format) is not { IsAsked: true } packager)
                return false;
            RelayPlaylists.Write(target, packager, log.End);
            return true;
        }
    }

    /// <summary>Writes all that can be known of the stream but its media (<see cref="RelayDescription"/>); false while it is not live. Any thread.</summary>
    /// <param name="formats">One bit for each form of HLS whose playlists are wanted.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    /// <param name="target">The payload is written here.</param>
    public bool TryDescribe(byte formats, long now, IBufferWriter<byte> target)
    {
        lock (Gate)
        {
            if (State == StreamState.Idle || _log is not { } log || Timeline.Era is null)
                return false;
            RelayDescription.Write(target, this, log, Array.FindAll(_hls.Active, packager => (formats & (1 << (int)packager.Format)) != 0 && packager.IsAsked), now);
            return true;
        }
    }

    /// <summary>Position among the bytes of a relay's wire log where the entry of that number lies; -1 where it is not kept or has not come.</summary>
    /// <param name="wire">The wire log.</param>
    /// <param name="timeline">Id of the Timeline that the number belongs to.</param>
    /// <param name="number">Of the entry.</param>
    public long FindRelay(WireLog wire, ulong timeline, long number)
    {
        lock (Gate)
        {
            var isSame = timeline == Timeline.Id || _formerIds.Exists(former => former.Id == timeline && number <= former.End);
            if (!isSame || _wires.Find(wire.Key) is not RelayPackager { } packager || packager.Wire != wire)
                return -1;
            var index = packager.Find(number);
            return index < 0 ? -1 : index == wire.Index.End ? wire.Committed : wire.Index[index].Start;
        }
    }

    /// <summary>Whether somebody plays the stream, or has asked for its HLS so lately that he may ask again.</summary>
    public bool IsWatched(long now)
    {
        lock (Gate)
        {
            return _wires.HasReaders || Array.Exists(_hls.Active, packager => !packager.IsLeft(now));
        }
    }

    /// <summary>The playlists of the other node, as they were before the log's newest entry but those that came since.</summary>
    internal void BeginHls(RelayPlaylists playlists, long now)
    {
        if (_hls.Find(playlists.Format) is not null || !CanStartHls(playlists.Format, out _))
            return;
        var packager = new HlsPackager(this, playlists.Format, Hls, planner: null, now);
        packager.GoOnAfter(playlists);
        BackFill(packager);
        packager.Ask(now);
        TellAwaiting();
    }

    /// <summary>Another node has gone on with the numbering.</summary>
    /// <param name="entry">As it stands in the other node's log.</param>
    /// <param name="path">The nodes that the log comes through now.</param>
    internal void FollowFork(in LogEntry entry, string[] path)
    {
        _path = path;
        AppendFork(entry);
    }

    /// <summary>A connection to the other node goes on where another one left off.</summary>
    internal void KeepReplica(ReplicaLease lease)
    {
        (_replica, _orphanEnd, IsOrphan) = (lease, long.MaxValue, false);
        if (!lease.Info.IsFetched)
            Resources.Owns(Name, true);
    }

    /// <summary>The other node's Timeline has ended.</summary>
    internal void EndReplica(long now)
    {
        if (State != StreamState.Idle)
            EndTimeline(now);
    }

    /// <summary>The lease ends; viewers are kept for <paramref name="grace"/> microseconds, in which another may go on.</summary>
    internal void LeaveReplica(ReplicaLease lease, long grace, long now)
    {
        if (!_seat.Leave(lease) || State == StreamState.Idle)
            return;
        if (_replica != lease)
        {
            // Where another goes on at once nobody is to look elsewhere.
            if (!IsAuthority && grace == 0)
                Abandon();
            return;
        }

        KeepOrphan(grace, now);
    }

    private void KeepOrphan(long grace, long now)
    {
        if (grace > 0)
        {
            _orphanEnd = now + grace;
            return;
        }

        IsLost = true;
        EndTimeline(now);
    }

    /// <summary>
    /// The node that published has gone, and viewers are kept: those of other nodes may have more from where it publishes now.
    /// </summary>
    internal void Abandon()
    {
        if (State == StreamState.Idle || !_seat.IsEmpty)
            return;
        Resources.Owns(Name, false);
        BecomeOrphan();
    }

    /// <summary>What was to go on cannot: the Timeline ends, and the lease waits for another.</summary>
    internal void Return(ReplicaLease lease, long now)
    {
        if (State != StreamState.Idle)
            EndTimeline(now);
        _ = TryTakeSeat(lease, now, out _);
    }

    /// <summary>Who has published another node's Timeline as this one's own ends; viewers are kept for <paramref name="grace"/> microseconds.</summary>
    internal void LeaveOwn(PublisherLease lease, long grace, long now)
    {
        EndLease(lease, isClean: false, now);
        if (!IsAuthority && _seat.IsEmpty)
        {
            KeepOrphan(grace, now);
            return;
        }

        if (State != StreamState.Grace)
            return;
        _graceEnd = now + grace;
        if (grace == 0)
            EndTimeline(now);
    }

    /// <summary>
    /// This node goes on with the numbering of another: from here on it decides, and what it decides has names of its own, for the other may
    /// go on as well.
    /// </summary>
    private void Fork()
    {
        (_replica, _orphanEnd, IsOrphan) = (null, long.MaxValue, false);
        _path = [];
        _isReplaying = false;
        AppendFork(new LogEntry
        {
            Kind = LogEntryKind.Fork,
            EraNumber = Timeline.Era!.Number,
            Dts = (long)TimelineId.Create().Value,
            Pts = (long)Timeline.Id,
            DtsMicros = Timeline.EndMicros,
        });
        CutRule?[] rules = Hls.IsEnabled ? [Hls.Cuts, Hls.Ts?.Cuts] : [];
        _cuts = [.. rules.Where(static rule => rule is not null).Select((rule, index) => ResumeCuts((MarkSeries)index, rule!))];
        foreach (var packager in _hls.Active)
            packager.Planner = Array.Find(_cuts, planner => planner.Series == packager.Series);
        // Who waits for the other node's playlists asks again, and has this one's.
        TellAwaiting();
    }

    private CutPlanner ResumeCuts(MarkSeries series, CutRule rule)
    {
        var planner = new CutPlanner(series, rule, AppendMark);
        if (_cutHistory.Find(series, out var lastDts) is { } state)
            planner.Resume(Timeline.Era!, state, lastDts);
        return planner;
    }

    private void AppendFork(in LogEntry entry)
    {
        if (_formerIds.Count == MaxFormerIds)
            _formerIds.RemoveAt(0);
        _formerIds.Add((Timeline.Id, _log!.End));
        Timeline.Rename((ulong)entry.Dts);
        _log.Append(entry);
        if (!_isReplaying)
        {
            foreach (var packager in _wires.Active)
                packager.OnFork();
        }

        TellHls(entry);
    }

    /// <summary>Nothing comes from the other node any more: nodes below are told, for another may have it.</summary>
    public void BecomeOrphan()
    {
        lock (Gate)
        {
            if (State == StreamState.Idle || IsOrphan)
                return;
            IsOrphan = true;
            _wires.Signal(WireSignal.Orphaned);
        }
    }

    /// <summary>Entries come again.</summary>
    public void EndOrphan()
    {
        lock (Gate)
            IsOrphan = false;
    }

    /// <summary>Tells those who wait that no other node has the stream.</summary>
    public void TellMissing()
    {
        lock (Gate)
        {
            if (State == StreamState.Idle)
                _wires.Signal(WireSignal.Missing);
        }
    }

    /// <summary>The other node's playlists have not come: who waits for them may ask again.</summary>
    public void StopAwaitingHls()
    {
        lock (Gate)
            TellAwaiting();
    }

    private void WantHls(HlsFormat format) => _replica?.Want(format);

    private void AwaitHls(HlsFormat format, Action? onStarted)
    {
        WantHls(format);
        if (onStarted is not null)
            _awaitingHls.Add(onStarted);
    }

    private void TellAwaiting()
    {
        var awaiting = _awaitingHls.ToArray();
        _awaitingHls.Clear();
        foreach (var onStarted in awaiting)
            onStarted();
    }
}
