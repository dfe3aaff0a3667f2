using System.Diagnostics;
using System.Globalization;
using Millrace.Bench.Measure;

namespace Millrace.Bench.Servers;

/// <summary>The publisher of the fan-out runs: ffmpeg sends the clip in real time, again and again, with continuous time.</summary>
internal static class Publisher
{
    /// <summary>The clip of the figures, or one of the thinner ones that <c>bench/make-clip.sh</c> knows; made on first use.</summary>
    public static string ClipPath(int kilobits = 2650)
    {
        string name = kilobits switch { 2650 => "720p30-2650k", 600 => "360p30-600k", 300 => "270p30-300k", _ => $"{kilobits}k" };
        string clip = Path.Combine(Repository.Output, "bench-cache", $"synthetic-{name}.flv");
        if (File.Exists(clip)) return clip;
        string script = Path.Combine(Repository.Root, "bench", "make-clip.sh");
        Console.Error.WriteLine($"making {clip}");
        using var process = Process.Start(new ProcessStartInfo("bash", [script, clip, kilobits.ToString(CultureInfo.InvariantCulture)]))!;
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{script} failed: is ffmpeg with libx264 installed, and is there a clip of {kilobits} kbit/s?");
        return clip;
    }

    public static ChildProcess Start(int core, string clip, int port, string name)
    {
        var publisher = ChildProcess.Start(core, "ffmpeg",
        [
            "-hide_banner", "-loglevel", "error", "-nostdin", "-re", "-stream_loop", "-1", "-i", clip, "-c", "copy",
            "-f", "flv", "-flvflags", "no_duration_filesize",
            string.Create(CultureInfo.InvariantCulture, $"rtmp://127.0.0.1:{port}/{ServerUnderTest.App}/{name}"),
        ]);
        Thread.Sleep(1500); // a second of stream, so that the first viewers find it
        if (publisher.Exited) throw new InvalidOperationException($"ffmpeg could not publish:\n{publisher.Errors}");
        return publisher;
    }
}
