using Millrace.Node.Hls;
using Millrace.Node.Shards;
using Millrace.Protocols.Relay;
using Millrace.Streams;
using Millrace.Streams.Hls;
using Millrace.Streams.Publishing;

namespace Millrace.Node.Relay;

/// <summary>The bridge from another node's log to this one's, over one connection after the other. On its shard but for what is said.</summary>
internal sealed class RelayIntake
{
    private readonly Shard _shard;
    private readonly RelayFetches _fetches = new();
    private bool _isOver;

    private RelayIntake(Shard shard) => _shard = shard;

    public LiveStream Stream { get; private set; } = null!;

    public ReplicaLease Lease { get; private set; } = null!;

    /// <summary>The forms of HLS whose playlists are needed, a bit for each.</summary>
    public byte Formats => _fetches.Formats;

    /// <summary>Takes the right to append; null with the reason where somebody else has it.</summary>
    /// <param name="node">The node.</param>
    /// <param name="shard">Where the connections are.</param>
    /// <param name="name">The stream.</param>
    /// <param name="info">Who asks.</param>
    /// <param name="onRevoked">Called with a reason, on the shard, when the right is taken away.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    /// <param name="refusal">The reason.</param>
    public static RelayIntake? TryOpen(NodeContext node, Shard shard, StreamName name, PublisherInfo info, Action<string> onRevoked, long now, out string? refusal)
    {
        var intake = new RelayIntake(shard);
        string? why = null;
        var lease = node.Registry.Use(name, 0, (stream, _) =>
        {
            intake.Stream = stream;
            return stream.TryAcquireReplica(info, intake.OnWant, reason => shard.Post(() => onRevoked(reason)), now, out why);
        });
        refusal = why;
        if (lease is null)
            return null;
        intake.Lease = lease;
        return intake;
    }

    /// <summary>The other node is about to send its log.</summary>
    /// <param name="connection">By which.</param>
    /// <param name="head">Where that reaches: what comes before is older than what viewers begin with.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    public void Connect(RelayConnection connection, long head, long now)
    {
        connection.Target = Stream;
        Lease.Connect(head);
        _fetches.Resume(connection, now);
    }

    /// <summary>Media of a foreign server is about to come; see <see cref="ReplicaLease.BeginForeign"/>. What was to be fetched from nodes it does not have.</summary>
    public PublisherLease? BeginForeign(long now, out string? refusal)
    {
        _fetches.Fail();
        return Lease.BeginForeign(now, out refusal);
    }

    /// <summary>Returns null, or why the connection is of no use.</summary>
    public string? Take(in RelayEvent happened, long now) => happened.Kind switch
    {
        RelayEventKind.Log => Lease.Receive(happened.Type, happened.Payload.Span, now),
        RelayEventKind.Playlists => Lease.ReceivePlaylists(happened.Payload.Span, now),
        RelayEventKind.Object => _fetches.OnObject(happened, now),
        RelayEventKind.ObjectData => _fetches.OnData(happened, now),
        _ => null,
    };

    /// <summary>The connection has gone.</summary>
    public void Disconnect() => _fetches.Abandon();

    /// <summary>To be called now and then.</summary>
    public void Sweep(long now) => _fetches.Sweep(Stream, now);

    /// <summary>Brings an object; any thread.</summary>
    public void Fetch(HlsFetch fetch) => _shard.Post(() =>
    {
        if (_isOver || Lease.IsForeign)
            fetch.Fail();
        else
            _fetches.Add(fetch, NodeClock.Micros);
    });

    /// <summary>Lets the stream go; viewers are kept for <paramref name="grace"/> microseconds.</summary>
    public void Leave(long grace, long now)
    {
        _isOver = true;
        _fetches.Fail();
        Lease.Leave(grace, now);
    }

    /// <summary>Lets the stream go where nobody watches it; false where somebody does.</summary>
    public bool TryLeave(long now)
    {
        if (!Lease.TryLeave(now))
            return false;
        _isOver = true;
        _fetches.Fail();
        return true;
    }

    private void OnWant(HlsFormat format) => _shard.Post(() =>
    {
        if (!_isOver)
            _fetches.Want(format, NodeClock.Micros);
    });
}
