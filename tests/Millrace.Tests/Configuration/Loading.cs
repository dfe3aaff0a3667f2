using Millrace.Configuration;

namespace Millrace.Tests.Configuration;

/// <summary>Loads settings from text, with an environment of its own.</summary>
internal static class Loading
{
    public static LoadedSettings Load(string? yaml = null, string? preset = null, params (string Name, string Value)[] variables)
    {
        var folder = Directory.CreateTempSubdirectory("millrace-");
        try
        {
            var file = Path.Combine(folder.FullName, "millrace.yml");
            File.WriteAllText(file, yaml ?? "");
            return SettingsLoader.Load(new SettingsSources(file, preset, variables.ToDictionary(v => v.Name, v => v.Value)));
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
