namespace Millrace.Node.Settings;

/// <summary>This node among others: its name, and the map that says which node has a stream.</summary>
internal sealed record ClusterSettings
{
    /// <summary>Longest <see cref="Node"/>, in characters: as a label of a DNS name.</summary>
    public const int MaxNodeLength = 63;

    /// <summary>The node's name, no other's; default none, which is the machine's name and a port. Letters, digits, '.', '-', '_'.</summary>
    public string Node { get; init; } = "";

    /// <summary>
    /// Where other nodes reach this one's relay: <c>host:port</c>, or with the scheme that they are to connect by, <c>millrace://</c> or
    /// <c>millraces://</c>; default none: its streams are not put into the map, as on a node that is an edge only. Without a scheme or without a port
    /// these are <c>relay.listen</c>'s, or those of <c>relay.tls</c> where only that is open.
    /// </summary>
    public string Advertise { get; init; } = "";

    /// <summary>Where the map is kept; default memory.</summary>
    public OriginMapKind Map { get; init; } = OriginMapKind.Memory;

    /// <summary>Time between two renewals of what the node has put into the map; default 2.5 s (OvenMediaEngine's).</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(2.5);

    /// <summary>
    /// What is not renewed leaves the map after this, and another node may take its place; default 10 s (OvenMediaEngine's).
    /// At least two of <see cref="Heartbeat"/>, so that one that is lost costs nothing.
    /// </summary>
    public TimeSpan Expiry { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long a look-up waits for the map before it is answered with what was known last; default 500 ms: an eighth of the time that a viewer
    /// may wait for first media.
    /// </summary>
    public TimeSpan LookupTimeout { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// What a client gets who comes here for a stream that another node of the map has; default proxy. Who is sent there is not sent on from there,
    /// and where the other node says no address for his protocol (<see cref="Public"/>) he is served here.
    /// </summary>
    public StreamElsewhere Elsewhere { get; init; } = StreamElsewhere.Proxy;

    /// <summary>Where clients whom other nodes send reach this one.</summary>
    public PublicSettings Public { get; init; } = new();

    public RedisSettings Redis { get; init; } = new();

    /// <summary>The name in effect.</summary>
    public string NodeId => Node.Length > 0 ? Node : Environment.MachineName;
}

internal enum StreamElsewhere
{
    /// <summary>It is fetched from there and served here.</summary>
    Proxy,

    /// <summary>He is sent there: RTMP 302, HTTP 307; publishers too.</summary>
    Redirect,
}

/// <summary>
/// This node's addresses for clients. Default of each: <see cref="ClusterSettings.Advertise"/>'s host, and the first port that listens for it; <see cref="None"/>:
/// nobody is sent here by that protocol.
/// </summary>
internal sealed record PublicSettings
{
    public const string None = "none";

    /// <summary><c>rtmp://host:port</c>.</summary>
    public string Rtmp { get; init; } = "";

    /// <summary><c>http://host:port</c>, for HTTP-FLV and HLS.</summary>
    public string Http { get; init; } = "";

    /// <summary><c>https://host:port</c>, for those who come by TLS: browsers let no page of https go on to http.</summary>
    public string Https { get; init; } = "";
}

internal enum OriginMapKind
{
    /// <summary>In this process: a node on its own, or several in one process.</summary>
    Memory,

    /// <summary>In Redis, for all nodes that use the same one.</summary>
    Redis,
}

/// <summary>The Redis that holds the map; one server, no Sentinel or Cluster.</summary>
internal sealed record RedisSettings
{
    public const int DefaultPort = 6379;

    /// <summary>Longest <see cref="Prefix"/>, in characters.</summary>
    public const int MaxPrefixLength = 64;

    /// <summary><c>host</c> or <c>host:port</c>; default 127.0.0.1:6379.</summary>
    public string Endpoint { get; init; } = "127.0.0.1:6379";

    /// <summary>Its <c>requirepass</c>, or that of the ACL user <c>default</c>; default none.</summary>
    public Secret Password { get; init; }

    /// <summary>Number of the database; default 0. Redis has 0 to 15 unless its <c>databases</c> says otherwise.</summary>
    public int Database { get; init; }

    /// <summary>What all keys begin with; default nothing: <c>vhost/app/name</c> and <c>node/ID</c>.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>TLS, with a certificate for <see cref="Endpoint"/>'s host that the machine trusts; default false.</summary>
    public bool Tls { get; init; }

    /// <summary>From the first packet to a usable connection; default 2 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(2);
}
