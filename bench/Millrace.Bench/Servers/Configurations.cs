namespace Millrace.Bench.Servers;

/// <summary>The configurations of the servers of a run, as they are printed and kept with the result.</summary>
internal sealed class Configurations
{
    private const string Origin = "  # "; // behind a setting that is not the default: where it comes from
    private readonly SortedDictionary<string, string> _files = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string> _effective = new(StringComparer.Ordinal);

    /// <summary>The configuration files by server.</summary>
    public IReadOnlyDictionary<string, string> Files => _files;

    /// <summary>All settings as our server has them, defaults included; it names the origin of each that is not the default.</summary>
    public IReadOnlyDictionary<string, string> Effective => _effective;

    /// <summary>Keeps a server's configuration under a label; the first of each label is asked for its effective one.</summary>
    /// <exception cref="InvalidOperationException">The server does not accept its configuration.</exception>
    public void Add(string label, ServerUnderTest server)
    {
        if (!_files.TryAdd(label, server.Configuration)) return;
        if (server.ReadEffectiveConfiguration() is { } text) _effective[label] = text;
    }

    public void Print()
    {
        foreach (var (label, text) in _files)
        {
            Console.WriteLine($"\nconfiguration of {label}:\n{text.TrimEnd()}");
            if (_effective.TryGetValue(label, out var effective)) PrintDeviations(effective);
        }
    }

    private static void PrintDeviations(string effective)
    {
        string[] set = [.. effective.Split('\n').Where(static l => l.Contains(Origin, StringComparison.Ordinal))];
        string[] others = [.. set.Where(static l => !l.Contains(Origin + MillraceServer.FileName, StringComparison.Ordinal))];
        Console.WriteLine(others.Length == 0
            ? $"(effective configuration, kept in the result: the shipped defaults but for the {set.Length} settings above)"
            : $"(effective configuration, kept in the result: the shipped defaults but for those above and {string.Join("; ", others.Select(static l => l.Trim()))})");
    }
}
