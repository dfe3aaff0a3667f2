namespace Millrace.Node.Metrics;

/// <summary>What a request was for, as far as traffic is told apart.</summary>
internal enum TrafficFormat
{
    /// <summary>The page, the status page and everything that is no media.</summary>
    Page,
    Flv,
    WsFlv,
    LlHls,
    TsHls,

    /// <summary>Keys of encrypted HLS.</summary>
    Key,
    Rtmp,
}

internal static class TrafficFormats
{
    public const int Count = (int)TrafficFormat.Rtmp + 1;

    private static readonly string[] Names = ["page", "flv", "ws-flv", "ll-hls", "ts-hls", "key", "rtmp"];

    /// <summary>As zones and labels have it.</summary>
    public static string NameOf(TrafficFormat format) => Names[(int)format];

    /// <summary>
    /// The format of a session that moves its bytes as a stream; null for protocols whose every request is counted by itself.
    /// </summary>
    public static TrafficFormat? OfStreaming(string protocol) => protocol switch
    {
        "rtmp" => TrafficFormat.Rtmp,
        "http-flv" => TrafficFormat.Flv,
        "ws-flv" => TrafficFormat.WsFlv,
        _ => null,
    };
}
