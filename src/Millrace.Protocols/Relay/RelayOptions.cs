namespace Millrace.Protocols.Relay;

/// <summary>What one end of a relay connection knows before it begins. Times in microseconds.</summary>
internal sealed record RelayOptions
{
    /// <summary>Bytes of a nonce.</summary>
    public const int NonceBytes = 16;

    /// <summary>This node's id (<see cref="RelayNode.IsValid"/>).</summary>
    public required string Node { get; init; }

    /// <summary>The side that connects.</summary>
    public bool IsClient { get; init; }

    /// <summary>Shared by all nodes; empty: none, and whatever the peer proves is accepted.</summary>
    public ReadOnlyMemory<byte> Secret { get; init; }

    /// <summary>Client: the nodes below that this connection is made for, this one not included; at most <see cref="RelayNode.MaxPath"/>.</summary>
    public IReadOnlyList<string> Path { get; init; } = [];

    /// <summary>This side's nonce, <see cref="NonceBytes"/> long; empty: the session draws one.</summary>
    public ReadOnlyMemory<byte> Nonce { get; init; }

    /// <summary>A heartbeat is sent this long after the last byte of this side.</summary>
    public long HeartbeatMicros { get; init; } = 200_000;

    /// <summary>Silence of the peer that ends a connection which is set up.</summary>
    public long TimeoutMicros { get; init; } = 600_000;

    /// <summary>From the session's beginning until the peer's proof; at the server until the request.</summary>
    public long SetupTimeoutMicros { get; init; } = 5_000_000;

    /// <summary>Unix time minus the monotonic time that the session is given.</summary>
    public long UnixOffsetMicros { get; init; }
}
