namespace Millrace.Tests;

internal static class RepositoryRoot
{
    /// <summary>The folder that holds the solution, found upwards from the test's own.</summary>
    public static string Path { get; } = Find();

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "Millrace.slnx")))
                return folder.FullName;
        }

        throw new InvalidOperationException("The tests must run from inside the repository.");
    }
}
