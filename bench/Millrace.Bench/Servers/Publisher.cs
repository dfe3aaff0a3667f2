using System.Diagnostics;
using System.Globalization;
using Millrace.Bench.Measure;

namespace Millrace.Bench.Servers;

/// <summary>The publisher of the fan-out runs: ffmpeg sends the clip in real time, again and again, with continuous time.</summary>
internal static class Publisher
{
    /// <summary>The clip of the figures; made on first use.</summary>
    public static string ClipPath()
    {
        string clip = Path.Combine(Repository.Output, "bench-cache", "synthetic-720p30-2650k.flv");
        if (File.Exists(clip)) return clip;
        string script = Path.Combine(Repository.Root, "bench", "make-clip.sh");
        Console.Error.WriteLine($"making {clip}");
        using var process = Process.Start(new ProcessStartInfo("bash", [script, clip]))!;
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{script} failed: is ffmpeg with libx264 installed?");
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
