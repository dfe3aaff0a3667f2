using Millrace.Configuration;

namespace Millrace.Tests.Configuration;

/// <summary>Loads settings from text, with an environment of its own.</summary>
internal static class Loading
{
    public static LoadedSettings Load(string? yaml = null, string? preset = null, params (string Name, string Value)[] variables) =>
        Load(yaml, new SettingsSources(null, preset, Environment(variables)));

    public static LoadedSettings LoadAs(string role, string yaml, IReadOnlyList<(string Name, string Value)> variables) =>
        Load(yaml, new SettingsSources(null, null, Environment(variables)) { Role = role });

    private static Dictionary<string, string> Environment(IEnumerable<(string Name, string Value)> variables) => variables.ToDictionary(v => v.Name, v => v.Value);

    private static LoadedSettings Load(string? yaml, SettingsSources sources)
    {
        var folder = Directory.CreateTempSubdirectory("millrace-");
        try
        {
            var file = Path.Combine(folder.FullName, "millrace.yml");
            File.WriteAllText(file, yaml ?? "");
            return SettingsLoader.Load(sources with { File = file });
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>The errors as they are printed, with the file named <c>millrace.yml</c>.</summary>
    public static string[] ErrorLines(this LoadedSettings loaded) =>
        [.. loaded.Errors.Select(e => (e with { Origin = e.Origin with { Source = Path.GetFileName(e.Origin.Source) } }).ToString())];

    public static Millrace.Node.Settings.NodeSettings Valid(this LoadedSettings loaded)
    {
        loaded.ErrorLines().ShouldBeEmpty();
        return loaded.Settings;
    }
}
