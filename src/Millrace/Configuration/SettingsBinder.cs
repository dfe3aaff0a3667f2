using System.Collections;
using System.Globalization;
using System.Reflection;

namespace Millrace.Configuration;

/// <summary>
/// Lays one layer of configuration over a settings record: returns a changed copy, collects every error, and remembers
/// where each value was written. What is wrong keeps the value beneath, so that the rest can still be checked.
/// </summary>
internal sealed class SettingsBinder(List<SettingsError> errors)
{
    private static readonly MethodInfo CloneMethod = typeof(object).GetMethod("MemberwiseClone", BindingFlags.Instance | BindingFlags.NonPublic)!;

    private readonly Dictionary<string, Origin> _origins = [];

    /// <summary>Where a setting, or the nearest thing around it, was written.</summary>
    public Origin OriginOf(string path)
    {
        for (var end = path.Length; end > 0; end = path.LastIndexOfAny(['.', '['], end - 1))
        {
            if (_origins.TryGetValue(path[..end], out var origin))
                return origin;
        }

        return Origin.Default;
    }

    public T Apply<T>(T basis, MapNode layer)
        where T : class => (T)ReadSection(basis, layer, "");

    private object ReadSection(object basis, MapNode map, string path)
    {
        var copy = CloneMethod.Invoke(basis, null)!;
        var properties = SettingsSchema.PropertiesOf(basis.GetType()).ToDictionary(SettingsSchema.KeyOf, StringComparer.Ordinal);
        foreach (var (key, keyOrigin, node) in map.Entries)
        {
            var own = SettingsSchema.Join(path, key);
            if (!properties.TryGetValue(key, out var property))
            {
                errors.Add(new SettingsError(keyOrigin, own, $"unknown setting{SettingsSchema.Suggest(basis.GetType(), path, key)}"));
                continue;
            }

            if (TryReadValue(property.PropertyType, property.GetValue(copy), node, own, out var value))
                property.SetValue(copy, value);
        }

        return copy;
    }

    private bool TryReadValue(Type type, object? current, ConfigNode node, string path, out object? value)
    {
        if (SettingsSchema.IsSection(type))
            return TryReadSection(type, current, node, path, out value);
        return SettingsSchema.ElementOf(type) is { } element
            ? TryReadList(element, (IEnumerable)current!, node, path, out value)
            : TryReadScalar(type, node, path, out value);
    }

    private bool TryReadSection(Type type, object? current, ConfigNode node, string path, out object? value)
    {
        value = null;
        switch (node)
        {
            case MapNode map:
                if (path.EndsWith(']'))
                    _origins.TryAdd(path, map.Origin);
                value = ReadSection(current ?? Activator.CreateInstance(type)!, map, path);
                return true;
            case ScalarNode { Text: null } when !path.EndsWith(']'):
                // "rtmp:" with everything below it commented out.
                return false;
            default:
                errors.Add(new SettingsError(node.Origin, path, $"is a section and takes settings, not a value: {SettingsSchema.KeysOf(type)}"));
                return false;
        }
    }

    private bool TryReadScalar(Type type, ConfigNode node, string path, out object? value)
    {
        value = null;
        if (node is not ScalarNode scalar)
        {
            errors.Add(new SettingsError(node.Origin, path, "takes one value, not several"));
            return false;
        }

        var isValid = true;
        if (scalar.Text is null)
        {
            isValid = Nullable.GetUnderlyingType(type) is not null;
            if (!isValid)
                errors.Add(new SettingsError(node.Origin, path, "has no value"));
        }
        else if (!ScalarReader.TryRead(type, scalar.Text, out value, out var error))
        {
            errors.Add(new SettingsError(node.Origin, path, error));
            isValid = false;
        }

        if (isValid)
            _origins[path] = node.Origin;
        return isValid;
    }

    private bool TryReadList(Type element, IEnumerable current, ConfigNode node, string path, out object? value)
    {
        value = null;
        var items = (IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(element))!;
        value = items;
        switch (node)
        {
            case MapNode { IsIndexed: true } map:
                return TryOverlay(element, current, map, path, items);
            case ListNode list:
                _origins[path] = node.Origin;
                return TryReplace(element, list.Items, path, items);
            case ScalarNode { Text: { } text } scalar when !SettingsSchema.IsSection(element):
                var parts = scalar.IsCommaList
                    ? text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                    : [text];
                _origins[path] = node.Origin;
                return TryReplace(element, [.. parts.Select(p => scalar with { Text = p })], path, items);
            default:
                errors.Add(new SettingsError(node.Origin, path, "is a list: write its elements as '- …' below it, or [] for none"));
                return false;
        }
    }

    private bool TryReplace(Type element, IReadOnlyList<ConfigNode> nodes, string path, IList items)
    {
        foreach (var stale in _origins.Keys.Where(k => k.StartsWith($"{path}[", StringComparison.Ordinal)).ToArray())
            _origins.Remove(stale);
        var isValid = true;
        for (var i = 0; i < nodes.Count; i++)
        {
            if (TryReadValue(element, null, nodes[i], $"{path}[{i}]", out var item))
                items.Add(item);
            else
                isValid = false;
        }

        // With one element missing, the rest would be checked under wrong numbers.
        return isValid;
    }

    /// <summary>Variables for single elements: index 0 to the list's length, where the last one adds an element.</summary>
    private bool TryOverlay(Type element, IEnumerable current, MapNode map, string path, IList items)
    {
        foreach (var item in current)
            items.Add(item);
        var isValid = true;
        foreach (var (key, origin, node) in map.Entries)
        {
            if (!int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var index) || index > items.Count)
            {
                isValid = false;
                errors.Add(new SettingsError(origin, path, $"is a list: '{key}' must be an index from 0 to {items.Count}"));
                continue;
            }

            var beneath = index < items.Count ? items[index] : null;
            if (!TryReadValue(element, beneath, node, $"{path}[{index}]", out var value))
                isValid = false;
            else if (index < items.Count)
                items[index] = value;
            else
                items.Add(value);
        }

        return isValid;
    }
}
