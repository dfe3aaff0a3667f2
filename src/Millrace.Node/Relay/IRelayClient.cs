using Millrace.Node.Shards;
using Millrace.Protocols.Relay;
using Millrace.Streams.Publishing;

namespace Millrace.Node.Relay;

/// <summary>Why this node has connected to another, or to a foreign server. Everything on the connection's shard.</summary>
internal interface IRelayClient
{
    /// <summary>How long a foreign server may be silent that is asked for media, microseconds; default for ever.</summary>
    long SilenceMicros => long.MaxValue;

    /// <summary>The other node has said who it is: the request can be made.</summary>
    void OnReady(RelayConnection connection, long now);

    /// <summary>Something has come that is for the request.</summary>
    void OnEvent(RelayConnection connection, in RelayEvent happened, long now);

    /// <summary>A foreign server has agreed.</summary>
    void OnReady(ForeignConnection connection, long now)
    {
    }

    /// <summary>The first media of a foreign server has come: who takes it, or null with the reason why nobody does.</summary>
    PublisherLease? OnMedia(ForeignConnection connection, long now, out string? refusal)
    {
        refusal = "nothing was asked for";
        return null;
    }

    /// <summary>Enough of it has come to play.</summary>
    void OnLive(ForeignConnection connection, long now)
    {
    }

    /// <summary>The connection has gone, or was refused.</summary>
    void OnClosed(ShardConnection connection, string reason);

    /// <summary>There is nothing to connect to.</summary>
    void OnUnreachable(RelayDialer dialer, string reason, long now);
}
