using Millrace.Bench.Measure;

namespace Millrace.Bench.Servers;

/// <summary>Which server a command measures: `--server` names a program, or `nginx` to check the harness against itself.</summary>
internal static class Target
{
    public static string DefaultProgram => Path.Combine(Repository.Output, "millrace");

    /// <summary>As results name it: relative to the repository's root, so that they say the same on every machine.</summary>
    public static string Recorded(string server) =>
        IsNginx(server) ? server : Path.GetRelativePath(Repository.Root, Path.GetFullPath(server));

    public static ServerUnderTest Create(string server, int basePort, int mergeMs)
    {
        if (IsNginx(server)) return new NginxRtmp(basePort);
        // `out/millrace` may be the program or the folder it was published to.
        string program = Directory.Exists(server) ? Path.Combine(server, "millrace") : server;
        return new MillraceServer(Path.GetFullPath(program), basePort, mergeMs);
    }

    private static bool IsNginx(string server) => string.Equals(server, "nginx", StringComparison.Ordinal);
}
