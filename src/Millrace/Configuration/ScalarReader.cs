using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using Millrace.Node.Settings;

namespace Millrace.Configuration;

/// <summary>The text of one value to its type. The type alone decides the form: <c>long</c> is a size, <c>int</c> a count.</summary>
internal static class ScalarReader
{
    public const string Auto = "auto";

    /// <summary>Reads a value; a nullable type also takes <c>auto</c>.</summary>
    /// <returns>False with <paramref name="error"/> set; the caller knows where the text stands.</returns>
    public static bool TryRead(Type type, string text, out object? value, [NotNullWhen(false)] out string? error)
    {
        value = null;
        error = null;
        var inner = Nullable.GetUnderlyingType(type);
        if (inner is null)
            return TryReadPlain(type, text, out value, out error);
        if (inner != typeof(Secret) && text == Auto)
            return true;
        if (TryReadPlain(inner, text, out value, out error))
            return true;
        if (!inner.IsEnum)
            error += ", or auto";
        return false;
    }

    public static string NameOf(Enum value) => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    private static bool TryReadPlain(Type type, string text, out object? value, [NotNullWhen(false)] out string? error)
    {
        value = null;
        error = null;
        if (type == typeof(string))
            value = text;
        else if (type == typeof(Secret))
            value = new Secret(text);
        else if (type == typeof(TimeSpan))
            value = Units.TryParseDuration(text, out var duration, out error) ? duration : null;
        else if (type == typeof(long))
            value = Units.TryParseSize(text, out var size, out error) ? size : null;
        else if (type == typeof(ListenEndpoint))
            value = ListenEndpoint.TryParse(text, out var endpoint, out error) ? endpoint : null;
        else if (type == typeof(int))
            value = ReadCount(text, out error);
        else if (type == typeof(bool))
            value = ReadSwitch(text, out error);
        else if (type.IsEnum)
            value = ReadName(type, text, out error);
        else
            throw new InvalidOperationException($"No setting can be a {type.Name}: add it to {nameof(ScalarReader)}.");
        return error is null;
    }

    private static object? ReadCount(string text, out string? error)
    {
        error = null;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count))
            return count;
        error = $"'{text}' is not a whole number from 0 to {int.MaxValue}";
        return null;
    }

    private static object? ReadSwitch(string text, out string? error)
    {
        error = null;
        switch (text.ToLowerInvariant())
        {
            case "true" or "on" or "yes":
                return true;
            case "false" or "off" or "no":
                return false;
            default:
                error = $"'{text}' is not true or false";
                return null;
        }
    }

    private static object? ReadName(Type type, string text, out string? error)
    {
        error = null;
        var values = Enum.GetValues(type).Cast<Enum>().ToArray();
        if (values.FirstOrDefault(v => NameOf(v) == text) is { } value)
            return value;
        error = $"'{text}' is not one of {string.Join(", ", values.Select(NameOf))}";
        return null;
    }
}
