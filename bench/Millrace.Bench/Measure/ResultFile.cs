using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Millrace.Bench.Measure;

/// <summary>Results as JSON in bench/results/: named by time and ignored by git, or kept under a name.</summary>
internal static class ResultFile
{
    public static JsonSerializerOptions OneLine { get; } = Options(indented: false);
    public static JsonSerializerOptions Indented { get; } = Options(indented: true);

    public static string Write(string kind, string? keep, object result)
    {
        string folder = Path.Combine(Repository.Root, "bench", "results");
        Directory.CreateDirectory(folder);
        string stamp = DateTime.UtcNow.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture);
        string path = Path.Combine(folder, (keep ?? $"{kind}-{stamp}") + ".json");
        File.WriteAllText(path, JsonSerializer.Serialize(result, Indented) + "\n");
        return path;
    }

    private static JsonSerializerOptions Options(bool indented) => new()
    {
        WriteIndented = indented,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };
}
