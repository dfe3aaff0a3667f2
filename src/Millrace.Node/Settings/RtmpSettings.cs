namespace Millrace.Node.Settings;

/// <summary>RTMP: publishing and playing (Adobe RTMP 1.0, Enhanced RTMP v2).</summary>
internal sealed record RtmpSettings
{
    /// <summary>Where to listen; default every address, port 1935; an empty list turns RTMP off.</summary>
    public IReadOnlyList<ListenEndpoint> Listen { get; init; } = [new ListenEndpoint(null, 1935)];

    /// <summary>A client whose socket took not one byte for this long, though bytes are due, is closed; default 60 s; 0 is never.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>From accept to the end of the handshake (RTMP 1.0, 5.2); default 10 s.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Time between two PingRequests (user control event 6); default 60 s; 0 is no pings. Restreamer-Edge: 3 min.</summary>
    public TimeSpan Ping { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A client that sends nothing at all for this long after a PingRequest is closed; default 30 s.</summary>
    public TimeSpan PingTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Different chunk-stream ids that one connection may use; default 64. By count, not by value: ids up to 65,599 are legal
    /// (RTMP 1.0, 5.3.1.1) and cheap, a state kept for each of them is not. Restreamer-Edge: 32.
    /// </summary>
    public int MaxStreams { get; init; } = 64;

    /// <summary>Bytes after which the peer acknowledges (Window Acknowledgement Size, 5.4.4); default 2,500,000.</summary>
    public long AckWindow { get; init; } = 2_500_000;

    /// <summary>
    /// Bytes of a chunk's payload that we send, 128 to 65,536; default 60,000. The same for all players, so that they share one
    /// wire log; large, because each chunk costs a header. Restreamer-Edge: 4000.
    /// </summary>
    public long ChunkSize { get; init; } = 60_000;

    /// <summary>Bytes of the largest message that is taken; a larger one ends the connection; default 16 MB, which is also the most.</summary>
    public long MaxMessage { get; init; } = 16 * 1024 * 1024;

    /// <summary>What a player's buffer counts for until it sends SetBufferLength; default 5 s. Live is never paced by it.</summary>
    public TimeSpan BufferLength { get; init; } = TimeSpan.FromSeconds(5);
}
