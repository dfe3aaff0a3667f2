using Millrace.Streams;

namespace Millrace.Node.Settings;

/// <summary>Who may publish, and what happens when a publisher goes. An app's own values: <see cref="PublishOverrides"/>.</summary>
internal sealed record PublishSettings
{
    /// <summary>What a publisher must send as <c>?token=</c>; default none: everybody may publish. Restreamer-Edge: datarhei.</summary>
    public Secret Token { get; init; }

    /// <summary>A second publisher of a live name is refused (default) or takes over.</summary>
    public DuplicatePolicy Duplicate { get; init; } = DuplicatePolicy.Reject;

    /// <summary>Whether the last part of an RTMP name is a credential; default auto.</summary>
    public PublishKeyMode Key { get; init; } = PublishKeyMode.Auto;

    /// <summary>How long a stream waits for its publisher to come back before its players are told it ended; default 10 s; 0 is not at all.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A publisher that sends no media for this long is disconnected; default 10 s; 0 is never.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(10);
}

internal enum PublishKeyMode
{
    /// <summary><see cref="Name"/> for apps of the form <c>live/ID</c>, <see cref="None"/> for all others.</summary>
    Auto,

    /// <summary>The stream name is a name.</summary>
    None,

    /// <summary>
    /// The stream name is a key: <c>rtmp://host/live/ID</c> + <c>KEY</c> is stream <c>live/ID</c>. The key is never logged or
    /// listed.
    /// </summary>
    Name,
}

/// <summary>What one app does differently; null is the value of <see cref="PublishSettings"/>.</summary>
internal sealed record PublishOverrides
{
    /// <inheritdoc cref="PublishSettings.Token"/>
    public Secret? Token { get; init; }

    /// <inheritdoc cref="PublishSettings.Duplicate"/>
    public DuplicatePolicy? Duplicate { get; init; }

    /// <inheritdoc cref="PublishSettings.Key"/>
    public PublishKeyMode? Key { get; init; }

    /// <inheritdoc cref="PublishSettings.Grace"/>
    public TimeSpan? Grace { get; init; }

    /// <inheritdoc cref="PublishSettings.IdleTimeout"/>
    public TimeSpan? IdleTimeout { get; init; }

    public PublishSettings Over(PublishSettings all) => new()
    {
        Token = Token ?? all.Token,
        Duplicate = Duplicate ?? all.Duplicate,
        Key = Key ?? all.Key,
        Grace = Grace ?? all.Grace,
        IdleTimeout = IdleTimeout ?? all.IdleTimeout,
    };
}
