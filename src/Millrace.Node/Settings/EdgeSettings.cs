namespace Millrace.Node.Settings;

/// <summary>How streams are fetched that other nodes hold: vhosts and apps of <c>mode: remote</c>.</summary>
internal sealed record EdgeSettings
{
    /// <summary>A stream that nobody watches any more is fetched for this long; default 10 s.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a request waits for a stream that is being fetched; default 4 s.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>A name that no origin knows is not asked for again for this long; default 1 s.</summary>
    public TimeSpan NegativeCache { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// So many streams are asked for at once, and the next is answered with 503: names are made up by clients, and each is a connection to an origin
    /// for as long as that takes to answer; default 4,096.
    /// </summary>
    public int Pending { get; init; } = 4_096;

    /// <summary>An origin that takes no connection for this long is passed over; default 1 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A foreign origin (RTMP, HTTP-FLV) that sends no media for this long, or takes none, is passed over; default 5 s.</summary>
    public TimeSpan MediaTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Which origin is tried first; default ordered.</summary>
    public OriginChoice Failover { get; init; } = OriginChoice.Ordered;

    /// <summary>How long a stream stays with another origin than its first before that is tried again; the other is left when the first has taken over. Default 0: it stays.</summary>
    public TimeSpan Failback { get; init; }

    /// <summary>First pause between two rounds through the origins, doubled with each; default 200 ms.</summary>
    public TimeSpan RetryMin { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Longest pause between two rounds; default 5 s. A third of each pause is chance.</summary>
    public TimeSpan RetryMax { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long viewers are kept while no origin has the stream; default 30 s.</summary>
    public TimeSpan GiveUp { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long an origin's word that somebody may play or publish holds, where the origin does not say less; default 10 s. So long may one whose
    /// token is withdrawn go on.
    /// </summary>
    public TimeSpan AccessCache { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long its word holds that somebody may not; default 1 s.</summary>
    public TimeSpan AccessRefusalCache { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Who may not be told from who may not within this time is refused; default 3 s.</summary>
    public TimeSpan AccessTimeout { get; init; } = TimeSpan.FromSeconds(3);

    public EdgeTlsSettings Tls { get; init; } = new();
}

/// <summary>TLS to foreign servers: <c>https://</c> and <c>rtmps://</c>, as origins and as targets of <c>forward</c>.</summary>
internal sealed record EdgeTlsSettings
{
    /// <summary>PEM file of authorities that are trusted besides those of the machine; default none. Read again when it changes.</summary>
    public string Authority { get; init; } = "";
}

/// <summary>Where a stream's fetching begins.</summary>
internal enum OriginChoice
{
    /// <summary>At the first of the list.</summary>
    Ordered,

    /// <summary>Each stream at the next of the list.</summary>
    RoundRobin,

    /// <summary>By the stream's name, on every edge alike.</summary>
    Hash,
}
