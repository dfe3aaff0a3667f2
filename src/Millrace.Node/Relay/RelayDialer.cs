using System.Net;
using Millrace.Node.Settings;
using Millrace.Node.Shards;

namespace Millrace.Node.Relay;

/// <summary>Connects to one node after the other, for one who wants something of them. On his shard.</summary>
internal sealed class RelayDialer(NodeContext node, Shard shard, IRelayClient client, IReadOnlyList<string> path)
{
    private RelayConnection? _connection;
    private bool _isOver;

    /// <summary>The connection, or the attempt at one; any thread.</summary>
    public RelayConnection? Connection => Volatile.Read(ref _connection);

    /// <summary>How long to wait after a round through all origins, microseconds: longer with each, and a third of it chance, so that nodes which have
    /// lost the same origin do not come back at the same moment.</summary>
    public static long PauseAfter(EdgeSettings edge, int rounds)
    {
        var pause = Math.Min(edge.RetryMax.ToMicros(), edge.RetryMin.ToMicros() << Math.Min(rounds, 20));
        return (pause * 2 / 3) + Random.Shared.NextInt64((pause / 3) + 1);
    }

    public void Dial(OriginAddress origin)
    {
        var resolving = origin.ResolveAsync(node.Stopping);
        if (resolving.IsCompletedSuccessfully)
            shard.Post(() => Connect(resolving.Result[0], NodeClock.Micros));
        else
            _ = DialAsync(origin, resolving);
    }

    /// <summary>The connection has gone; false where another has taken its place.</summary>
    public bool Forget(RelayConnection connection)
    {
        if (connection != _connection)
            return false;
        Volatile.Write(ref _connection, null);
        return true;
    }

    public void Stop(string reason, long now)
    {
        _isOver = true;
        var connection = _connection;
        Volatile.Write(ref _connection, null);
        connection?.Farewell(reason, mayReturn: false, now);
    }

    private async Task DialAsync(OriginAddress origin, Task<IPEndPoint[]> resolving)
    {
        await ((Task)resolving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        shard.Post(() =>
        {
            if (resolving.IsCompletedSuccessfully && resolving.Result.Length > 0)
                Connect(resolving.Result[0], NodeClock.Micros);
            else if (!_isOver)
                client.OnUnreachable($"{origin.Host} has no address", NodeClock.Micros);
        });
    }

    private void Connect(IPEndPoint remote, long now)
    {
        if (_isOver)
            return;
        if (OutboundSocket.TryConnect(remote, out var error) is not { } socket)
        {
            client.OnUnreachable(error!, now);
            return;
        }

        var connection = new RelayConnection(socket, shard, node, client, path);
        Volatile.Write(ref _connection, connection);
        if (shard.TryAdopt(connection))
            connection.OnAdopted(now);
        else
            connection.Close("epoll refused the socket");
    }
}
