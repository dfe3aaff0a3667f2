using System.Collections;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Millrace.Node.Settings;

namespace Millrace.Configuration;

/// <summary>Settings as YAML that loads again, with the origin of what is not a default. Credentials are stars.</summary>
internal static class SettingsWriter
{
    // JSON's strings are YAML's double-quoted scalars (YAML 1.2, 1.3); only its HTML escapes would be noise.
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Write(NodeSettings settings, Func<string, Origin>? originOf = null)
    {
        var yaml = new StringBuilder();
        WriteSection(yaml, settings, "", 0, originOf ?? (_ => Origin.Default));
        return yaml.ToString();
    }

    private static void WriteSection(StringBuilder yaml, object section, string path, int depth, Func<string, Origin> originOf)
    {
        var isFirstOfElement = path.EndsWith(']');
        foreach (var property in SettingsSchema.PropertiesOf(section.GetType()))
        {
            var key = SettingsSchema.KeyOf(property);
            var own = SettingsSchema.Join(path, key);
            var value = property.GetValue(section);

            // The dash of a list's element takes the place of two spaces of its first line's indentation.
            yaml.Append(' ', (depth * 2) - (isFirstOfElement ? 2 : 0)).Append(isFirstOfElement ? "- " : "").Append(key).Append(':');
            isFirstOfElement = false;
            if (SettingsSchema.IsSection(property.PropertyType))
            {
                yaml.Append('\n');
                WriteSection(yaml, value!, own, depth + 1, originOf);
            }
            else if (SettingsSchema.ElementOf(property.PropertyType) is { } element)
            {
                WriteList(yaml, element, [.. ((IEnumerable)value!).Cast<object>()], own, depth, originOf);
            }
            else
            {
                yaml.Append(' ').Append(Scalar(property.PropertyType, value));
                EndLine(yaml, originOf(own));
            }
        }
    }

    private static void WriteList(StringBuilder yaml, Type element, object[] items, string path, int depth, Func<string, Origin> originOf)
    {
        if (!SettingsSchema.IsSection(element))
            yaml.Append(" [").AppendJoin(", ", items.Select(i => Scalar(element, i))).Append(']');
        else if (items.Length == 0)
            yaml.Append(" []");
        EndLine(yaml, originOf(path));
        for (var i = 0; i < items.Length && SettingsSchema.IsSection(element); i++)
            WriteSection(yaml, items[i], string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]"), depth + 2, originOf);
    }

    private static void EndLine(StringBuilder yaml, Origin origin)
    {
        if (origin != Origin.Default)
            yaml.Append("  # ").Append(origin);
        yaml.Append('\n');
    }

    private static string Scalar(Type type, object? value) => value switch
    {
        null => type == typeof(Secret?) ? "null" : ScalarReader.Auto,
        TimeSpan duration => Units.Format(duration),
        long size => Units.FormatSize(size),
        int count => count.ToString(CultureInfo.InvariantCulture),
        bool isOn => isOn ? "true" : "false",
        Enum name => ScalarReader.NameOf(name),
        _ => JsonSerializer.Serialize(value.ToString(), Plain),
    };
}
