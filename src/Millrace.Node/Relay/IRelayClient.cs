using Millrace.Protocols.Relay;

namespace Millrace.Node.Relay;

/// <summary>Why this node has connected to another. Everything on the connection's shard.</summary>
internal interface IRelayClient
{
    /// <summary>The other node has said who it is: the request can be made.</summary>
    void OnReady(RelayConnection connection, long now);

    /// <summary>Something has come that is for the request.</summary>
    void OnEvent(RelayConnection connection, in RelayEvent happened, long now);

    /// <summary>The connection has gone, or was refused.</summary>
    void OnClosed(RelayConnection connection, string reason);

    /// <summary>There is nothing to connect to.</summary>
    void OnUnreachable(string reason, long now);
}
