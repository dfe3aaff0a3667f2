using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Node.Settings;
using Millrace.Streams;
using StackExchange.Redis;

namespace Millrace.Node.Cluster;

/// <summary>Whether the Redis of the settings can be used, and what it says, found out without writing to it.</summary>
internal static class RedisProbe
{
    /// <returns>Why not, or null and how long it took to answer.</returns>
    public static Task<(string? Error, TimeSpan Answer)> RunAsync(ClusterSettings settings, TimeProvider time) =>
        AskAsync(settings, time, static database => database.PingAsync());

    /// <returns>Why it cannot be asked, or null and the stream's entry; that is null where there is none.</returns>
    public static Task<(string? Error, string? Url)> FindAsync(ClusterSettings settings, StreamName name, TimeProvider time) =>
        AskAsync(settings, time, database => RedisCommands.GetAsync(database, settings.Redis.Prefix + name));

    private static async Task<(string? Error, T? Answer)> AskAsync<T>(ClusterSettings settings, TimeProvider time, Func<IDatabaseAsync, Task<T>> ask)
    {
        using var link = new RedisLink(settings, time, NullLogger.Instance);
        if (await link.ConnectAsync() is { } error)
            return (error, default);
        if (link.Database is not { } database)
            return (link.LostReason ?? "the connection was lost at once", default);
        try
        {
            return (null, await ask(database).WaitAsync(settings.Redis.ConnectTimeout, time));
        }
        catch (Exception e)
        {
            // The library has more exceptions than a common base of them; a time-out is one as well.
            return (OriginMapCounters.Shorten(e.Message), default);
        }
    }
}
