using Millrace.Node.Cluster;
using Millrace.Node.Settings;

namespace Millrace.Configuration;

/// <summary>Where configuration may come from.</summary>
/// <param name="File">A file that must be there; null for <see cref="SettingsLoader.DefaultFile"/> if it is there.</param>
/// <param name="Preset">One of <see cref="Presets.Names"/>; null for none.</param>
/// <param name="Variables">The environment.</param>
internal sealed record SettingsSources(string? File, string? Preset, IReadOnlyDictionary<string, string> Variables)
{
    /// <summary>One of <see cref="RoleLayer.Names"/>; null for a node that is nothing in particular.</summary>
    public string? Role { get; init; }
}

/// <summary>The outcome of loading: the settings are to be used only when there are no errors.</summary>
/// <param name="Errors">Everything that is wrong, in the order of the sources.</param>
/// <param name="Notices">What is not wrong but should be known.</param>
/// <param name="OriginOf">Where a setting was written.</param>
internal sealed record LoadedSettings(
    NodeSettings Settings, IReadOnlyList<SettingsError> Errors, IReadOnlyList<string> Notices, Func<string, Origin> OriginOf);

/// <summary>
/// Sources to settings. Later ones win: defaults, preset, role, file, the variables of Restreamer-Edge and of Redis, MILLRACE__ variables. So
/// what is nearer to the process wins, without an exception: a variable set for one container always beats the file that all
/// of them share, and our own names beat the inherited ones.
/// </summary>
internal static class SettingsLoader
{
    public const string DefaultFile = "millrace.yml";

    public static LoadedSettings Load(SettingsSources sources)
    {
        var errors = new List<SettingsError>();
        var notices = new List<string>();
        var binder = new SettingsBinder(errors);
        var settings = new NodeSettings();
        foreach (var layer in Layers(sources, errors, notices))
            settings = binder.Apply(settings, layer);
        settings = WithAdvertisedPort(WithDefaultVhost(settings));
        notices.AddRange(RoleLayer.Notices(sources.Role, sources.Variables, settings));
        SettingsValidator.Check(settings, new SettingsChecks(binder, errors));
        return new LoadedSettings(settings, InReadingOrder(errors), notices, binder.OriginOf);
    }

    /// <summary>Source after source as they first appear, each from its top; what was found last may stand first.</summary>
    private static SettingsError[] InReadingOrder(List<SettingsError> errors)
    {
        var sources = errors.Select(e => e.Origin.Source).Distinct(StringComparer.Ordinal).ToList();
        return [.. errors.OrderBy(e => sources.IndexOf(e.Origin.Source)).ThenBy(e => e.Origin.Line)];
    }

    private static IEnumerable<MapNode> Layers(SettingsSources sources, List<SettingsError> errors, List<string> notices)
    {
        if (sources.Preset is not null && Presets.Read(sources.Preset, errors) is { } preset)
            yield return preset;
        var role = RoleLayer.Read(sources.Role, sources.Variables, errors);
        if (role is not null)
            yield return role;
        if (ReadFile(sources.File, errors) is { } file)
            yield return RoleLayer.Under(file, role);
        yield return RestreamerEnvironment.Read(sources.Variables, errors, notices);
        yield return RedisEnvironment.Read(sources.Variables, errors);
        yield return EnvironmentReader.Read(sources.Variables, errors);
    }

    private static MapNode? ReadFile(string? path, List<SettingsError> errors)
    {
        if (path is null && !File.Exists(DefaultFile))
            return null;
        try
        {
            using var text = new StreamReader(path ?? DefaultFile);
            return YamlReader.Read(path ?? DefaultFile, text, errors);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            var reason = e is FileNotFoundException or DirectoryNotFoundException ? "there is no such file" : e.Message;
            errors.Add(new SettingsError(new Origin(path ?? DefaultFile, 0), "", $"cannot be read: {reason}"));
            return null;
        }
    }

    /// <summary>Appended, so that the numbers of those in the file stay true.</summary>
    private static NodeSettings WithDefaultVhost(NodeSettings settings)
    {
        VhostSettings[] vhosts = [.. settings.Vhosts.Select(v => v with { Name = DefaultName(v.Name) })];
        return vhosts.Any(v => v.Name == VhostSettings.DefaultName)
            ? settings with { Vhosts = vhosts }
            : settings with { Vhosts = [.. vhosts, new VhostSettings { Name = VhostSettings.DefaultName }] };
    }

    /// <summary>Where <c>cluster.advertise</c> is a host alone, what its relay listens on is the port; where that is not known it stays as it is, and is refused.</summary>
    private static NodeSettings WithAdvertisedPort(NodeSettings settings)
    {
        var (cluster, relay) = (settings.Cluster, settings.Relay);
        var host = OriginUrl.WithoutScheme(cluster.Advertise);
        var isTls = settings.AdvertisedUrl().StartsWith(OriginUrl.TlsScheme + OriginUrl.Separator, StringComparison.Ordinal);
        var port = (isTls ? relay.Tls.Listen : relay.Listen) is [var first, ..] ? first.Port : 0;
        return HostEndpoint.TryParse(host, port, out var endpoint, out _)
            ? settings with { Cluster = cluster with { Advertise = cluster.Advertise[..^host.Length] + endpoint } }
            : settings;
    }

    private static string DefaultName(string name) => VhostSettings.IsDefault(name) ? VhostSettings.DefaultName : name;
}
