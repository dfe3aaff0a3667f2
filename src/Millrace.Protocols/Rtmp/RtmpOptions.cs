namespace Millrace.Protocols.Rtmp;

/// <summary>Limits and timings of one RTMP connection, for the server and the client side. Times in microseconds, sizes in bytes.</summary>
internal sealed record RtmpOptions
{
    public static readonly RtmpOptions Default = new();

    /// <summary>Payload bytes per chunk we send; 128 and up. 60,000 as SRS: one chunk for nearly every message.</summary>
    public int ChunkSize { get; init; } = 60_000;

    /// <summary>WindowAckSize and SetPeerBandwidth we announce, and the acknowledgement window until the peer sets its own.</summary>
    public uint AckWindow { get; init; } = 2_500_000;

    /// <summary>A longer message ends the connection; at most 16,777,215 because the length field has 24 bits.</summary>
    public int MaxMessageBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>Distinct chunk stream ids a peer may use; one more ends the connection.</summary>
    public int MaxChunkStreams { get; init; } = 64;

    /// <summary>Bytes held in unfinished messages of all chunk streams together.</summary>
    public int MaxBufferedBytes { get; init; } = 32 * 1024 * 1024;

    /// <summary>createStream calls a connection may have open at once; one more is answered with _error.</summary>
    public int MaxMessageStreams { get; init; } = 16;

    /// <summary>From accept until publish or play is requested; 0 = never.</summary>
    public long HandshakeTimeoutMicros { get; init; } = 10_000_000;

    /// <summary>From the end of a publish or play until the next request; 0 = never.</summary>
    public long RepublishTimeoutMicros { get; init; } = 180_000_000;

    /// <summary>Between our ping requests; 0 = none.</summary>
    public long PingMicros { get; init; } = 60_000_000;

    /// <summary>Silence after a ping request that ends the connection.</summary>
    public long PingTimeoutMicros { get; init; } = 30_000_000;

    /// <summary>Buffer length assumed until the client sets one, and the one our client sets; milliseconds.</summary>
    public uint BufferLengthMillis { get; init; } = 5_000;

    /// <summary>When set, connect is not answered before AcceptConnect or RejectConnect.</summary>
    public bool DeferConnect { get; init; }

    /// <summary>
    /// Sends the data message onStatus(NetStream.Data.Start) when a play begins, as Adobe's server does. Off, as in SRS: ffmpeg takes it
    /// for a third, unknown stream.
    /// </summary>
    public bool SendsDataStart { get; init; }

    /// <summary>Codecs announced to peers that speak Enhanced RTMP.</summary>
    public RtmpFourCcs FourCcs { get; init; } = RtmpFourCcs.All & ~(RtmpFourCcs.Vvc1 | RtmpFourCcs.Vp08);

    /// <summary>Extensions announced to peers that speak Enhanced RTMP.</summary>
    public RtmpCapsEx CapsEx { get; init; } = RtmpCapsEx.Reconnect | RtmpCapsEx.Multitrack | RtmpCapsEx.ModEx;

    /// <summary>Goes to clients in the connect result, as data.version.</summary>
    public string ServerName { get; init; } = "Millrace/0.1";

    /// <summary>fmsVer of the connect result; clients parse this form.</summary>
    public string FmsVersion { get; init; } = "FMS/3,5,7,7009";
}
