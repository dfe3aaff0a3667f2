using System.Globalization;

namespace Millrace.Node.Settings;

/// <summary>
/// What <c>memory.media: auto</c> comes to. Read from the kernel, not from the garbage collector: in a container the runtime
/// reports its own heap limit (three quarters of the cgroup's), and media lives outside the heap.
/// </summary>
internal static class MediaMemory
{
    /// <summary>Half of the tightest cgroup limit (v2 or v1), or of the machine's memory without one, in bytes.</summary>
    /// <param name="root">The file system root; another one in tests.</param>
    public static long Automatic(string root = "/") => Available(root) / 2;

    /// <summary>The tightest cgroup limit, or the machine's memory where that is less, in bytes.</summary>
    /// <param name="root">As of <see cref="Automatic"/>.</param>
    public static long Available(string root = "/") => Math.Min(CgroupLimit(root), MachineMemory(root));

    /// <summary>The tightest limit from the process's cgroup up to the root; <see cref="long.MaxValue"/> when there is none.</summary>
    private static long CgroupLimit(string root)
    {
        var limit = long.MaxValue;
        foreach (var line in ReadLines(Path.Combine(root, "proc/self/cgroup")))
        {
            // cgroups(7): hierarchy-ID:controller-list:path; v2 is "0::/path". In a container the path may lie outside of
            // what is mounted, then only the mount's root can be read.
            var parts = line.Split(':', 3);
            if (parts.Length < 3)
                continue;
            var isV2 = parts[0] == "0" && parts[1].Length == 0;
            if (!isV2 && !parts[1].Split(',').Contains("memory"))
                continue;
            var mount = Path.Combine(root, isV2 ? "sys/fs/cgroup" : "sys/fs/cgroup/memory");
            var file = isV2 ? "memory.max" : "memory.limit_in_bytes";
            for (var path = parts[2].Trim('/'); ; path = Path.GetDirectoryName(path) ?? "")
            {
                limit = Math.Min(limit, ReadLimit(Path.Combine(mount, path, file)));
                if (path.Length == 0)
                    break;
            }
        }

        return limit;
    }

    /// <summary>v2 writes "max" for no limit, v1 a number near 2^63, which is more than any machine has.</summary>
    private static long ReadLimit(string path) =>
        ReadLines(path) is [var text, ..] && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes)
            ? bytes
            : long.MaxValue;

    private static long MachineMemory(string root)
    {
        foreach (var line in ReadLines(Path.Combine(root, "proc/meminfo")))
        {
            // proc_meminfo(5): "MemTotal:       16384256 kB"
            if (line.StartsWith("MemTotal:", StringComparison.Ordinal)
                && line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var text, ..]
                && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var kilobytes))
                return kilobytes * 1024;
        }

        return GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
    }

    private static string[] ReadLines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
