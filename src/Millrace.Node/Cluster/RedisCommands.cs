using StackExchange.Redis;

namespace Millrace.Node.Cluster;

/// <summary>What the map asks of Redis. All of it fails as the library's calls do.</summary>
internal static class RedisCommands
{
    /// <summary>Of one listing; those that came last.</summary>
    public const int MaxNodes = 1_000;
    private const string NodeKeys = "node/";

    /// <summary>The ids by when they were announced last. No stream is called so: their keys have slashes.</summary>
    private const string NodeIds = "nodes";

    /// <summary>
    /// SET NX PX that also renews: takes the key when it is free, when its value is ours (ARGV[1]) and when it is what we put there before
    /// (ARGV[2]). Compared and written in one step, so that no other node's live entry is ever overwritten; a plain SET after a GET, or
    /// without NX as OvenMediaEngine renews, would do that. One key a call: Redis is busy with it for microseconds.
    /// </summary>
    private const string ClaimScript = """
        local value = redis.call('GET', KEYS[1])
        if value == ARGV[1] then redis.call('PEXPIRE', KEYS[1], ARGV[3]) return 1 end
        if value and value ~= ARGV[2] then return 0 end
        redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
        return 2
        """;

    private const string ReleaseScript = """
        if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
        return 0
        """;

    /// <summary>
    /// A node's status, and its id where all are found without a look through the whole database, which may hold very many streams. By the server's clock: those
    /// of the nodes differ. ARGV: id, status, milliseconds until both are forgotten.
    /// </summary>
    private const string AnnounceScript = """
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
        redis.call('ZADD', KEYS[2], now, ARGV[1])
        redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - ARGV[3])
        redis.call('PEXPIRE', KEYS[2], ARGV[3])
        """;

    /// <summary>Takes or renews an entry.</summary>
    public static Task<ClaimOutcome> ClaimAsync(IDatabaseAsync database, string key, string value, string? before, TimeSpan expiry) =>
        EvaluateAsync(database, ClaimScript, key, [value, before ?? value, (long)expiry.TotalMilliseconds]);

    /// <summary>Takes an entry away if it is ours; what comes back says nothing.</summary>
    public static Task<ClaimOutcome> ReleaseAsync(IDatabaseAsync database, string key, string value) =>
        EvaluateAsync(database, ReleaseScript, key, [value]);

    /// <summary>A value of at most <see cref="OriginUrl.MaxLength"/> bytes; null without any; longer ones come cut off, one byte too long.</summary>
    public static async Task<string?> GetAsync(IDatabaseAsync database, string key)
    {
        // Not GET: a value may have up to 512 MB. GETRANGE gives nothing for a key that is not there (and for an empty value, which is as useless).
        string? value = await database.StringGetRangeAsync(key, 0, OriginUrl.MaxLength);
        return string.IsNullOrEmpty(value) ? null : value;
    }

    public static async Task PublishAsync(IDatabaseAsync database, string prefix, NodeStatus status, TimeSpan expiry) =>
        await database.ScriptEvaluateAsync(
            AnnounceScript,
            [$"{prefix}{NodeKeys}{status.Id}", $"{prefix}{NodeIds}"],
            [status.Id, status.ToJson(), (long)expiry.TotalMilliseconds],
            CommandFlags.NoScriptCache);

    public static async Task WithdrawAsync(IDatabaseAsync database, string prefix, string id) =>
        await Task.WhenAll(database.KeyDeleteAsync($"{prefix}{NodeKeys}{id}"), database.SortedSetRemoveAsync($"{prefix}{NodeIds}", id));

    /// <summary>All nodes, by name: one command for their ids, and one for each.</summary>
    public static async Task<IReadOnlyList<NodeStatus>> NodesAsync(IDatabaseAsync database, string prefix)
    {
        var ids = await database.SortedSetRangeByRankAsync($"{prefix}{NodeIds}", 0, MaxNodes - 1, Order.Descending);
        var nodes = await Task.WhenAll(ids.Select(id => ReadNodeAsync(database, $"{prefix}{NodeKeys}{id}", id.ToString())));
        return [.. nodes.OfType<NodeStatus>().OrderBy(node => node.Id, StringComparer.Ordinal)];
    }

    private static async Task<NodeStatus?> ReadNodeAsync(IDatabaseAsync database, string key, string id)
    {
        try
        {
            byte[]? json = await database.StringGetRangeAsync(key, 0, NodeStatus.MaxBytes);
            return NodeStatus.Parse(id, json);
        }
        catch (RedisServerException)
        {
            // A key of another type in our place.
            return null;
        }
    }

    /// <summary>With EVAL each time: the scripts are short, and a server that was restarted knows no hashes.</summary>
    private static async Task<ClaimOutcome> EvaluateAsync(IDatabaseAsync database, string script, string key, RedisValue[] values) =>
        (ClaimOutcome)(int)await database.ScriptEvaluateAsync(script, [key], values, CommandFlags.NoScriptCache);
}

internal enum ClaimOutcome
{
    /// <summary>Another node has the entry.</summary>
    Taken = 0,

    /// <summary>It was ours, and is for another while.</summary>
    Renewed = 1,

    /// <summary>It was free, or our own of before.</summary>
    Created = 2,
}
