using System.Globalization;

namespace Millrace.Bench.Measure;

/// <summary>CPU time, memory and descriptors of a process and its children, from /proc (proc(5)).</summary>
internal sealed class ProcessProbe(int root)
{
    private const double TicksPerSecond = 100; // USER_HZ, fixed at 100 in the kernel's interface

    /// <summary>User and system seconds of all threads, those that ended included.</summary>
    public double CpuSeconds() => Family().Sum(static pid => Fields(pid) is { } f ? (Number(f[11]) + Number(f[12])) / TicksPerSecond : 0);

    public double ResidentMegabytes() => ResidentKilobytes("VmRSS:") / 1024;

    /// <summary>A line of /proc/PID/status: <c>VmRSS:</c>, or a part of it as <c>RssAnon:</c>.</summary>
    public double ResidentKilobytes(string name) => Family().Sum(pid =>
    {
        var line = TryReadLines($"/proc/{pid}/status").FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal));
        return line is null ? 0 : Number(line[name.Length..].Replace("kB", "", StringComparison.Ordinal));
    });

    public int Descriptors() => Family().Sum(static pid => Directory.Exists($"/proc/{pid}/fd") ? Directory.GetFileSystemEntries($"/proc/{pid}/fd").Length : 0);

    public bool Alive => Fields(root) is { } f && f[0] is not ("Z" or "X");

    /// <summary>Seconds that CPU <paramref name="core"/> was not idle, interrupts included (user nice system irq softirq of /proc/stat).</summary>
    public static double CoreBusySeconds(int core) => Core($"cpu{core} ") is { } v ? (v[0] + v[1] + v[2] + v[5] + v[6]) / TicksPerSecond : 0;

    /// <summary>Seconds, all CPUs together, in which a virtual machine had work and no CPU of its host (steal of /proc/stat).</summary>
    public static double StolenSeconds() => Core("cpu ") is { } v ? v[7] / TicksPerSecond : 0;

    /// <summary>Bytes that the loopback interface has carried (all processes; headers, acknowledgements and the publisher included).</summary>
    public static long LoopbackBytes()
    {
        var line = TryReadLines("/proc/net/dev").FirstOrDefault(static l => l.TrimStart().StartsWith("lo:", StringComparison.Ordinal));
        return line is null ? 0 : long.Parse(line.Split(':')[1].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture);
    }

    private static double[]? Core(string name) =>
        TryReadLines("/proc/stat").FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal)) is { } line
            ? [.. line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..].Select(Number)]
            : null;

    private List<int> Family()
    {
        List<int> all = [root];
        for (int i = 0; i < all.Count; i++)
        {
            foreach (var line in TryReadLines($"/proc/{all[i]}/task/{all[i]}/children"))
            {
                all.AddRange(line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(static p => int.Parse(p, CultureInfo.InvariantCulture)));
            }
        }

        return all;
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    // The fields of /proc/PID/stat from the third on: the second is the name in brackets and may hold blanks.
    private static string[]? Fields(int pid)
    {
        var text = TryReadLines($"/proc/{pid}/stat");
        return text.Length == 0 ? null : text[0][(text[0].LastIndexOf(')') + 2)..].Split(' ');
    }

    private static string[] TryReadLines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (IOException)
        {
            return []; // the process has ended
        }
    }
}
