namespace Millrace.Node.Settings;

/// <summary>The link between nodes: other nodes fetch this one's streams, and publish to it.</summary>
internal sealed record RelaySettings
{
    /// <summary>Where other nodes connect; default every address, port 9000; an empty list turns it off.</summary>
    public IReadOnlyList<ListenEndpoint> Listen { get; init; } = [new ListenEndpoint(null, 9000)];

    /// <summary>What all nodes of a cluster share, and prove to each other; default none: any node may connect.</summary>
    public Secret Secret { get; init; }

    /// <summary>A node that has sent nothing for this long sends a heartbeat; default 200 ms.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>A node of which nothing comes for this long is dead, however long a publisher is silent; default 600 ms.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMilliseconds(600);
}
