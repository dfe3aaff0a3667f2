using System.Globalization;
using StackExchange.Redis;

namespace Millrace.Node.Cluster;

/// <summary>What the map asks of Redis. All of it fails as the library's calls do.</summary>
internal static class RedisCommands
{
    /// <summary>Of one listing: pages of <see cref="PageSize"/> keys looked at, and nodes given.</summary>
    public const int MaxPages = 1_000;
    public const int MaxNodes = 1_000;
    private const int PageSize = 1_000;
    private const string NodeKeys = "node/";

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
        await database.StringSetAsync($"{prefix}{NodeKeys}{status.Id}", status.ToJson(), expiry);

    public static async Task WithdrawAsync(IDatabaseAsync database, string prefix, string id) =>
        await database.KeyDeleteAsync($"{prefix}{NodeKeys}{id}");

    /// <summary>All nodes, by name. Goes through the whole database: not for a path that is hot.</summary>
    public static async Task<IReadOnlyList<NodeStatus>> NodesAsync(IDatabaseAsync database, string prefix)
    {
        var keys = new HashSet<string>(StringComparer.Ordinal);
        var cursor = "0";
        for (var page = 0; page < MaxPages && keys.Count < MaxNodes; page++)
        {
            var reply = (RedisResult[])await database.ExecuteAsync("SCAN", cursor, "MATCH", $"{EscapePattern(prefix)}{NodeKeys}*", "COUNT", PageSize);
            cursor = (string)reply[0];
            // Streams of a vhost called "node" match too: theirs have another slash.
            keys.UnionWith(((string[])reply[1]).Where(key => key.IndexOf('/', prefix.Length + NodeKeys.Length) < 0));
            if (cursor == "0")
                break;
        }

        var nodes = await Task.WhenAll(keys.Take(MaxNodes).Select(key => ReadNodeAsync(database, key, key[(prefix.Length + NodeKeys.Length)..])));
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

    private static string EscapePattern(string text) =>
        string.Concat(text.Select(c => c is '*' or '?' or '[' or ']' or '^' or '\\' ? string.Create(CultureInfo.InvariantCulture, $"\\{c}") : c.ToString()));
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
