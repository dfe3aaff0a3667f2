using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Node.Settings;

namespace Millrace.Node.Cluster;

/// <summary>Whether the Redis of the settings can be used, found out without writing to it.</summary>
internal static class RedisProbe
{
    /// <returns>Why not, or null and how long it took to answer.</returns>
    public static async Task<(string? Error, TimeSpan Answer)> RunAsync(ClusterSettings settings, TimeProvider time)
    {
        using var link = new RedisLink(settings, time, NullLogger.Instance);
        if (await link.ConnectAsync() is { } error)
            return (error, default);
        if (link.Database is not { } database)
            return (link.LostReason ?? "the connection was lost at once", default);
        try
        {
            return (null, await database.PingAsync().WaitAsync(settings.Redis.ConnectTimeout, time));
        }
        catch (Exception e)
        {
            // The library has more exceptions than a common base of them; a time-out is one as well.
            return (OriginMapCounters.Shorten(e.Message), default);
        }
    }
}
