using System.Buffers;
using Microsoft.Extensions.Logging;
using Millrace.Protocols.Relay;
using Millrace.Streams;
using Millrace.Streams.Hls;
using Millrace.Streams.Wire;

namespace Millrace.Node.Relay;

/// <summary>
/// The bridge from the log to another node, which plays the stream or to which it is published: entries go from the wire log to the socket,
/// objects that the other node fetches between them.
/// </summary>
internal sealed class RelayPlayer(RelayConnection connection, NodeContext node, StreamName name)
{
    private readonly RelayObjects _objects = new(connection, node);
    private readonly HashSet<HlsFormat> _wanted = [];
    private IReadOnlyList<string> _above = [];
    private bool _isServer;
    private long _resumesAt = -1;
    private long _from;

    /// <summary>Entries go out.</summary>
    public bool IsStarted { get; private set; }

    /// <summary>Answers another node's request.</summary>
    public void Open(RelayRequest request, long now)
    {
        _isServer = true;
        connection.OpenSession(name);
        var state = node.Upstreams.Want(name, request.Arguments, [.. connection.Protocol.PeerPath, connection.Protocol.PeerNode], out var refusal);
        if (state == UpstreamState.Missing || (state == UpstreamState.Local && node.Registry.Find(name) is not { State: not StreamState.Idle }))
        {
            connection.Refuse(refusal ?? new RelayRefusal(RelayRefusalCode.NotFound, $"{name.Path} is not live"), now);
            return;
        }

        Attach(request.Timeline, request.From, now);
        if (!IsStarted && !connection.IsEnding && node.Upstreams.IsMissing(name))
            OnSignal(WireSignal.Missing, now);
        else
            OnWant(request.Formats, now);
    }

    /// <summary>Sends the stream to a node that has agreed to take it.</summary>
    /// <param name="timeline">The Timeline of which that has a part; 0: none.</param>
    /// <param name="from">Number of the entry that it needs next.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    public void Push(ulong timeline, long from, long now) => Attach(timeline, from, now);

    /// <summary>Takes its place in the log: where the other node left off, else at the join point.</summary>
    public void Join(WireLog wire)
    {
        if (_resumesAt >= 0)
            connection.Cursor.AttachAt(wire, _resumesAt);
        else
            connection.Cursor.Attach(wire, fromEnd: false);
    }

    /// <summary>Entries are about to go out: up to where the log reaches now they are older than what viewers begin with.</summary>
    public void Start(long now)
    {
        if (IsStarted)
            return;
        IsStarted = true;
        var reply = connection.Shard.Reply;
        if (_isServer)
            Accept();
        Span<byte> payload = stackalloc byte[RelayWriter.MaxVarint];
        if (_resumesAt >= 0)
            RelayWriter.Message(reply, RelayMessageType.Resume, payload[..RelayWriter.Write(payload, (ulong)_from)]);
        connection.QueueReply();
        connection.KeepWake();
    }

    /// <summary>With each timer: the other node is told when the stream has come to take another way, and what it packages is packaged here too.</summary>
    public void OnTimer()
    {
        KeepWanted();
        if (!_isServer || !IsStarted || connection.IsEnding || !node.Upstreams.TryFind(name, out var puller) || puller.Above == _above)
            return;
        _above = puller.Above;
        var payload = new ArrayBufferWriter<byte>();
        RelayNode.WriteAbove(new RelayWriter(payload), _above);
        RelayWriter.Message(connection.Shard.Reply, RelayMessageType.Above, payload.WrittenSpan);
    }

    public void OnSignal(WireSignal signal, long now)
    {
        switch (signal)
        {
            case WireSignal.Missing when _isServer:
                connection.Refuse(new RelayRefusal(RelayRefusalCode.NotFound, $"{name.Path} is not live"), now);
                break;
            case WireSignal.Orphaned when _isServer && IsStarted:
                RelayWriter.Message(connection.Shard.Reply, RelayMessageType.Orphaned, []);
                connection.SendReply(now);
                break;
            case WireSignal.Ended when _isServer && !IsStarted:
                connection.Refuse(new RelayRefusal(RelayRefusalCode.NotFound, $"{name.Path} has ended"), now);
                break;
            case WireSignal.Ended:
                // What this node has lost, or leaves, another may have still.
                if (IsStarted && connection.Subscription is { Stream.IsLost: false })
                    RelayWriter.Message(connection.Shard.Reply, RelayMessageType.Ended, []);
                connection.Protocol.Stop(connection.Shard.Reply, "the stream has ended");
                connection.EndAfterReply("the stream has ended", now);
                break;
        }
    }

    /// <summary>The other node needs the playlists of these forms; those of other forms it needs no more.</summary>
    public void OnWant(byte formats, long now)
    {
        foreach (var format in Enum.GetValues<HlsFormat>())
        {
            if ((formats & (1 << (int)format)) == 0)
                _wanted.Remove(format);
            else if (_wanted.Add(format) && connection.Subscription is { } subscription)
                Begin(subscription.Stream, format, now);
        }
    }

    public void OnFetch(uint id, string text, long now)
    {
        if (connection.Subscription is { } subscription)
            _objects.Ask(subscription.Stream, id, text, now);
    }

    /// <summary>There is room between two messages. True when something has been put there.</summary>
    public bool OnDrained() => _objects.TryQueue();

    public void OnClosed() => _objects.Drop();

    /// <summary>What is here, and that nothing comes while nothing does: who asks may have another to ask.</summary>
    private void Accept()
    {
        var stream = connection.Subscription?.Stream;
        var isOrphan = stream is { IsOrphan: true };
        if (node.Upstreams.TryFind(name, out var puller))
        {
            _above = puller.Above;
            isOrphan |= puller is { State: UpstreamState.Live, IsFlowing: false };
        }

        var payload = new ArrayBufferWriter<byte>();
        new RelayGrant(stream?.Log?.End ?? 0, isOrphan, _above).Write(payload);
        connection.Protocol.Accept(connection.Shard.Reply, payload.WrittenSpan);
    }

    private void Attach(ulong timeline, long from, long now)
    {
        if (connection.Shard.Subscriptions.Get(name, WireKey.Relay, node.WindowOf(name, WireFormat.Relay), out var fromEnd, out var unsupported) is not { } subscription)
        {
            connection.Refuse(new RelayRefusal(RelayRefusalCode.Unavailable, unsupported!), now);
            return;
        }

        (IsStarted, _from) = (false, from);
        _resumesAt = !fromEnd && timeline != 0 ? subscription.Stream.FindRelay(subscription.Wire, timeline, from) : -1;
        connection.AttachTo(subscription, fromEnd, now);
    }

    private void Begin(LiveStream stream, HlsFormat format, long now)
    {
        if (stream.FindHls(format) is { } packager)
        {
            packager.LastUsed = now;
            Send(stream, format);
            return;
        }

        if (!stream.CanStartHls(format, out _))
        {
            // It may be able to when its first Era has come; the other node asks again.
            _wanted.Remove(format);
            return;
        }

        node.HlsStarts.Begin(stream, format).Then(() => connection.Shard.Post(() => Send(stream, format)));
    }

    private void Send(LiveStream stream, HlsFormat format)
    {
        if (connection.IsEnding || connection.Subscription?.Stream != stream)
            return;
        var output = new ArrayBufferWriter<byte>(16 * 1024);
        if (!stream.TryWritePlaylists(format, output))
            return;
        // First of all that it is told: it is about what comes before.
        if (!IsStarted)
            Start(NodeClock.Micros);
        if (!connection.Protocol.TrySendPlaylists(connection.Shard.Reply, output.WrittenSpan))
        {
            node.Loggers.CreateLogger("Millrace.Relay").LogWarning(
                "{Stream}: {Node} gets no {Format} playlists, for they are too long: {Bytes} bytes; see hls.segments", name, connection.Protocol.PeerNode, format, output.WrittenCount);
            return;
        }

        // Not an answer among others, of which only so many may wait for a slow line: with a long window it is larger than they may be together.
        connection.QueueReply();
        connection.Pump(NodeClock.Micros);
    }

    /// <summary>As long as another node packages a form, its upstream does.</summary>
    private void KeepWanted()
    {
        foreach (var format in _wanted)
        {
            if (connection.Subscription?.Stream.FindHls(format) is { } packager)
                packager.LastUsed = NodeClock.Micros;
        }
    }
}
