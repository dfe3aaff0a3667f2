using System.Globalization;

namespace Millrace.Doctor;

/// <summary>The process that listens on a port.</summary>
/// <param name="Name">As the kernel shows it, at most 15 characters.</param>
internal sealed record PortOwner(int Process, string Name)
{
    /// <summary>TCP_LISTEN of net/tcp_states.h.</summary>
    private const string Listening = "0A";

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"process {Process} ({Name})");

    /// <summary>Null when nobody listens there, or when it is another user's process, whose descriptors we may not see.</summary>
    /// <param name="port">Of TCP, IPv4 or IPv6.</param>
    /// <param name="root">The file system root; another one in tests.</param>
    public static PortOwner? Find(int port, string root = "/")
    {
        var sockets = InodesOf(port, root).Select(static inode => $"socket:[{inode}]").ToHashSet(StringComparer.Ordinal);
        if (sockets.Count == 0)
            return null;
        foreach (var folder in Entries(Path.Combine(root, "proc"), directories: true))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var process))
                continue;
            foreach (var descriptor in Entries(Path.Combine(folder, "fd"), directories: false))
            {
                if (LinkOf(descriptor) is { } target && sockets.Contains(target))
                    return new PortOwner(process, ProcFile.Read(Path.Combine(folder, "comm"))?.Trim() ?? "?");
            }
        }

        return null;
    }

    /// <summary>proc_net_tcp: <c>sl local_address rem_address st … inode</c>, addresses as <c>hex:port in hex</c>.</summary>
    private static IEnumerable<string> InodesOf(int port, string root)
    {
        var suffix = string.Create(CultureInfo.InvariantCulture, $":{port:X4}");
        foreach (var file in (string[])["proc/net/tcp", "proc/net/tcp6"])
        {
            foreach (var line in (ProcFile.Read(Path.Combine(root, file)) ?? "").Split('\n'))
            {
                if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var local, _, Listening, _, _, _, _, _, var inode, ..]
                    && local.EndsWith(suffix, StringComparison.Ordinal))
                    yield return inode;
            }
        }
    }

    private static string[] Entries(string folder, bool directories)
    {
        try
        {
            return directories ? Directory.GetDirectories(folder) : Directory.GetFileSystemEntries(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static string? LinkOf(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
