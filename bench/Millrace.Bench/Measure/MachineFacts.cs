using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Millrace.Bench.Measure;

/// <summary>What a figure depends on besides the server: kept with every result.</summary>
internal sealed record MachineFacts(string Cpu, int Cores, string Kernel, string System, string Runtime, string Nginx, string Ffmpeg, string Load)
{
    public static MachineFacts Collect() => new(
        CpuModel() ?? RuntimeInformation.ProcessArchitecture.ToString(),
        File.ReadLines("/proc/stat").Count(static l => l.StartsWith("cpu", StringComparison.Ordinal)) - 1,
        File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
        RuntimeInformation.OSDescription,
        RuntimeInformation.FrameworkDescription,
        FirstLine("nginx", "-v"),
        FirstLine("ffmpeg", "-version"),
        File.ReadAllText("/proc/loadavg").Trim());

    private static string? CpuModel() =>
        File.ReadLines("/proc/cpuinfo").FirstOrDefault(static l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim();

    private static string FirstLine(string program, string argument)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, argument) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
            string text = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
            process.WaitForExit();
            return text.Split('\n')[0];
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "not installed";
        }
    }
}
