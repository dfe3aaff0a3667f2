using Millrace.Media;
using Millrace.Protocols.Relay;
using Millrace.Streams.Hls;
using Millrace.Streams.Log;
using Millrace.Streams.Packaging;
using Millrace.Streams.Relay;

namespace Millrace.Streams.Publishing;

/// <summary>
/// The right to append to a stream what another node has decided: its messages become entries of the log, with the same numbers. It outlives
/// the connections to that node. Used from one thread at a time; each call takes the stream's lock.
/// </summary>
internal sealed class ReplicaLease : StreamLease
{
    /// <summary>No coder reorders over more than this, seconds; what claims more is broken.</summary>
    private const int MaxReorderSeconds = 10;

    private readonly LiveStream _stream;
    private readonly Dictionary<HlsFormat, RelayPlaylists> _playlists = [];
    private long[] _lastDts = [];
    private long[] _frames = [];
    private long _number = -1;
    private long _head;

    internal ReplicaLease(LiveStream stream, PublisherInfo info, Action<HlsFormat> onWant, Action<string> onRevoked, long now)
        : base(info, onRevoked, now)
    {
        _stream = stream;
        OnWant = onWant;
    }

    internal Action<HlsFormat> OnWant { get; }

    /// <summary>Id of the Timeline that the stream is a copy of; 0 before there is one.</summary>
    public ulong Timeline { get; private set; }

    /// <summary>Number of the entry that is needed next.</summary>
    public long Next => _stream.Log?.End ?? 0;

    /// <summary>Viewers can be served.</summary>
    public bool IsLive { get; private set; }

    /// <summary>A connection begins; the other node's log reaches up to <paramref name="head"/>.</summary>
    public void Connect(long head) => (_number, _head) = (-1, head);

    /// <summary>Takes a message of the log. Returns null, or why the connection is of no use.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="payload">Its payload; copied before the call returns.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    public string? Receive(RelayMessageType type, ReadOnlySpan<byte> payload, long now)
    {
        lock (_stream.Gate)
        {
            if (!_stream.Holds(this))
                return "another publisher took the stream over";
            LastArrived = now;
            return type switch
            {
                RelayMessageType.Start => Start(payload, now),
                RelayMessageType.Resume => Resume(payload),
                _ when _number < 0 => "a message before the log's first",
                RelayMessageType.Metadata => SetMetadata(payload),
                RelayMessageType.Clock => SetClock(payload),
                RelayMessageType.Ended => End(now),
                _ => Append(type, payload, now),
            };
        }
    }

    /// <summary>Takes the state of another node's playlists; they begin as soon as the log has come so far.</summary>
    public string? ReceivePlaylists(ReadOnlySpan<byte> payload, long now)
    {
        lock (_stream.Gate)
        {
            if (!_stream.Holds(this) || _number < 0)
                return null;
            if (!RelayPlaylists.TryRead(payload, _stream.Resources, out var playlists))
                return "playlists that cannot be read";
            _playlists[playlists.Format] = playlists;
            BeginHls(now);
            return null;
        }
    }

    /// <summary>Lets the stream go: it is not to be had, or nobody wants it.</summary>
    public void Leave(long now)
    {
        lock (_stream.Gate)
        {
            _stream.EndReplica(this, isLeft: true, now);
        }
    }

    public override void Dispose()
    {
    }

    private string? Start(ReadOnlySpan<byte> payload, long now)
    {
        if (!RelayStart.TryRead(payload, _stream.Resources.Hls(_stream.Name), out var start))
            return "a start that cannot be read";
        if (start.Path.Contains(_stream.Resources.Node, StringComparer.Ordinal))
            return $"a loop: the stream comes by {string.Join(", ", start.Path)}";
        _stream.TakeOver(this);
        _number = start.Number;
        var isReplay = start.Number < _head;
        if (Timeline != start.Timeline.Value || _stream.State == StreamState.Idle)
        {
            Timeline = start.Timeline.Value;
            _stream.BeginReplica(this, start, now, isReplay);
            TakeTracks(start.Era);
        }
        else if (start.Number > Next)
        {
            _stream.SkipReplica(start, isReplay);
            TakeTracks(start.Era);
        }
        else
        {
            _stream.Follow(start);
        }

        IsLive = !isReplay && _stream.Timeline.Era is not null;
        return null;
    }

    private string? Resume(ReadOnlySpan<byte> payload)
    {
        var input = new RelayReader(payload);
        if (!input.TryNumber(long.MaxValue, out long number))
            return "a resume that cannot be read";
        if (Timeline == 0 || number > Next)
            return "entries are missing";
        _number = number;
        return null;
    }

    private string? SetMetadata(ReadOnlySpan<byte> payload)
    {
        if (payload.Length > StreamMetadata.MaxBytes)
            return "metadata that are too long";
        _stream.ChangeMetadata(payload.ToArray());
        return null;
    }

    private string? SetClock(ReadOnlySpan<byte> payload)
    {
        if (!_stream.Hops.TryTake(payload, isNew: _number >= Next, out var epoch))
            return "a clock that cannot be read";
        if (_number >= Next && _stream.Timeline.Era is { } era)
            era.EpochMicros = epoch;
        return null;
    }

    private string? End(long now)
    {
        _stream.EndReplica(this, isLeft: false, now);
        (Timeline, _number, IsLive) = (0, -1, false);
        _playlists.Clear();
        return null;
    }

    private string? Append(RelayMessageType type, ReadOnlySpan<byte> payload, long now)
    {
        // What is here already is the same.
        if (_number++ < Next)
            return null;
        var error = type == RelayMessageType.Era ? FollowEra(payload)
            : _stream.Timeline.Era is not { } era ? "an entry before the first Era"
            : type switch
            {
                RelayMessageType.Unit => FollowUnit(payload, era, now),
                RelayMessageType.Config => FollowConfig(payload, era),
                RelayMessageType.Mark => FollowMark(payload, era),
                RelayMessageType.Pause => FollowPause(payload, era),
                _ => $"a message of the log of type {(int)type}",
            };
        if (error is not null)
            return error;
        if (!IsLive && Next >= _head)
        {
            IsLive = true;
            _stream.EndReplay();
        }

        BeginHls(now);
        return null;
    }

    private string? FollowEra(ReadOnlySpan<byte> payload)
    {
        var input = new RelayReader(payload);
        if (!RelayFields.TryRead(ref input, out Era? era) || era.Number <= (_stream.Timeline.Era?.Number ?? -1))
            return "an Era that cannot be read";
        TakeTracks(era);
        _stream.FollowEra(era);
        return null;
    }

    private string? FollowUnit(ReadOnlySpan<byte> payload, Era era, long now)
    {
        if (!RelayEntry.TryReadUnit(payload, era, out var unit, out var data))
            return "an access unit that cannot be read";
        var track = era.Tracks[unit.Track];
        ref var last = ref _lastDts[unit.Track];
        if (unit.Dts <= last || unit.Pts - unit.Dts > (long)MaxReorderSeconds * track.Timescale || data.IsEmpty)
            return "an access unit that does not follow the one before";
        if (last >= 0)
            _frames[unit.Track] = Math.Min(Timescale.Convert(unit.Dts - last, track.Timescale, Timescale.Microseconds), Timescale.Microseconds);
        last = unit.Dts;
        unit.ArrivedMicros = now;
        track.Reorder |= unit.Pts != unit.Dts;
        track.Stats.Add(data.Length, unit.IsKey, unit.DtsMicros, now);
        var end = track.Kind == TrackKind.Data ? 0 : unit.DtsMicros + _frames[unit.Track];
        return _stream.FollowUnit(ref unit, data, end) ? null : "the media memory budget is used up";
    }

    private string? FollowConfig(ReadOnlySpan<byte> payload, Era era)
    {
        if (!RelayEntry.TryReadConfig(payload, era, out var entry))
            return "a Config that cannot be read";
        _stream.FollowConfig(entry);
        return null;
    }

    private string? FollowMark(ReadOnlySpan<byte> payload, Era era)
    {
        if (!RelayEntry.TryReadMark(payload, era, out var mark))
            return "a Mark that cannot be read";
        _stream.FollowMark(mark);
        return null;
    }

    private string? FollowPause(ReadOnlySpan<byte> payload, Era era)
    {
        if (!RelayEntry.TryReadPause(payload, era, out var entry))
            return "a pause that cannot be read";
        _stream.FollowPause(entry);
        return null;
    }

    private void TakeTracks(Era? era)
    {
        _lastDts = new long[era?.Tracks.Length ?? 0];
        Array.Fill(_lastDts, -1);
        _frames = new long[_lastDts.Length];
        Array.Fill(_frames, 33_333);
    }

    private void BeginHls(long now)
    {
        if (_playlists.Count == 0 || !IsLive)
            return;
        foreach (var playlists in _playlists.Values)
        {
            if (Next < playlists.Number)
                continue;
            _playlists.Remove(playlists.Format);
            _stream.BeginHls(playlists, now);
        }
    }
}
