using System.Globalization;
using System.Text.RegularExpressions;

namespace Millrace.EndToEnd.Harness;

/// <summary>GStreamer as a player.</summary>
internal static partial class Gstreamer
{
    /// <summary>Decodes so many pictures, and audio beside them, of an RTMP or HTTP-FLV stream, then ends with exit code 0.</summary>
    public static ChildProcess Play(string url, int pictures)
    {
        var source = url.StartsWith("rtmp://", StringComparison.Ordinal)
            ? $"rtmp2src location={url}"
            : $"souphttpsrc is-live=true location={url}";
        var count = pictures.ToString(CultureInfo.InvariantCulture);
        return ChildProcess.Start(
            "gst-launch " + url, "gst-launch-1.0",
            string.Join(' ',
                "-q", source, "! flvdemux name=flv",
                $"flv.video ! queue ! h264parse ! avdec_h264 ! fakesink sync=false async=false num-buffers={count}",
                $"flv.audio ! queue ! aacparse ! avdec_aac ! fakesink sync=false async=false num-buffers={count}")
                .Split(' '));
    }

    /// <summary>
    /// Decodes so many pictures and buffers of sound of a live HLS stream, then ends with exit code 0. Its old element hlsdemux,
    /// which playbin takes, stalls on pictures and sound in two fMP4 renditions, whoever made them.
    /// </summary>
    public static ChildProcess PlayHls(string url, int pictures)
    {
        var sink = string.Create(CultureInfo.InvariantCulture, $"fakesink sync=false async=false num-buffers={pictures}");
        return ChildProcess.Start(
            "gst-launch " + url, "gst-launch-1.0", ["-q", "playbin3", "uri=" + url, "video-sink=" + sink, "audio-sink=" + sink]);
    }

    /// <summary>What qtdemux makes of each sample of a file's first track of a kind, "video" or "audio".</summary>
    public static async Task<List<DemuxedSample>> SamplesAsync(string path, string kind)
    {
        var lines = await ChildProcess.RunAsync(
            "gst-launch " + path, "gst-launch-1.0",
            ["-v", "filesrc", "location=" + path, "!", "qtdemux", "name=d", $"d.{kind}_0", "!", "identity", "name=probe", "silent=false", "!", "fakesink"],
            TimeSpan.FromSeconds(30));
        return [.. lines.Select(line => SampleLine().Match(line)).Where(match => match.Success).Select(match => new DemuxedSample(
            int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture), Seconds(match.Groups[2].Value), Seconds(match.Groups[3].Value), Seconds(match.Groups[4].Value),
            !match.Groups[5].Value.Contains("delta-unit", StringComparison.Ordinal)))];
    }

    private static double Seconds(string clock)
    {
        var part = clock.Split(':');
        return (int.Parse(part[0], CultureInfo.InvariantCulture) * 3600) + (int.Parse(part[1], CultureInfo.InvariantCulture) * 60) + double.Parse(part[2], CultureInfo.InvariantCulture);
    }

    /// <summary>The message of identity; "none" for a time does not match.</summary>
    [GeneratedRegex(@"probe: last-message = chain.*\((\d+) bytes, dts: ([\d:.]+), pts: ([\d:.]+), duration: ([\d:.]+),.* flags: (.*?), meta")]
    private static partial Regex SampleLine();
}

/// <summary>A sample out of a demuxer; times in seconds.</summary>
internal readonly record struct DemuxedSample(int Length, double Dts, double Pts, double Duration, bool IsSync);
