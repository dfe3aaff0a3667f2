namespace Millrace.Node.Settings;

/// <summary>
/// Merged writes: new bytes of a stream are sent to its viewers at most once per window. A longer window costs latency and
/// saves processor time (10 ms costs about twice as much as 50 ms); 0 sends at once. The most specific value holds:
/// <see cref="Streams"/>, then the app's, then the format's, then <see cref="Default"/>.
/// </summary>
internal sealed record MergeSettings
{
    /// <summary>The window where nothing else is said; default 30 ms; at most 10 s, as all windows.</summary>
    public TimeSpan Default { get; init; } = TimeSpan.FromMilliseconds(30);

    /// <summary>RTMP players; null (<c>auto</c>, the default) is <see cref="Default"/>.</summary>
    public TimeSpan? Rtmp { get; init; }

    /// <summary>HTTP-FLV; null (<c>auto</c>, the default) is <see cref="Default"/>.</summary>
    public TimeSpan? Flv { get; init; }

    /// <summary>FLV over WebSocket; null (<c>auto</c>, the default) is <see cref="Default"/>.</summary>
    public TimeSpan? WsFlv { get; init; }

    /// <summary>Other nodes; null (<c>auto</c>, the default) is <see cref="Default"/> and a third of it: 40 ms.</summary>
    public TimeSpan? Relay { get; init; }

    /// <summary>Windows of single streams; the first that matches holds; default none.</summary>
    public IReadOnlyList<StreamMerge> Streams { get; init; } = [];
}

/// <summary>The window of the streams whose name matches.</summary>
internal sealed record StreamMerge
{
    /// <summary>A <see cref="Glob"/> for <c>vhost/app/name</c>.</summary>
    public string Match { get; init; } = "";

    /// <summary>The window; default 0, for this is where low latency is asked for.</summary>
    public TimeSpan Window { get; init; }
}

/// <summary>The forms of sending that can have a window of their own.</summary>
internal enum MergeFormat
{
    Rtmp,
    Flv,
    WsFlv,
    Relay,
}
