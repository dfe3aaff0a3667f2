using System.Net;
using Millrace.Node.Settings;

namespace Millrace.Node.Access;

/// <summary>Nodes fetch without a viewer's token: where not everybody may play, whoever reaches a relay listener that asks for nothing may start a node and take every stream.</summary>
internal static class OpenRelay
{
    /// <summary>The settings of such listeners; none where everybody may play. Those on loopback are left out: who can connect to them is on this machine.</summary>
    public static IReadOnlyList<string> Listeners(NodeSettings settings)
    {
        var relay = settings.Relay;
        if (relay.Secret.IsSet || new AccessRules(settings).IsPlayOpen)
            return [];
        var hasOpenTls = relay.Tls is { IsEnabled: true, ClientCertificates: false };
        return [.. Reachable("relay.listen", relay.Listen), .. hasOpenTls ? Reachable("relay.tls.listen", relay.Tls.Listen) : []];
    }

    private static IEnumerable<string> Reachable(string name, IReadOnlyList<ListenEndpoint> listen) => listen
        .Select((endpoint, i) => (Name: FormattableString.Invariant($"{name}[{i}]"), endpoint.Address))
        .Where(static listener => listener.Address is null || !IPAddress.IsLoopback(listener.Address))
        .Select(static listener => listener.Name);
}
