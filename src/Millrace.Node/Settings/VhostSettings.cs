namespace Millrace.Node.Settings;

/// <summary>A virtual host: a separate set of names. Any host that is not configured is the vhost <c>default</c>.</summary>
internal sealed record VhostSettings
{
    public const string DefaultName = "default";

    /// <summary>What SRS calls <see cref="DefaultName"/>; always another name of it.</summary>
    public const string DefaultAlias = "__defaultVhost__";

    /// <summary>Whether a name means the default vhost, whatever else is configured.</summary>
    public static bool IsDefault(string name) =>
        string.Equals(name, DefaultName, StringComparison.OrdinalIgnoreCase)
        || string.Equals(name, DefaultAlias, StringComparison.OrdinalIgnoreCase);

    /// <summary>Host name, not case-sensitive; <c>*</c> stands for any run of characters (<c>*.example.org</c>). Required.</summary>
    public string Name { get; init; } = "";

    /// <summary>Other host names of this vhost, wildcards allowed; default none.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>Whether this node holds the vhost's streams, or fetches them from others; default local.</summary>
    public VhostMode Mode { get; init; } = VhostMode.Local;

    /// <summary>
    /// With <see cref="VhostMode.Remote"/> where to fetch streams from, in that order: <c>millrace://host:port</c>, or a foreign server's
    /// <c>rtmp://host:port/app</c>, <c>http://host:port</c>, <c>https://host:port</c> or <c>host:port</c>. Several may stand in one text with spaces
    /// between them. Default none.
    /// </summary>
    public IReadOnlyList<string> Origin { get; init; } = [];

    /// <summary>How origins without a scheme are asked for streams; default rtmp.</summary>
    public UpstreamProtocol Protocol { get; init; } = UpstreamProtocol.Rtmp;

    /// <summary>The first viewer's protocol takes the place of <see cref="Protocol"/> where it is one of the two; default false.</summary>
    public bool FollowClient { get; init; }

    /// <summary>
    /// What the vhost is called at foreign origins, with <c>[vhost]</c> for its name here; default empty: as here, and the vhost default by the
    /// origin's own host name.
    /// </summary>
    public string UpstreamVhost { get; init; } = "";

    /// <summary>
    /// With <see cref="VhostMode.Remote"/> the origin decides who may play and publish, besides <see cref="Access"/>: each viewer's and publisher's
    /// arguments are shown to it before he is served. Default false.
    /// </summary>
    public bool TokenTraverse { get; init; }

    public AccessSettings Access { get; init; } = new();

    /// <summary>Where every stream that is published here is sent as well, for as long as it is live: as <see cref="Origin"/>, but not HTTP. Default none.</summary>
    public IReadOnlyList<string> Forward { get; init; } = [];

    /// <summary>
    /// What single apps do differently; the first whose name matches holds; default none. An app need not be listed to exist.
    /// </summary>
    public IReadOnlyList<AppSettings> Apps { get; init; } = [];
}

internal enum VhostMode
{
    /// <summary>Streams are published here.</summary>
    Local,

    /// <summary>Streams are fetched from an origin as soon as somebody plays them, and published to it.</summary>
    Remote,
}

/// <summary>How a foreign server is asked for streams.</summary>
internal enum UpstreamProtocol
{
    /// <summary>RTMP, port 1935.</summary>
    Rtmp,

    /// <summary>HTTP-FLV, port 80.</summary>
    Flv,
}

/// <summary>What one app, or several, do differently.</summary>
internal sealed record AppSettings
{
    /// <summary>The app's name or a <see cref="Glob"/> (<c>live/*</c>). Required.</summary>
    public string Name { get; init; } = "";

    /// <inheritdoc cref="VhostSettings.Mode"/>
    public VhostMode? Mode { get; init; }

    /// <summary>The app's own origins; empty (the default) are the vhost's.</summary>
    public IReadOnlyList<string> Origin { get; init; } = [];

    /// <inheritdoc cref="VhostSettings.TokenTraverse"/>
    public bool? TokenTraverse { get; init; }

    /// <summary>The app's own; empty (the default) is the vhost's.</summary>
    public IReadOnlyList<string> Forward { get; init; } = [];

    public AccessOverrides Access { get; init; } = new();

    public PublishOverrides Publish { get; init; } = new();

    public HlsOverrides Hls { get; init; } = new();

    /// <summary>The merge window of the app's streams in every format; null (<c>auto</c>, the default) is what <see cref="MergeSettings"/> says.</summary>
    public TimeSpan? Merge { get; init; }
}
