using Microsoft.Extensions.Logging;
using Millrace.Node.Settings;

namespace Millrace.Node.Cluster;

/// <summary>Makes the map that <c>cluster.map</c> asks for.</summary>
internal static class OriginMaps
{
    /// <param name="settings">Valid settings.</param>
    /// <param name="status">This node's own status; any thread may ask for it.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Of the map.</param>
    public static IOriginMap Create(ClusterSettings settings, Func<NodeStatus> status, TimeProvider time, ILogger logger) => settings.Map switch
    {
        OriginMapKind.Redis => new RedisOriginMap(settings, status, time, logger),
        _ => new MemoryOriginMap(settings, MemoryOriginTable.Process, status, time),
    };
}
