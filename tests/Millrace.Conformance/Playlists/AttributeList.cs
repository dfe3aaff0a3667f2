using System.Globalization;

namespace Millrace.Conformance.Playlists;

/// <summary>An attribute list (RFC 8216bis §4.2), read strictly: what is malformed is told, not repaired.</summary>
internal sealed class AttributeList
{
    private readonly Dictionary<string, (string Value, bool Quoted)> _values = new(StringComparer.Ordinal);

    /// <summary>What is wrong with it; empty when it is well formed.</summary>
    public List<string> Problems { get; } = [];

    public IEnumerable<string> Names => _values.Keys;

    /// <summary>All attributes in the order of their names, to compare two lists.</summary>
    public string Canonical => string.Join(',', _values.OrderBy(v => v.Key, StringComparer.Ordinal).Select(v => $"{v.Key}={v.Value.Value}"));

    public static AttributeList Parse(string text)
    {
        var list = new AttributeList();
        var at = 0;
        while (at < text.Length)
        {
            if (!list.ReadOne(text, ref at))
                return list;
        }

        if (text.Length == 0 || text[^1] == ',')
            list.Problems.Add("an attribute is missing");
        return list;
    }

    /// <summary>The value of a quoted string; null when it is absent or, then with a problem, not quoted.</summary>
    public string? Quoted(string name) => Take(name, quoted: true);

    /// <summary>An enumerated value; null when it is absent.</summary>
    public string? Enumerated(string name) => Take(name, quoted: false);

    /// <summary>YES; any other value is a problem, absence is no.</summary>
    public bool Yes(string name)
    {
        var value = Take(name, quoted: false);
        if (value is not null and not ("YES" or "NO"))
            Problems.Add($"{name}={value} is neither YES nor NO");
        return value == "YES";
    }

    public double? Seconds(string name)
    {
        var value = Take(name, quoted: false);
        if (value is null)
            return null;
        if (double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
            return number;
        Problems.Add($"{name}={value} is no decimal number");
        return null;
    }

    public long? Integer(string name)
    {
        var value = Take(name, quoted: false);
        if (value is null)
            return null;
        if (long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return number;
        Problems.Add($"{name}={value} is no decimal integer");
        return null;
    }

    public string? Raw(string name) => _values.TryGetValue(name, out var value) ? value.Value : null;

    private string? Take(string name, bool quoted)
    {
        if (!_values.TryGetValue(name, out var value))
            return null;
        if (value.Quoted == quoted)
            return value.Value;
        Problems.Add(quoted ? $"{name} is not a quoted string" : $"{name} must not be quoted");
        return null;
    }

    private bool ReadOne(string text, ref int at)
    {
        var equals = text.IndexOf('=', at);
        if (equals <= at || !text.AsSpan(at, equals - at).ToString().All(c => c is (>= 'A' and <= 'Z') or (>= '0' and <= '9') or '-'))
        {
            Problems.Add($"no attribute name at \"{text[at..]}\"");
            return false;
        }

        var name = text[at..equals];
        var quoted = equals + 1 < text.Length && text[equals + 1] == '"';
        var end = quoted ? text.IndexOf('"', equals + 2) : text.IndexOf(',', equals);
        if (quoted && end < 0)
        {
            Problems.Add($"{name}: the quote does not end");
            return false;
        }

        end = end < 0 ? text.Length : end;
        var value = quoted ? text[(equals + 2)..end] : text[(equals + 1)..end];
        at = quoted ? end + 1 : end;
        if (!quoted && (value.Length == 0 || value.AsSpan().IndexOfAny(" \t\"") >= 0))
            Problems.Add($"{name}: the value \"{value}\" is empty or has a blank or a quote");
        if (!_values.TryAdd(name, (value, quoted)))
            Problems.Add($"{name} appears twice");
        return Comma(text, ref at);
    }

    private bool Comma(string text, ref int at)
    {
        if (at == text.Length)
            return true;
        if (text[at] == ',')
        {
            at++;
            return true;
        }

        Problems.Add($"no comma at \"{text[at..]}\"");
        return false;
    }
}
