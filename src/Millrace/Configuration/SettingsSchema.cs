using System.Reflection;
using System.Text.Json;
using Millrace.Node.Settings;

namespace Millrace.Configuration;

/// <summary>What settings there are: read from the records themselves, so that a property cannot be forgotten.</summary>
internal static class SettingsSchema
{
    private static readonly Lazy<IReadOnlyList<string>> LazyPaths = new(() => [.. PathsOf(typeof(NodeSettings), "")]);

    /// <summary>Every setting, <c>rtmp.chunk_size</c>; an element of a list is <c>vhosts[].name</c>.</summary>
    public static IReadOnlyList<string> AllPaths => LazyPaths.Value;

    /// <summary>The settings of a section, in the order of their declaration; computed properties are none.</summary>
    public static IEnumerable<PropertyInfo> PropertiesOf(Type section) =>
        section.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanWrite);

    public static string KeyOf(MemberInfo property) => JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name);

    public static string Join(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";

    /// <summary>Whether values of this type are written as a mapping.</summary>
    public static bool IsSection(Type type) => type.IsClass && type != typeof(string) && !type.IsGenericType;

    /// <summary>The type of a list's elements; null when the type is not a list.</summary>
    public static Type? ElementOf(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) ? type.GetGenericArguments()[0] : null;

    /// <summary>An unknown key's likely meaning: <c>; did you mean rtmp.chunk_size?</c>, or what there is.</summary>
    public static string Suggest(Type section, string path, string key)
    {
        if (Nearest(key, PropertiesOf(section).Select(KeyOf)) is { } sibling)
            return $"; did you mean {Join(path, sibling)}?";
        var elsewhere = AllPaths.FirstOrDefault(p => p.EndsWith($".{key}", StringComparison.Ordinal) || p == key);
        return elsewhere is not null ? $"; did you mean {elsewhere}?" : $"; known here: {KeysOf(section)}";
    }

    public static string KeysOf(Type section) => string.Join(", ", PropertiesOf(section).Select(KeyOf));

    /// <summary>The most similar candidate, if no more than every third letter differs.</summary>
    public static string? Nearest(string word, IEnumerable<string> candidates)
    {
        var best = candidates.Select(c => (Text: c, Distance: Distance(word, c))).OrderBy(c => c.Distance).FirstOrDefault();
        return best.Text is not null && best.Distance <= Math.Max(1, best.Text.Length / 3) ? best.Text : null;
    }

    private static IEnumerable<string> PathsOf(Type section, string path)
    {
        foreach (var property in PropertiesOf(section))
        {
            var own = Join(path, KeyOf(property));
            var element = ElementOf(property.PropertyType);
            yield return own;
            if (IsSection(element ?? property.PropertyType))
            {
                foreach (var below in PathsOf(element ?? property.PropertyType, element is null ? own : $"{own}[]"))
                    yield return below;
            }
        }
    }

    /// <summary>Levenshtein's distance: insertions, deletions and replacements.</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = a[i - 1] == b[j - 1] ? diagonal : diagonal + 1;
                diagonal = row[j];
                row[j] = Math.Min(cost, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
