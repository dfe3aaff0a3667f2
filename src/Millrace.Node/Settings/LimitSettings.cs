namespace Millrace.Node.Settings;

/// <summary>What clients may take of the node, whatever protocol they speak.</summary>
internal sealed record LimitSettings
{
    /// <summary>
    /// Connections open at once, over all listeners; default 15,000; 0 is no limit of our own. A process usually has 20,000
    /// descriptors, and the rest is for listeners, epoll instances, files and memory arenas.
    /// </summary>
    public int Connections { get; init; } = 15_000;

    /// <summary>
    /// Connections open at once from one address (one /64 for IPv6); default 2,000; 0 is no limit. High enough for an
    /// office or a carrier's NAT, low enough that one host cannot take all of <see cref="Connections"/>. Links of nodes that prove what they are
    /// (<c>relay.secret</c>, <c>relay.tls.client_certificates</c>) do not count.
    /// </summary>
    public int ConnectionsPerIp { get; init; } = 2_000;

    /// <summary>From the first byte of an HTTP request (or from accept, for the first one) to the end of its head; default 10 s.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Bytes of request line and header fields of one HTTP request; default 16 KB: room for a browser's cookies, half of what Kestrel takes.</summary>
    public long RequestHeadBytes { get; init; } = 16 * 1024;

    /// <summary>A keep-alive HTTP connection without a request is closed after this; default 75 s (nginx's keepalive_timeout).</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(75);

    /// <summary>
    /// An HTTP viewer whose socket took not one byte for this long, though bytes are due, is closed, and one that takes longer
    /// than this for a segment which is no longer kept; default 60 s (nginx's send_timeout); 0 is never. RTMP has <see cref="RtmpSettings.Timeout"/> of its own.
    /// </summary>
    public TimeSpan WriteTimeout { get; init; } = TimeSpan.FromSeconds(60);
}
