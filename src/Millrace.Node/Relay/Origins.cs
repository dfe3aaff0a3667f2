using Millrace.Node.Settings;
using Millrace.Streams;

namespace Millrace.Node.Relay;

/// <summary>Which origins a stream has, and which of them it begins with. Any thread.</summary>
internal sealed class Origins(NodeSettings settings)
{
    private readonly OriginHealth _health = new();
    private int _round = -1;

    public OriginNames Names { get; } = new(static (origin, cancellationToken) => origin.ResolveAsync(cancellationToken));

    /// <summary>Those of the settings; empty where the stream is this node's own.</summary>
    /// <param name="name">The stream.</param>
    /// <param name="protocol">Of those without a scheme.</param>
    public OriginList Of(StreamName name, UpstreamProtocol protocol = UpstreamProtocol.Rtmp)
    {
        var origins = settings.OriginsOf(settings.VhostOf(name.Vhost), name.App) ?? [];
        return new OriginList(origins, FirstOf(name, origins.Count), _health, protocol);
    }

    /// <summary>Only this.</summary>
    public OriginList Of(string origin) => new([origin], 0, _health);

    private int FirstOf(StreamName name, int count) => count == 0 ? 0 : settings.Edge.Failover switch
    {
        OriginChoice.RoundRobin => (int)((uint)Interlocked.Increment(ref _round) % (uint)count),
        OriginChoice.Hash => (int)(OriginList.Hash(name) % (uint)count),
        _ => 0,
    };
}
