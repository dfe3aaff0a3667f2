namespace Millrace.EndToEnd.Harness;

/// <summary>The working copy that the tests run from, and the built product in it.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    public static string TestMedia { get; } = Path.Combine(Root, "tests", "Media");

    /// <summary>The picture with the clock in it, and a tone: an ffmpeg filter graph (see ClockCode).</summary>
    public static string ClockGraph { get; } =
        File.ReadAllText(Path.Combine(Root, "tests", "Millrace.EndToEnd.Tests", "Clock", "clock.lavfi"));

    /// <summary>What `./dev build` leaves, or else the newest plain build of the executable's project.</summary>
    public static string Product()
    {
        var published = Path.Combine(Root, "out", "millrace");
        if (File.Exists(published))
        {
            return published;
        }

        var builds = new[] { "Release", "Debug" }
            .Select(configuration => Path.Combine(Root, "src", "Millrace", "bin", configuration, "net10.0", "millrace"))
            .Where(File.Exists)
            .OrderByDescending(File.GetLastWriteTimeUtc);
        return builds.FirstOrDefault() ?? throw new FileNotFoundException("millrace is not built: run ./dev build");
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Millrace.slnx")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException("Millrace.slnx is in no folder above " + AppContext.BaseDirectory);
    }
}
