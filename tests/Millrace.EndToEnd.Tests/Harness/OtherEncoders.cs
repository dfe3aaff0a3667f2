namespace Millrace.EndToEnd.Harness;

/// <summary>Publishers of the clock in other codecs than <see cref="Ffmpeg.PublishClock"/>.</summary>
internal static class OtherEncoders
{
    private static readonly string[] Clock = ["-hide_banner", "-nostdin", "-loglevel", "warning", "-f", "lavfi", "-i", Repository.ClockGraph];

    private static readonly string[] H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "30"];

    private static readonly string[] Aac = ["-c:a", "aac", "-b:a", "128k", "-ar", "48000", "-ac", "2"];

    /// <summary>H.264 of a quarter of the size, which costs less to code and to show, and of High profile; the sound as before.</summary>
    public static ChildProcess PublishSmall(params IEnumerable<string> urls) =>
        Publish(urls, ["-vf", "scale=640:360", .. H264, "-x264-params", "cabac=1:8x8dct=1", "-profile:v", "high", "-b:v", "1000k", .. Aac]);

    /// <summary>The picture as before; AAC of another sample rate and channel count.</summary>
    public static ChildProcess PublishMono(string url) =>
        Publish([url], [.. H264, "-profile:v", "baseline", "-b:v", "2500k", "-c:a", "aac", "-b:a", "64k", "-ar", "32000", "-ac", "1"]);

    /// <summary>VP9 alone, as an IVF file on its output.</summary>
    public static ChildProcess Vp9() => ChildProcess.Start(
        "ffmpeg vp9", "ffmpeg",
        [
            .. Clock, "-map", "0:v", "-vf", "scale=640:360", "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-lag-in-frames", "0",
            "-g", "30", "-b:v", "1000k", "-f", "ivf", "-flush_packets", "1", "pipe:1",
        ],
        binaryOutput: true);

    private static ChildProcess Publish(IEnumerable<string> urls, string[] encoder) => ChildProcess.Start(
        "ffmpeg other clock", "ffmpeg",
        [
            .. Clock, "-map", "0:v", "-map", "0:a", .. encoder, "-flags", "+global_header",
            "-f", "tee", string.Join('|', urls.Select(url => $"[f=flv:flvflags=no_duration_filesize]{url}")),
        ]);
}
