using Millrace.Node.Relay;
using Millrace.Node.Settings;

namespace Millrace.Configuration;

/// <summary>
/// What <c>--role</c> means, beneath the configuration file: an edge fetches its streams from ORIGIN_HOST (<c>host[:port]</c>, several with commas or
/// spaces), both are known to others by OME_HOST_IP where that is an address. The variables are those of an OvenMediaEngine set-up.
/// </summary>
internal static class RoleLayer
{
    private const string Option = "--role";
    private const string OriginHost = "ORIGIN_HOST";
    private const string HostIp = "OME_HOST_IP";

    public static IReadOnlyList<string> Names { get; } = ["node", "origin", "edge"];

    /// <summary>Null where there is nothing to say.</summary>
    public static MapNode? Read(string? role, IReadOnlyDictionary<string, string> variables, List<SettingsError> errors)
    {
        switch (role)
        {
            case null or "node":
                return null;
            case "origin":
                return OfOrigin(variables, errors);
            case "edge":
                return OfEdge(variables, errors);
            default:
                var hint = SettingsSchema.Nearest(role, Names) is { } near ? $"did you mean {near}?" : $"there are {string.Join(", ", Names)}";
                errors.Add(new SettingsError(new Origin(Option, 0), "", $"'{role}' is no role; {hint}"));
                return null;
        }
    }

    private static MapNode? OfOrigin(IReadOnlyDictionary<string, string> variables, List<SettingsError> errors) =>
        Advertised(variables, errors) is { } cluster ? new MapNode([cluster], cluster.Value.Origin) : null;

    /// <summary>Null where others are not told.</summary>
    private static MapEntry? Advertised(IReadOnlyDictionary<string, string> variables, List<SettingsError> errors)
    {
        var host = variables.GetValueOrDefault(HostIp, "");
        if (host is "" or "*")
            return null;
        var origin = new Origin(HostIp, 0);
        if (!HostEndpoint.TryParse(host, OriginAddress.DefaultPort, out var endpoint, out var error))
        {
            errors.Add(new SettingsError(origin, "cluster.advertise", error));
            return null;
        }

        return new MapEntry("cluster", origin, new MapNode([new MapEntry("advertise", origin, new ScalarNode(endpoint.ToString(), origin))], origin));
    }

    private static MapNode OfEdge(IReadOnlyDictionary<string, string> variables, List<SettingsError> errors)
    {
        var origin = new Origin(variables.ContainsKey(OriginHost) ? OriginHost : Option, 0);
        var urls = new List<ConfigNode>();
        foreach (var host in variables.GetValueOrDefault(OriginHost, "").Split([',', ' '], StringSplitOptions.RemoveEmptyEntries))
        {
            if (host.Contains("://", StringComparison.Ordinal))
                urls.Add(new ScalarNode(host, origin));
            else if (HostEndpoint.TryParse(host, OriginAddress.DefaultPort, out var endpoint, out var error))
                urls.Add(new ScalarNode($"{OriginAddress.Scheme}://{endpoint}", origin));
            else
                errors.Add(new SettingsError(origin, "vhosts[0].origin", error));
        }

        var vhost = new MapNode(
        [
            new MapEntry("name", origin, new ScalarNode(VhostSettings.DefaultName, origin)),
            new MapEntry("mode", origin, new ScalarNode(ScalarReader.NameOf(VhostMode.Remote), origin)),
            new MapEntry("origin", origin, new ListNode(urls, origin)),
        ], origin);
        var vhosts = new MapEntry("vhosts", origin, new ListNode([vhost], origin));
        return new MapNode(Advertised(variables, errors) is { } cluster ? [vhosts, cluster] : [vhosts], origin);
    }
}
