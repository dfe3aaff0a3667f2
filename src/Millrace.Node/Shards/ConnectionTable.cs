namespace Millrace.Node.Shards;

/// <summary>A shard's connections by the token that its epoll knows them by. A token is used again once its connection has gone.</summary>
internal sealed class ConnectionTable
{
    private readonly Stack<int> _free = new();
    private ShardConnection?[] _connections = new ShardConnection?[256];
    private int _used;

    /// <summary>With gaps.</summary>
    public ReadOnlySpan<ShardConnection?> All => _connections.AsSpan(0, _used);

    public ShardConnection? this[long token] => _connections[token];

    public void Add(ShardConnection connection)
    {
        var token = _free.TryPop(out var free) ? free : _used++;
        if (token >= _connections.Length)
            Array.Resize(ref _connections, _connections.Length * 2);
        _connections[token] = connection;
        connection.Token = token;
    }

    public void Remove(ShardConnection connection)
    {
        _connections[connection.Token] = null;
        _free.Push(connection.Token);
        connection.Token = -1;
    }
}
