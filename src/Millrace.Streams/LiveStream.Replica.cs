using Millrace.Streams.Hls;
using Millrace.Streams.Log;
using Millrace.Streams.Publishing;
using Millrace.Streams.Relay;
using Millrace.Streams.Wire;

namespace Millrace.Streams;

/// <content>What another node has decided is appended as it is. Inside the stream's lock.</content>
internal sealed partial class LiveStream
{
    /// <summary>Begins a copy of another node's Timeline; entries follow from <see cref="RelayStart.Number"/> on.</summary>
    /// <param name="lease">Whose it is.</param>
    /// <param name="start">What the other node says.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    /// <param name="isReplay">What comes first is older than what viewers are to begin with.</param>
    internal void BeginReplica(ReplicaLease lease, RelayStart start, long now, bool isReplay)
    {
        _replica = lease;
        _orphanEnd = long.MaxValue;
        (IsLost, IsOrphan) = (false, false);
        _formerIds.Clear();
        Timeline = new Timeline(start.Timeline);
        _hls.Forget(HlsNames.KeyOf(Name, Timeline.Id));
        _log = new StreamLog(Resources.Pool, Resources.Budget[Buffers.MemoryUse.StreamLogs], Resources.Options.LogLimits, start.Number);
        _cutHistory.Clear();
        _cuts = [];
        Hls = start.Hls;
        LiveSinceMicros = start.LiveSinceMicros;
        State = StreamState.Live;
        _isReplaying = isReplay;
        if (start.Era is { } era)
            Adopt(era);

        Follow(start);
    }

    /// <summary>What may change from one connection to the next.</summary>
    internal void Follow(RelayStart start)
    {
        _path = [.. start.Path];
        Metadata = start.Metadata;
    }

    /// <summary>Entries are missing: what was packaged so far can not be gone on with.</summary>
    internal void SkipReplica(RelayStart start, bool isReplay)
    {
        foreach (var packager in _hls.Active)
            WantHls(packager.Format);
        _hls.Stop();
        foreach (var packager in _wires.Active)
            packager.Wire.Refuse();
        _log!.Dispose();
        _log = new StreamLog(Resources.Pool, Resources.Budget[Buffers.MemoryUse.StreamLogs], Resources.Options.LogLimits, start.Number);
        _cutHistory.Clear();
        _isReplaying = isReplay;
        if (start.Era is { } era)
            Adopt(era);

        Follow(start);
    }

    /// <summary>The log begins within an Era. Those who wait already begin with its next key frame; in a replay with the newest, when it has ended.</summary>
    private void Adopt(Era era)
    {
        Timeline.Follow(era);
        _log!.Adopt(era);
        if (_isReplaying)
            return;
        foreach (var packager in _wires.Active)
        {
            packager.Wire.Refuse();
            packager.BackFill(_log);
        }
    }

    /// <summary>What comes is older than what viewers are to begin with.</summary>
    internal bool IsReplaying => _isReplaying;

    /// <summary>What came first is here: viewers who wait begin with the newest key frame of it.</summary>
    internal void EndReplay()
    {
        _isReplaying = false;
        foreach (var packager in _wires.Active)
            packager.BackFill(_log!);
    }

    internal void FollowEra(Era era)
    {
        Timeline.Follow(era);
        State = StreamState.Live;
        _log!.Append(era);
        if (!_isReplaying)
        {
            foreach (var packager in _wires.Active)
                packager.OnEra(era);
        }

        foreach (var packager in _hls.Active)
            packager.OnEra(era, _log);
    }

    internal bool FollowUnit(ref LogEntry unit, ReadOnlySpan<byte> payload, long endMicros)
    {
        var era = Timeline.Era!;
        if (era.Leading?.Id == unit.Track)
            _cutHistory.OnLeading(unit.DtsMicros);
        _hls.Advance(unit.ArrivedMicros);
        if (!TryLog(ref unit, payload, era))
            return false;
        if (endMicros > 0)
            Timeline.Advance(unit.DtsMicros, endMicros, unit.ArrivedMicros);
        if (!_isReplaying)
        {
            foreach (var packager in _wires.Active)
                packager.OnUnit(unit, _log!);
        }

        TellHls(unit);
        Hops.Arrive(Resources.Node, unit.ArrivedMicros + Resources.Options.UnixOffsetMicros, isOld: _isReplaying);
        return true;
    }

    internal void FollowConfig(in LogEntry entry)
    {
        _log!.Weigh(Timeline.Era!.Tracks[entry.Track].Configs[entry.Number]);
        _log.Append(entry);
        TellHls(entry);
        if (_isReplaying)
            return;
        foreach (var packager in _wires.Active)
            packager.OnConfig(entry, _log);
    }

    internal void FollowMark(in LogEntry mark)
    {
        _log!.Append(mark);
        _cutHistory.OnMark(mark);
        _log.NeededFrom = _cutHistory.NeededFrom is var needed && needed == long.MaxValue ? needed : needed - CutLookBack;
        if (!_isReplaying)
        {
            foreach (var packager in _wires.Active)
                packager.OnMark(mark, _log);
        }

        TellHls(mark);
    }

    internal void FollowPause(in LogEntry entry)
    {
        _log!.Append(entry);
        State = StreamState.Grace;
        _graceEnd = long.MaxValue;
        if (!_isReplaying)
        {
            foreach (var packager in _wires.Active)
                packager.OnPause(entry);
        }

        TellHls(entry);
        if (entry.Number == 1)
            _wires.Signal(WireSignal.Unpublished);
    }
}
