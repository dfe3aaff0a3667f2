using System.Net;
using Millrace.Node.Access;
using Millrace.Node.Settings;
using Millrace.Node.Shards;
using Millrace.Protocols.Relay;
using Millrace.Streams;

namespace Millrace.Node.Relay;

/// <summary>Connects to one origin after the other, for one who wants something of them. On his shard.</summary>
/// <param name="node">The node.</param>
/// <param name="shard">Whose the connections are.</param>
/// <param name="client">Who wants it.</param>
/// <param name="path">The nodes below.</param>
/// <param name="stream">What he wants to play or to publish.</param>
/// <param name="arguments">For the origin, as they are at each attempt.</param>
/// <param name="isPublisher">He publishes it.</param>
internal sealed class RelayDialer(
    NodeContext node, Shard shard, IRelayClient client, IReadOnlyList<string> path, StreamName stream, Func<string> arguments, bool isPublisher)
{
    /// <summary>From one foreign server to the next by their own word.</summary>
    private const int MaxRedirects = 3;

    private ShardConnection? _connection;
    private int _attempts;
    private int _redirects;
    private bool _isOver;

    /// <summary>A foreign server is only to decide about a client who has introduced himself so; null: it is asked for the stream.</summary>
    public RtmpIntroduction? Introduction { get; init; }

    /// <summary>The connection, or the attempt at one; any thread.</summary>
    public ShardConnection? Connection => Volatile.Read(ref _connection);

    /// <summary>How long to wait after a round through all origins, microseconds: longer with each, and a third of it chance, so that nodes which have
    /// lost the same origin do not come back at the same moment.</summary>
    public static long PauseAfter(EdgeSettings edge, int rounds)
    {
        var pause = Math.Min(edge.RetryMax.ToMicros(), edge.RetryMin.ToMicros() << Math.Min(rounds, 20));
        return (pause * 2 / 3) + Random.Shared.NextInt64((pause / 3) + 1);
    }

    public void Dial(OriginAddress origin)
    {
        _redirects = 0;
        Begin(origin);
    }

    /// <summary>Goes where the server has said that closed the connection; false where it has not, or where too many have.</summary>
    public bool TryFollow(ShardConnection closed)
    {
        if (closed is not ForeignConnection { Redirect: { } redirect } || ++_redirects > MaxRedirects)
            return false;
        Begin(redirect);
        return true;
    }

    /// <summary>The connection has gone; false where another has taken its place.</summary>
    public bool Forget(ShardConnection connection)
    {
        if (connection != _connection)
            return false;
        Volatile.Write(ref _connection, null);
        return true;
    }

    public void Stop(string reason)
    {
        _isOver = true;
        var connection = _connection;
        Volatile.Write(ref _connection, null);
        // Who stops may do so in another connection's turn, whose reply is being written.
        if (connection is not null)
            shard.Post(() => connection.SayFarewell(reason, mayReturn: false));
    }

    private void Begin(OriginAddress origin)
    {
        var resolving = node.Origins.Names.ResolveAsync(origin, node.Settings.Edge.ConnectTimeout, node.Stopping);
        if (resolving is { IsCompletedSuccessfully: true, Result.Length: > 0 })
            shard.Post(() => Connect(origin, resolving.Result, NodeClock.Micros));
        else
            _ = DialAsync(origin, resolving);
    }

    private async Task DialAsync(OriginAddress origin, Task<IPEndPoint[]> resolving)
    {
        await ((Task)resolving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        shard.Post(() =>
        {
            if (resolving.IsCompletedSuccessfully && resolving.Result.Length > 0)
                Connect(origin, resolving.Result, NodeClock.Micros);
            else if (!_isOver)
                client.OnUnreachable(this, $"{origin.Host} has no address", NodeClock.Micros);
        });
    }

    private void Connect(OriginAddress origin, IPEndPoint[] addresses, long now)
    {
        if (_isOver)
            return;
        // A host may have addresses by which nobody listens: each attempt takes the next.
        var remote = addresses[(int)((uint)_attempts++ % (uint)addresses.Length)];
        var error = isPublisher && origin.Kind == OriginKind.Flv ? "nothing can be published by HTTP-FLV"
            : path.Count > RelayNode.MaxPath ? $"a path of more than {RelayNode.MaxPath} nodes"
            : null;
        if (error is not null || Open(origin, remote, out error) is not { } socket)
        {
            client.OnUnreachable(this, error!, now);
            return;
        }

        var connection = Create(origin, socket);
        Volatile.Write(ref _connection, connection);
        if (shard.TryAdopt(connection))
            connection.OnAdopted(now);
        else
            connection.Close("epoll refused the socket");
    }

    private ShardSocket? Open(OriginAddress origin, IPEndPoint remote, out string? error) =>
        origin.IsTls ? node.Tunnels.TryOpen(origin, remote, out error) : OutboundSocket.TryConnect(remote, out error);

    private ShardConnection Create(OriginAddress origin, ShardSocket socket)
    {
        if (origin.Kind == OriginKind.Millrace)
            return new RelayConnection(socket, shard, node, client, path);
        var target = ForeignTarget.Of(node.Settings, origin, stream, arguments());
        return origin.Kind == OriginKind.Rtmp
            ? new RtmpOriginConnection(socket, shard, node, client, stream, target, isPublisher, Introduction)
            : new FlvOriginConnection(socket, shard, node, client, stream, origin, target);
    }
}
