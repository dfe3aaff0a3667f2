namespace Millrace.Node.Settings;

/// <summary>
/// Everything a media node can be told. One immutable value: parsed once, validated whole, swapped whole; nothing
/// in it changes after it was handed out. <c>new NodeSettings()</c> is the shipped default. The YAML key of a
/// property is its name in snake_case.
/// </summary>
internal sealed record NodeSettings
{
    public LogSettings Log { get; init; } = new();

    public MemorySettings Memory { get; init; } = new();

    public ShardSettings Shards { get; init; } = new();

    public LimitSettings Limits { get; init; } = new();

    public RtmpSettings Rtmp { get; init; } = new();

    public HttpSettings Http { get; init; } = new();

    public ApiSettings Api { get; init; } = new();

    public RelaySettings Relay { get; init; } = new();

    public EdgeSettings Edge { get; init; } = new();

    public PageSettings Page { get; init; } = new();

    public StatusSettings Status { get; init; } = new();

    public HlsSettings Hls { get; init; } = new();

    public PublishSettings Publish { get; init; } = new();

    public PlayerSettings Player { get; init; } = new();

    public MergeSettings Merge { get; init; } = new();

    public TrackSettings Tracks { get; init; } = new();

    public StreamSettings Streams { get; init; } = new();

    public ClusterSettings Cluster { get; init; } = new();

    /// <summary>Virtual hosts. The one named <c>default</c> always exists: the loader adds it where it is not listed.</summary>
    public IReadOnlyList<VhostSettings> Vhosts { get; init; } = [new VhostSettings { Name = VhostSettings.DefaultName }];

    public ShutdownSettings Shutdown { get; init; } = new();
}
