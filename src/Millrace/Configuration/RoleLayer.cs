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
    private const string Vhosts = "vhosts";

    public static IReadOnlyList<string> Names { get; } = ["node", "origin", "edge"];

    /// <summary>Null where there is nothing to say.</summary>
    public static MapNode? Read(string? role, IReadOnlyDictionary<string, string> variables, List<SettingsError> errors)
    {
        switch (role)
        {
            case null or "node":
                return null;
            case "origin":
                return OfOrigin(variables);
            case "edge":
                return OfEdge(variables, errors);
            default:
                var hint = SettingsSchema.Nearest(role, Names) is { } near ? $"did you mean {near}?" : $"there are {string.Join(", ", Names)}";
                errors.Add(new SettingsError(new Origin(Option, 0), "", $"'{role}' is no role; {hint}"));
                return null;
        }
    }

    /// <summary>A file's list of vhosts takes the place of the role's; what its vhosts do not say of their mode and their origins the role says.</summary>
    public static MapNode Under(MapNode file, MapNode? role)
    {
        if (VhostsOf(role) is not [MapNode ofRole] || VhostsOf(file) is not { } items)
            return file;
        var vhosts = items.Select(item => item is MapNode vhost ? Complete(vhost, ofRole) : item).ToList();
        if (!vhosts.Exists(static vhost => VhostSettings.IsDefault(TextOf(vhost, "name") ?? "")))
            vhosts.Add(ofRole);
        return file with { Entries = [.. file.Entries.Select(entry => entry.Key == Vhosts ? entry with { Value = new ListNode(vhosts, entry.Value.Origin) } : entry)] };
    }

    /// <summary>Variables that are there and do nothing.</summary>
    public static IEnumerable<string> Notices(string? role, IReadOnlyDictionary<string, string> variables, NodeSettings settings)
    {
        var isEdge = role == "edge";
        if (isEdge && !settings.HasOrigins())
            yield return "--role edge: nothing is fetched from anywhere, for the configuration says mode: local";
        if (!isEdge && variables.GetValueOrDefault(OriginHost, "").Length > 0)
            yield return $"{OriginHost}: without effect but with --role edge";
        if (role is null or "node" && variables.GetValueOrDefault(HostIp, "") is not ("" or "*"))
            yield return $"{HostIp}: without effect but with --role origin or --role edge";
    }

    private static IReadOnlyList<ConfigNode>? VhostsOf(MapNode? layer) =>
        (layer?.Entries.FirstOrDefault(static entry => entry.Key == Vhosts).Value as ListNode)?.Items;

    /// <summary>One that is local has no origins.</summary>
    private static MapNode Complete(MapNode vhost, MapNode role) =>
        TextOf(vhost, "mode") is { } mode && mode != ScalarReader.NameOf(VhostMode.Remote)
            ? vhost
            : vhost with { Entries = [.. vhost.Entries, .. role.Entries.Where(entry => entry.Key != "name" && !vhost.Entries.Any(own => own.Key == entry.Key))] };

    private static string? TextOf(ConfigNode node, string key) =>
        ((node as MapNode)?.Entries.FirstOrDefault(entry => entry.Key == key).Value as ScalarNode)?.Text;

    private static MapNode? OfOrigin(IReadOnlyDictionary<string, string> variables) =>
        Advertised(variables) is { } cluster ? new MapNode([cluster], cluster.Value.Origin) : null;

    /// <summary>Null where others are not told.</summary>
    private static MapEntry? Advertised(IReadOnlyDictionary<string, string> variables)
    {
        var host = variables.GetValueOrDefault(HostIp, "");
        if (host is "" or "*")
            return null;
        var origin = new Origin(HostIp, 0);
        return new MapEntry("cluster", origin, new MapNode([new MapEntry("advertise", origin, new ScalarNode(host, origin))], origin));
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
        var vhosts = new MapEntry(Vhosts, origin, new ListNode([vhost], origin));
        return new MapNode(Advertised(variables) is { } cluster ? [vhosts, cluster] : [vhosts], origin);
    }
}
