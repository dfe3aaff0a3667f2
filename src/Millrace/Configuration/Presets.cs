namespace Millrace.Configuration;

/// <summary>Named starting points, one for each of the systems that Millrace takes over from.</summary>
internal static class Presets
{
    public static IReadOnlyList<string> Names { get; } = ["ome-edge", "ome-live", "restreamer-edge", "streamlick"];

    public static MapNode? Read(string name, List<SettingsError> errors)
    {
        if (!Names.Contains(name, StringComparer.Ordinal))
        {
            var hint = SettingsSchema.Nearest(name, Names) is { } near ? $"did you mean {near}?" : $"there are {string.Join(", ", Names)}";
            errors.Add(new SettingsError(new Origin("--preset", 0), "", $"'{name}' is no preset; {hint}"));
            return null;
        }

        var stream = typeof(Presets).Assembly.GetManifestResourceStream($"preset/{name}.yml")
            ?? throw new InvalidOperationException($"Preset {name} is not embedded.");
        using var text = new StreamReader(stream);
        return YamlReader.Read($"preset {name}", text, errors);
    }
}
