namespace Millrace.Node.Settings;

/// <summary>The node's own API, for operators and the control plane.</summary>
internal sealed record ApiSettings
{
    /// <summary>Where to listen; default 127.0.0.1 port 8081, as the API asks for no credentials there; an empty list turns it off.</summary>
    public IReadOnlyList<ListenEndpoint> Listen { get; init; } = [new ListenEndpoint(System.Net.IPAddress.Loopback, 8081)];
}
