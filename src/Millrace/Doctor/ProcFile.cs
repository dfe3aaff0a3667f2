using System.Globalization;

namespace Millrace.Doctor;

/// <summary>What the kernel says in files.</summary>
internal static class ProcFile
{
    /// <summary>Null when there is no such file, or it is not for us.</summary>
    public static string? Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>A file that holds one number; null for anything else.</summary>
    public static long? ReadNumber(string path) =>
        long.TryParse(Read(path)?.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>Descriptors that a process may have open (proc_pid_limits: the soft limit); long.MaxValue without a limit, null where it cannot be read.</summary>
    /// <param name="root">The file system root.</param>
    /// <param name="process">Its id; null: this one, whose soft limit the runtime has raised to the hard one, as it does for a node.</param>
    public static long? DescriptorLimit(string root, int? process)
    {
        const string Name = "Max open files";
        var folder = process is { } id ? string.Create(CultureInfo.InvariantCulture, $"{id}") : "self";
        foreach (var line in (Read(Path.Combine(root, "proc", folder, "limits")) ?? "").Split('\n'))
        {
            if (!line.StartsWith(Name, StringComparison.Ordinal))
                continue;
            var soft = line[Name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var first, ..] ? first : "";
            return soft == "unlimited" ? long.MaxValue : long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : null;
        }

        return null;
    }
}
