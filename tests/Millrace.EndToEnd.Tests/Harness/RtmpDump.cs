namespace Millrace.EndToEnd.Harness;

/// <summary>rtmpdump (librtmp) as a player.</summary>
internal static class RtmpDump
{
    /// <summary>Records a live stream until the file has so many bytes, then asks rtmpdump to end (its --stop is not for live streams).</summary>
    public static async Task RecordAsync(string url, string path, long bytes)
    {
        await using var dump = ChildProcess.Start("rtmpdump", "rtmpdump", ["--live", "-r", url, "-o", path]);
        await Wait.UntilAsync(
            () => Task.FromResult(File.Exists(path) && new FileInfo(path).Length >= bytes), TimeSpan.FromSeconds(30), () => "rtmpdump records nothing\n" + dump.Tail());
        dump.Terminate();
        await dump.ExitAsync(TimeSpan.FromSeconds(10));
    }
}
