using System.Buffers;
using Millrace.Node.Hls;
using Millrace.Node.Shards;
using Millrace.Protocols.Relay;
using Millrace.Streams;
using Millrace.Streams.Hls;
using Millrace.Streams.Relay;
using Millrace.Streams.Wire;

namespace Millrace.Node.Relay;

/// <summary>The bridge from the log to another node: its entries go from the wire log to the socket, objects that it fetches between them.</summary>
internal sealed class RelayPlayer(RelayConnection connection, NodeContext node, StreamName name, RelayRequest request)
{
    private readonly RelayObjects _objects = new(connection, node);
    private readonly HashSet<HlsFormat> _wanted = [];
    private bool _isStarted;

    /// <summary>Position in the wire log from which on the other node needs it; -1: from the join point.</summary>
    public long ResumesAt { get; private set; } = -1;

    public void Open(long now)
    {
        connection.OpenSession(name);
        var state = node.Upstreams.Want(name, request.Arguments, [.. connection.Protocol.PeerPath, connection.Protocol.PeerNode], out var refusal);
        if (state == UpstreamState.Missing || (state == UpstreamState.Local && node.Registry.Find(name) is not { State: not StreamState.Idle }))
        {
            connection.Refuse(refusal ?? new RelayRefusal(RelayRefusalCode.NotFound, $"{name.Path} is not live"), now);
            return;
        }

        var subscription = connection.Shard.Subscriptions.Get(name, WireKey.Relay, node.WindowOf(name, WireFormat.Relay), out var fromEnd, out var unsupported);
        if (subscription is null)
        {
            connection.Refuse(new RelayRefusal(RelayRefusalCode.Unavailable, unsupported!), now);
            return;
        }

        if (!fromEnd && request.Timeline != 0)
            ResumesAt = subscription.Stream.FindRelay(subscription.Wire, request.Timeline, request.From);
        connection.AttachTo(subscription, fromEnd, now);
        OnWant(request.Formats, now);
    }

    /// <summary>Entries are about to go out: up to where the log reaches now they are older than what viewers begin with.</summary>
    public void Start(long now)
    {
        if (_isStarted)
            return;
        _isStarted = true;
        Span<byte> head = stackalloc byte[RelayWriter.MaxVarint];
        var end = connection.Subscription?.Stream.Log?.End ?? 0;
        connection.Protocol.Accept(connection.Shard.Reply, head[..RelayWriter.Write(head, (ulong)end)]);
        if (ResumesAt >= 0)
            RelayWriter.Message(connection.Shard.Reply, RelayMessageType.Resume, head[..RelayWriter.Write(head, (ulong)request.From)]);
        connection.QueueReply();
    }

    public void OnSignal(WireSignal signal, long now)
    {
        switch (signal)
        {
            case WireSignal.Missing:
                connection.Refuse(new RelayRefusal(RelayRefusalCode.NotFound, $"{name.Path} is not live"), now);
                break;
            case WireSignal.Ended when _isStarted:
                RelayWriter.Message(connection.Shard.Reply, RelayMessageType.Ended, []);
                connection.Protocol.Stop(connection.Shard.Reply, "the stream has ended");
                connection.EndAfterReply("the stream has ended", now);
                break;
            case WireSignal.Ended:
                connection.Refuse(new RelayRefusal(RelayRefusalCode.NotFound, $"{name.Path} has ended"), now);
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
                Begin(subscription.Stream, format);
        }
    }

    public void OnFetch(uint id, string text, long now)
    {
        if (connection.Subscription is { } subscription)
            _objects.Ask(subscription.Stream, id, text, now);
    }

    /// <summary>There is room between two messages. True when something has been put there.</summary>
    public bool OnDrained()
    {
        KeepWanted();
        return _objects.TryQueue();
    }

    public void OnClosed() => _objects.Drop();

    private void Begin(LiveStream stream, HlsFormat format)
    {
        if (stream.FindHls(format) is { } packager)
        {
            packager.LastUsed = NodeClock.Micros;
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
        if (!_isStarted)
            Start(NodeClock.Micros);
        connection.Protocol.SendPlaylists(connection.Shard.Reply, output.WrittenSpan);
        connection.SendReply(NodeClock.Micros);
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
