using Millrace.Bench.Measure;

namespace Millrace.Bench.Servers;

/// <summary>Which server a command measures: `--server` names a program, or `nginx` to check the harness against itself.</summary>
internal static class Target
{
    private const int DefaultMergeMs = 30; // HLS does not depend on it

    public static string DefaultProgram => Path.Combine(Repository.Output, "millrace");

    /// <summary>As results name it: relative to the repository's root, so that they say the same on every machine.</summary>
    public static string Recorded(string server) =>
        IsNginx(server) ? server : Path.GetRelativePath(Repository.Root, Path.GetFullPath(server));

    public static ServerUnderTest Create(string server, int basePort, int mergeMs)
    {
        if (IsNginx(server)) return new NginxRtmp(basePort);
        return new MillraceServer(ProgramOf(server), basePort, mergeMs);
    }

    /// <summary>Our server as an edge of another one's relay.</summary>
    /// <param name="server">The program.</param>
    /// <param name="basePort">First of ten ports.</param>
    /// <param name="mergeMs">Its window.</param>
    /// <param name="level">How many nodes are above it.</param>
    /// <param name="originPort">Relay port of the one above.</param>
    public static MillraceServer CreateEdge(string server, int basePort, int mergeMs, int level, int originPort) => new(ProgramOf(server), basePort, mergeMs, $"""
        cluster:
          node: level-{level}
        vhosts:
          - name: default
            mode: remote
            origin: millrace://127.0.0.1:{originPort}

        """);

    /// <summary>Our server with parts and segments of these lengths, ms.</summary>
    public static MillraceServer CreateHls(string server, int basePort, int partMs, int segmentMs) => new(ProgramOf(server), basePort, DefaultMergeMs, $"""
        hls:
          part: {partMs}ms
          segment: {segmentMs}ms

        """);

    // `out/millrace` may be the program or the folder it was published to.
    private static string ProgramOf(string server) => Path.GetFullPath(Directory.Exists(server) ? Path.Combine(server, "millrace") : server);

    private static bool IsNginx(string server) => string.Equals(server, "nginx", StringComparison.Ordinal);
}
