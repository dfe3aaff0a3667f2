namespace Millrace.Bench.Measure;

/// <summary>Where the repository and its build output are: the nearest folder above this program that has the solution.</summary>
internal static class Repository
{
    public static string Root { get; } = Find(AppContext.BaseDirectory) ?? Find(Environment.CurrentDirectory) ?? Environment.CurrentDirectory;

    public static string Output => Path.Combine(Root, "out");

    private static string? Find(string from)
    {
        for (var at = new DirectoryInfo(from); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Millrace.slnx"))) return at.FullName;
        }

        return null;
    }
}
