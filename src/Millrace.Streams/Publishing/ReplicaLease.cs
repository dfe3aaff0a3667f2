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
    /// <summary>Who holds the lease ends the grace, microseconds.</summary>
    private const long Forever = long.MaxValue / 2;

    private readonly LiveStream _stream;
    private readonly ReplicaFollower _follower;
    private readonly Action<HlsFormat> _onWant;
    private Republisher? _own;
    private PublisherLease? _foreign;
    private ulong _timeline;
    private long _number = -1;
    private long _head;
    private bool _isLive;

    internal ReplicaLease(LiveStream stream, PublisherInfo info, Action<HlsFormat> onWant, Action<string> onRevoked, long now)
        : base(info, onRevoked, now)
    {
        _stream = stream;
        _follower = new ReplicaFollower(stream);
        _onWant = onWant;
    }

    /// <summary>The other node's playlists of a form are needed. Inside the stream's lock.</summary>
    internal void Want(HlsFormat format)
    {
        _follower.Want(format);
        _onWant(format);
    }

    /// <summary>Id of the other node's Timeline; 0 before there is one.</summary>
    public ulong Timeline => _own is null && _timeline != 0 && !_stream.IsAuthority ? _stream.Timeline.Id : _timeline;

    /// <summary>Number of the entry of that Timeline that is needed next.</summary>
    public long Next => _own is null ? _stream.Log?.End ?? 0 : _own.Next;

    /// <summary>Viewers can be served.</summary>
    public bool IsLive => _foreign?.IsOpen ?? _isLive;

    /// <summary>The stream comes from a server that is no node.</summary>
    public bool IsForeign => _foreign is not null;

    private StreamLease Seat => (StreamLease?)_own?.Lease ?? (StreamLease?)_foreign ?? this;

    private PublisherInfo OwnInfo => Info with { GraceMicros = Forever };

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
            if (!_stream.Holds(Seat))
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

    /// <summary>
    /// Media is about to come that has no Timeline of its own (RTMP, HTTP-FLV): this node decides, and viewers go on with a new Era. Null with the
    /// reason where there is another publisher. The right ends with the next of its kind, with another node's Timeline, or with <see cref="Leave"/>.
    /// </summary>
    public PublisherLease? BeginForeign(long now, out string? refusal)
    {
        lock (_stream.Gate)
        {
            refusal = "another publisher took the stream over";
            if (!_stream.Holds(Seat))
                return null;
            Yield(now);
            (_timeline, _number) = (0, -1);
            _foreign = _stream.TryAcquire(OwnInfo, OnRevoked, now, out refusal);
            if (_foreign is null)
                _stream.Return(this, now);
            return _foreign;
        }
    }

    /// <summary>Takes the state of another node's playlists; they begin as soon as the log has come so far.</summary>
    public string? ReceivePlaylists(ReadOnlySpan<byte> payload, long now)
    {
        lock (_stream.Gate)
        {
            if (!_stream.Holds(this) || _number < 0 || _own is not null)
                return null;
            return _follower.TryHold(payload, _isLive, now) ? null : "playlists that cannot be read";
        }
    }

    /// <summary>Lets the stream go.</summary>
    /// <param name="grace">How long viewers are kept, for another who goes on, microseconds.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    public void Leave(long grace, long now)
    {
        lock (_stream.Gate)
        {
            LeaveSeat(grace, now);
            if (grace > 0)
                _stream.Abandon();
        }
    }

    /// <summary>Ends the stream where nobody watches it: who comes with that comes before it, or after. False where somebody does.</summary>
    public bool TryLeave(long now)
    {
        lock (_stream.Gate)
        {
            if (_stream.IsWatched(now))
                return false;
            LeaveSeat(grace: 0, now);
            return true;
        }
    }

    public override void Dispose()
    {
    }

    private void LeaveSeat(long grace, long now)
    {
        if (_own is not null)
            _own.Leave(grace, now);
        else if (_foreign is not null)
            _stream.LeaveOwn(_foreign, grace, now);
        else
            _stream.LeaveReplica(this, grace, now);
    }

    /// <summary>Whoever appended makes room for the next; viewers are kept.</summary>
    private void Yield(long now)
    {
        LeaveSeat(Forever, now);
        (_own, _foreign) = (null, null);
    }

    private string? Start(ReadOnlySpan<byte> payload, long now)
    {
        if (!RelayStart.TryRead(payload, _stream.Resources.Hls(_stream.Name), out var start))
            return "a start that cannot be read";
        // Who publishes to this node has said by the connection itself whom he publishes for; what he had of the stream before may have come by here.
        if (Info.IsFetched && start.Path.Contains(_stream.Resources.Node, StringComparer.Ordinal))
            return $"a loop: the stream comes by {string.Join(", ", start.Path)}";
        if (_foreign is not null && _stream.State == StreamState.Idle)
        {
            // Nothing ever came of it.
            Yield(now);
            _stream.Return(this, now);
        }

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
        _isLive = !_stream.IsReplaying && _stream.Timeline.Era is not null;
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

        Yield(now);
        _own = Republisher.TryBegin(_stream, OwnInfo, OnRevoked, start, _head, now, out var refusal);
        if (_own is null)
        {
            _stream.Return(this, now);
            return refusal;
        }

        (_timeline, _isLive) = (start.Timeline.Value, true);
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
        (_timeline, _isLive) = (_stream.Timeline.Id, true);
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
        (_timeline, _number, _isLive) = (0, -1, false);
        return null;
    }

    private string? Append(RelayMessageType type, ReadOnlySpan<byte> payload, long now)
    {
        // What is here already is the same.
        if (_number++ < Next)
            return null;
        if (_follower.Append(type, payload, now) is { } error)
            return error;
        if (!_isLive && Next >= _head)
        {
            _isLive = true;
            if (_stream.IsReplaying)
                _stream.EndReplay();
        }

        _follower.BeginHls(_isLive, now);
        return null;
    }
}
