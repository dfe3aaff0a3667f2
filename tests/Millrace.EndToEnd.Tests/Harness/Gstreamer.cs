using System.Globalization;

namespace Millrace.EndToEnd.Harness;

/// <summary>GStreamer as a player.</summary>
internal static class Gstreamer
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
}
