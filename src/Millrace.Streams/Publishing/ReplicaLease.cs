using Millrace.Protocols.Relay;
using Millrace.Streams.Hls;
using Millrace.Streams.Relay;

namespace Millrace.Streams.Publishing;

/// <summary>
/// The right to append to a stream what another node has decided: its messages become entries of the log, with the same numbers. It outlives
/// the connections to that node, and to others that have the same Timeline; where one has another, this node goes on with the numbering by
/// itself (<see cref="Republisher"/>). Used from one thread at a time; each call takes the stream's lock.
/// </summary>
internal sealed class ReplicaLease : StreamLease
{
    private readonly LiveStream _stream;
    private readonly ReplicaFollower _follower;
    private Republisher? _own;
    private ulong _timeline;
    private long _number = -1;
    private long _head;

    internal ReplicaLease(LiveStream stream, PublisherInfo info, Action<HlsFormat> onWant, Action<string> onRevoked, long now)
        : base(info, onRevoked, now)
    {
        _stream = stream;
        _follower = new ReplicaFollower(stream);
        OnWant = onWant;
    }

    internal Action<HlsFormat> OnWant { get; }

    /// <summary>Id of the other node's Timeline; 0 before there is one.</summary>
    public ulong Timeline => _own is null && _timeline != 0 && !_stream.IsAuthority ? _stream.Timeline.Id : _timeline;

    /// <summary>Number of the entry of that Timeline that is needed next.</summary>
    public long Next => _own is null ? _stream.Log?.End ?? 0 : _own.Next;

    /// <summary>Viewers can be served.</summary>
    public bool IsLive { get; private set; }

    /// <summary>The other node does not decide here any more: the stream goes on under this one's own numbering.</summary>
    public bool IsOwn => _own is not null;

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
            if (!_stream.Holds((StreamLease?)_own?.Lease ?? this))
                return "another publisher took the stream over";
            LastArrived = now;
            return type switch
            {
                RelayMessageType.Start => Start(payload, now),
                RelayMessageType.Resume => Resume(payload),
                RelayMessageType.Ended => End(now),
                _ when _number < 0 => "a message before the log's first",
                _ when _own is not null => _own.Receive(type, payload, now),
                RelayMessageType.Metadata => _follower.SetMetadata(payload),
                RelayMessageType.Clock => _follower.SetClock(payload, isNew: _number >= Next),
                _ => Append(type, payload, now),
            };
        }
    }

    /// <summary>Takes the state of another node's playlists; they begin as soon as the log has come so far.</summary>
    public string? ReceivePlaylists(ReadOnlySpan<byte> payload, long now)
    {
        lock (_stream.Gate)
        {
            if (!_stream.Holds(this) || _number < 0 || _own is not null)
                return null;
            return _follower.TryHold(payload, IsLive, now) ? null : "playlists that cannot be read";
        }
    }

    /// <summary>Lets the stream go.</summary>
    /// <param name="grace">How long viewers are kept, for another who goes on, microseconds.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    public void Leave(long grace, long now)
    {
        lock (_stream.Gate)
        {
            if (_own is not null)
                _own.Leave(grace, now);
            else
                _stream.LeaveReplica(this, grace, now);
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
        _number = start.Number;
        if (_own is not null || (_stream.State != StreamState.Idle && (_stream.IsAuthority || _stream.Timeline.Id != start.Timeline.Value)))
            return GoOn(start, now);
        _stream.TakeOver(this);
        var isReplay = start.Number < _head;
        if (_stream.State == StreamState.Idle)
        {
            _stream.BeginReplica(this, start, now, isReplay);
            _follower.TakeTracks(start.Era);
        }
        else if (start.Number > Next)
        {
            _stream.SkipReplica(start, isReplay);
            _follower.TakeTracks(start.Era);
        }
        else
        {
            _stream.Follow(start);
            _follower.TakeTracks(_stream.Timeline.Era);
        }

        _stream.KeepReplica(this);
        _timeline = start.Timeline.Value;
        IsLive = !_stream.IsReplaying && _stream.Timeline.Era is not null;
        return null;
    }

    /// <summary>Another Timeline has come: its units go on in a new Era of the one that viewers have.</summary>
    private string? GoOn(RelayStart start, long now)
    {
        if (_own is not null && _timeline == start.Timeline.Value && start.Number <= _own.Next)
        {
            _own.Continue(start.Number);
            return null;
        }

        var republisher = Republisher.TryBegin(_stream, this, _own, Info with { GraceMicros = long.MaxValue / 2 }, start, _head, now, out var refusal);
        if (republisher is null)
            return refusal;
        (_own, _timeline, IsLive) = (republisher, start.Timeline.Value, true);
        return null;
    }

    private string? Resume(ReadOnlySpan<byte> payload)
    {
        var input = new RelayReader(payload);
        if (!input.TryNumber(long.MaxValue, out long number))
            return "a resume that cannot be read";
        if (number > Next || (_own is null && (_stream.State == StreamState.Idle || _stream.IsAuthority)))
            return "entries are missing";
        _number = number;
        if (_own is not null)
        {
            _own.Continue(number);
            return null;
        }

        _stream.TakeOver(this);
        _stream.KeepReplica(this);
        _follower.TakeTracks(_stream.Timeline.Era);
        (_timeline, IsLive) = (_stream.Timeline.Id, true);
        return null;
    }

    private string? End(long now)
    {
        if (_own is not null)
        {
            _own.Leave(0, now);
            _own = null;
        }
        else if (!_stream.IsAuthority)
        {
            _stream.EndReplica(now);
        }

        _follower.Clear();
        (_timeline, _number, IsLive) = (0, -1, false);
        return null;
    }

    private string? Append(RelayMessageType type, ReadOnlySpan<byte> payload, long now)
    {
        // What is here already is the same.
        if (_number++ < Next)
            return null;
        if (_follower.Append(type, payload, now) is { } error)
            return error;
        if (!IsLive && Next >= _head)
        {
            IsLive = true;
            if (_stream.IsReplaying)
                _stream.EndReplay();
        }

        _follower.BeginHls(IsLive, now);
        return null;
    }
}
