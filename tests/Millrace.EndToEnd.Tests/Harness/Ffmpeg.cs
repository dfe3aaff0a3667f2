using System.Globalization;

namespace Millrace.EndToEnd.Harness;

/// <summary>The command lines of ffmpeg that the tests use.</summary>
internal static class Ffmpeg
{
    private static readonly string[] Quiet = ["-hide_banner", "-nostdin", "-loglevel", "warning"];

    /// <summary>The encoder of the clock, as in `./dev run --demo`: 720p30, 2.5 Mbit/s, a key frame each second, no look-ahead.</summary>
    private static readonly string[] LiveEncoder =
    [
        "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-profile:v", "baseline", "-g", "30", "-b:v", "2500k",
        "-c:a", "aac", "-b:a", "128k", "-ar", "48000", "-ac", "2",
    ];

    /// <summary>Publishes a file at its own speed, its bytes unchanged; all of it, or what further options leave.</summary>
    public static ChildProcess PublishFile(string path, string url, bool loop = false, params string[] options) => ChildProcess.Start(
        "ffmpeg publisher", "ffmpeg",
        [.. Quiet, "-re", .. loop ? ["-stream_loop", "-1"] : Array.Empty<string>(), "-i", path, "-c", "copy", .. options, "-f", "flv", url]);

    /// <summary>Publishes the picture with the clock in it; the same coded frames go to each of the outputs.</summary>
    public static ChildProcess PublishClock(params IEnumerable<string> urls) => ChildProcess.Start(
        "ffmpeg clock", "ffmpeg",
        [
            .. Quiet, "-f", "lavfi", "-i", Repository.ClockGraph, "-map", "0:v", "-map", "0:a", .. LiveEncoder,
            "-flags", "+global_header", "-f", "tee", string.Join('|', urls.Select(url => $"[f=flv:flvflags=no_duration_filesize]{url}")),
        ]);

    /// <summary>Encodes seconds of the clock to a file.</summary>
    public static Task RecordClockAsync(string path, int seconds) => ChildProcess.RunAsync(
        "ffmpeg record", "ffmpeg",
        [.. Quiet, "-f", "lavfi", "-i", Repository.ClockGraph, "-t", seconds.ToString(CultureInfo.InvariantCulture), .. LiveEncoder, path],
        TimeSpan.FromSeconds(seconds + 30));

    /// <summary>
    /// Makes a file out of a moving picture, with noise in it, and a tone. The encoders run on fixed numbers of threads, so
    /// that the same ffmpeg makes the same file everywhere.
    /// </summary>
    public static Task MakeClipAsync(string path, int seconds, params string[] encoders) => ChildProcess.RunAsync(
        "ffmpeg clip", "ffmpeg",
        [
            .. Quiet, "-f", "lavfi", "-i", "testsrc2=size=480x270:rate=30,noise=alls=8:allf=t",
            "-f", "lavfi", "-i", "sine=frequency=440:beep_factor=4:sample_rate=48000",
            "-t", seconds.ToString(CultureInfo.InvariantCulture), "-pix_fmt", "yuv420p", "-threads", "2", "-ac", "2", .. encoders, path,
        ],
        TimeSpan.FromSeconds(60));

    /// <summary>
    /// Decodes all of a file or a live input, from its beginning on as far as it is still there, and lists the digest of each
    /// decoded frame; ends with the input.
    /// </summary>
    public static ChildProcess Digest(params string[] inputs) => ChildProcess.Start(
        "ffmpeg player " + string.Join(' ', inputs), "ffmpeg",
        [
            .. Quiet, "-xerror", "-copyts", .. inputs.SelectMany(input => (string[])[.. Live(input), "-i", input]),
            .. inputs.SelectMany((_, index) => (string[])["-map", $"{index}:v:0?", "-map", $"{index}:a:0?"]),
            "-fps_mode", "passthrough", "-enc_time_base", "-1", "-c:v", "rawvideo", "-c:a", "pcm_s16le", "-f", "framemd5", "-",
        ]);

    /// <summary>The width of the pictures that <see cref="GrayFrames"/> writes.</summary>
    public const int GrayWidth = 320;

    /// <summary>The height of the pictures that <see cref="GrayFrames"/> writes.</summary>
    public const int GrayHeight = 180;

    /// <summary>Decodes with the least delay and writes each picture as gray bytes to its output.</summary>
    public static ChildProcess GrayFrames(string input) => ChildProcess.Start(
        "ffmpeg reader", "ffmpeg",
        [
            .. Quiet, "-fflags", "nobuffer", "-flags", "low_delay", "-analyzeduration", "0", "-threads", "1",
            .. Live(input), "-i", input,
            "-an", "-fps_mode", "passthrough", "-vf", $"scale={GrayWidth}:{GrayHeight}:flags=area,format=gray", "-f", "rawvideo", "pipe:1",
        ],
        binaryOutput: true);

    /// <summary>What ffprobe says of each stream: codec name and dimensions or sample rate.</summary>
    public static Task<IReadOnlyList<string>> ProbeAsync(string input) => ChildProcess.RunAsync(
        "ffprobe", "ffprobe",
        ["-v", "error", "-show_entries", "stream=codec_name,width,height,sample_rate", "-of", "compact=p=0:nk=0", input],
        TimeSpan.FromSeconds(30));

    /// <summary>Decodes so many seconds of a live input without writing anything; exit code 0 when there was no error.</summary>
    public static ChildProcess Play(string input, int seconds) => ChildProcess.Start(
        "ffmpeg player " + input, "ffmpeg",
        [.. Quiet, "-xerror", "-i", input, "-t", seconds.ToString(CultureInfo.InvariantCulture), "-f", "null", "-"]);

    /// <summary>Each packet of a file's only stream, one line each: times in ticks, size and flags.</summary>
    public static Task<IReadOnlyList<string>> PacketsAsync(string input) => ChildProcess.RunAsync(
        "ffprobe", "ffprobe",
        ["-v", "error", "-show_entries", "packet=pts,dts,size,flags", "-of", "compact=p=0", input],
        TimeSpan.FromSeconds(30));

    private static string[] Live(string input) =>
        input.StartsWith("rtmp://", StringComparison.Ordinal) ? ["-rtmp_live", "live"]
        : input.Contains(".m3u8", StringComparison.Ordinal) ? ["-live_start_index", "0"]
        : [];
}
