using System.Net.Sockets;
using Millrace.Node.Settings;
using Millrace.Node.Shards;

namespace Millrace.Doctor;

/// <summary>Whether each listener has its address, or could have it.</summary>
internal static class ListenerChecks
{
    /// <param name="settings">Valid settings.</param>
    /// <param name="running">The node that runs with them, or may be it; null when none does.</param>
    public static IEnumerable<DoctorCheck> Run(NodeSettings settings, RunningNode? running) =>
        All(settings).Select(listener => Check(listener.Name, listener.Endpoint, running));

    private static IEnumerable<(string Name, ListenEndpoint Endpoint)> All(NodeSettings settings) =>
    [
        .. Of("rtmp.listen", settings.Rtmp.Listen),
        .. Of("http.listen", settings.Http.Listen),
        .. settings.Http.Tls.IsEnabled ? Of("http.tls.listen", settings.Http.Tls.Listen) : [],
        .. Of("relay.listen", settings.Relay.Listen),
        .. settings.Relay.Tls.IsEnabled ? Of("relay.tls.listen", settings.Relay.Tls.Listen) : [],
        .. Of("api.listen", settings.Api.Listen),
    ];

    private static IEnumerable<(string Name, ListenEndpoint Endpoint)> Of(string name, IReadOnlyList<ListenEndpoint> endpoints) =>
        endpoints.Select((endpoint, i) => (FormattableString.Invariant($"{name}[{i}]"), endpoint));

    private static DoctorCheck Check(string name, ListenEndpoint endpoint, RunningNode? running)
    {
        try
        {
            ListenSocket.Probe(endpoint, name);
            return DoctorCheck.Ok(name, endpoint.Port == 0 ? $"{endpoint} is any free port" : $"{endpoint} is free");
        }
        catch (ListenException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse })
        {
            return Taken(name, endpoint, PortOwner.Find(endpoint.Port), running);
        }
        catch (ListenException e)
        {
            return DoctorCheck.Fail(name, e.Message, $"give {name} an address of this machine and a port that it may open");
        }
    }

    private static DoctorCheck Taken(string name, ListenEndpoint endpoint, PortOwner? owner, RunningNode? running)
    {
        var taken = $"{endpoint} is taken by {owner?.ToString() ?? "another process"}";
        var advice = $"stop that process, or give {name} another port";
        if (running?.Has(owner) != true)
            return DoctorCheck.Fail(name, taken, advice);
        return running.Id is not null
            ? DoctorCheck.Ok(name, $"{endpoint} belongs to {running}")
            : DoctorCheck.Fail(
                name,
                FormattableString.Invariant($"{taken}, which has not answered at {running.Api} within {RunningNode.Patience.TotalSeconds} s"),
                $"if it is the node of these settings, it hangs or has far too much to do: see its log and its processors; else {advice}");
    }
}
