using Millrace.Node.Settings;

namespace Millrace.Configuration;

/// <summary>Names of vhosts and apps: well-formed, not reserved, each once.</summary>
internal static class VhostValidator
{
    public static void Check(NodeSettings settings, SettingsChecks checks)
    {
        var vhosts = settings.Vhosts;
        var seen = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < vhosts.Count; i++)
        {
            var path = FormattableString.Invariant($"vhosts[{i}]");
            Name($"{path}.name", vhosts[i].Name, isAlias: false, seen, checks);
            for (var j = 0; j < vhosts[i].Aliases.Count; j++)
                Name(FormattableString.Invariant($"{path}.aliases[{j}]"), vhosts[i].Aliases[j], isAlias: true, seen, checks);
            RelayValidator.CheckOrigins(path, vhosts[i].Mode == VhostMode.Remote, vhosts[i].Origin, [], settings.Cluster.Map == OriginMapKind.Redis, checks);
            RelayValidator.CheckForward(path, vhosts[i].Forward, checks);
            RelayValidator.CheckUpstreamVhost(path, vhosts[i].UpstreamVhost, checks);
            AccessValidator.Check(path, vhosts[i], settings, checks);
            Apps(path, vhosts[i], settings, checks);
        }
    }

    private static void Name(string path, string name, bool isAlias, Dictionary<string, string> seen, SettingsChecks checks)
    {
        if (name.Length == 0)
            checks.Fail(path, "is missing");
        else if (name == "*")
            checks.Fail(path, "every other host is the vhost 'default' already: use that name");
        else if (isAlias && VhostSettings.IsDefault(name))
            checks.Fail(path, $"'{name}' always means the vhost 'default'");
        else if (!name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or '*' or ':'))
            checks.Fail(path, $"'{name}' is not a host name: letters, digits, '.', '-', '_' and '*' for any run of them; no port");
        else if (!seen.TryAdd(name, path))
            checks.Fail(path, $"'{name}' is there twice, first as {seen[name]}");
    }

    private static void Apps(string vhostPath, VhostSettings vhost, NodeSettings settings, SettingsChecks checks)
    {
        var apps = vhost.Apps;
        var seen = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < apps.Count; i++)
        {
            var app = apps[i];
            var path = FormattableString.Invariant($"{vhostPath}.apps[{i}]");
            AppName($"{path}.name", app.Name, checks);
            if (app.Name.Length > 0 && !seen.TryAdd(app.Name, path))
                checks.Fail($"{path}.name", $"'{app.Name}' is there twice, first as {seen[app.Name]}; the first one holds");
            RelayValidator.CheckOrigins(path, (app.Mode ?? vhost.Mode) == VhostMode.Remote, app.Origin, vhost.Origin, settings.Cluster.Map == OriginMapKind.Redis, checks);
            RelayValidator.CheckForward(path, app.Forward, checks);
            AccessValidator.Check(path, app, vhost, settings, checks);
            checks.Duration($"{path}.merge", app.Merge ?? default, TimeSpan.FromSeconds(10));
            checks.Token($"{path}.publish.token", app.Publish.Token ?? default);
            checks.Duration($"{path}.publish.grace", app.Publish.Grace ?? default);
            checks.Duration($"{path}.publish.idle_timeout", app.Publish.IdleTimeout ?? default);
            HlsValidator.CheckApp($"{path}.hls", app.Hls, settings.Hls, checks);
        }
    }

    private static void AppName(string path, string name, SettingsChecks checks)
    {
        if (name.Length == 0)
            checks.Fail(path, "is missing");
        else if (name.Split('/').Any(s => s.Length == 0) || name.Any(c => char.IsWhiteSpace(c) || char.IsControl(c)))
            checks.Fail(path, $"'{name}' is not the name of an app: parts without white space, with one '/' between them");
        else if (ReservedNames.IsReservedApp(name))
            checks.Fail(path, $"'{name}' is reserved: the node uses this path itself");
    }
}
