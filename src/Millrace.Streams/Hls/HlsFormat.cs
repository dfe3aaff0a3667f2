namespace Millrace.Streams.Hls;

/// <summary>The two forms of HLS.</summary>
internal enum HlsFormat
{
    /// <summary>fMP4 with parts; a rendition for each track.</summary>
    LowLatency,

    /// <summary>MPEG-TS, all tracks in one.</summary>
    TransportStream,
}
