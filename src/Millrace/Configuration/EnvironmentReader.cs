using System.Globalization;

namespace Millrace.Configuration;

/// <summary>
/// <c>MILLRACE__RTMP__CHUNK_SIZE=4096</c> is <c>rtmp.chunk_size</c>. Two underscores go one level down, a number is an index
/// into a list (<c>MILLRACE__VHOSTS__1__NAME</c>: it changes that element of the list beneath, or adds the next one), a
/// list of plain values may also be one variable with commas. Case does not matter.
/// </summary>
internal static class EnvironmentReader
{
    public const string Prefix = "MILLRACE__";

    public static MapNode Read(IReadOnlyDictionary<string, string> variables, List<SettingsError> errors)
    {
        var root = new Branch();
        foreach (var (name, text) in variables.OrderBy(v => v.Key, StringComparer.Ordinal))
        {
            if (name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
                Insert(root, name, text, errors);
        }

        return root.ToNode();
    }

    private static void Insert(Branch root, string name, string text, List<SettingsError> errors)
    {
        var keys = name[Prefix.Length..].ToLowerInvariant().Split("__");
        var origin = new Origin(name, 0);
        if (keys.Any(k => k.Length == 0))
        {
            errors.Add(new SettingsError(origin, "", $"is not the name of a setting: write {Prefix}SECTION__KEY"));
            return;
        }

        var branch = root;
        for (var i = 0; i < keys.Length; i++)
        {
            var isLast = i == keys.Length - 1;
            if (branch.Children.TryGetValue(keys[i], out var next) && (isLast || next.Value is not null))
            {
                errors.Add(new SettingsError(origin, "", $"contradicts {next.Origin}: set one of them"));
                return;
            }

            var value = isLast ? new ScalarNode(text, origin) { IsCommaList = true } : null;
            next ??= branch.Children[keys[i]] = new Branch { Origin = origin, Value = value };
            branch = next;
        }
    }

    private sealed class Branch
    {
        public Origin Origin { get; init; } = new("environment", 0);

        public ScalarNode? Value { get; init; }

        public Dictionary<string, Branch> Children { get; } = [];

        public MapNode ToNode() => new([.. Children.OrderBy(c => IndexOf(c.Key)).Select(ToEntry)], Origin) { IsIndexed = true };

        private static MapEntry ToEntry(KeyValuePair<string, Branch> child) =>
            new(child.Key, child.Value.Origin, (ConfigNode?)child.Value.Value ?? child.Value.ToNode());

        private static int IndexOf(string key) =>
            int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : -1;
    }
}
