namespace Millrace.Node.Settings;

/// <summary>Who may play and publish the streams of a vhost. An app's own values: <see cref="AccessOverrides"/>.</summary>
internal sealed record AccessSettings
{
    /// <summary>Whether viewers have to show one of <see cref="PlayTokens"/>; default open: everybody may play.</summary>
    public AccessMode Play { get; init; } = AccessMode.Open;

    /// <summary>What viewers show: <c>?token=</c> or <c>?key=</c>, or as a bearer token (RFC 6750). Default none.</summary>
    public IReadOnlyList<Secret> PlayTokens { get; init; } = [];

    /// <summary>Whether publishers have to show one of <see cref="PublishTokens"/>; default open, but for <see cref="PublishSettings.Token"/>.</summary>
    public AccessMode Publish { get; init; } = AccessMode.Open;

    /// <summary>What publishers show besides <see cref="PublishSettings.Token"/>, which is as good; default none.</summary>
    public IReadOnlyList<Secret> PublishTokens { get; init; } = [];
}

internal enum AccessMode
{
    /// <summary>Everybody may.</summary>
    Open,

    /// <summary>Who shows one of the tokens may.</summary>
    Token,
}

/// <summary>What one app does differently; null and empty lists are the values of its vhost.</summary>
internal sealed record AccessOverrides
{
    /// <inheritdoc cref="AccessSettings.Play"/>
    public AccessMode? Play { get; init; }

    /// <inheritdoc cref="AccessSettings.PlayTokens"/>
    public IReadOnlyList<Secret> PlayTokens { get; init; } = [];

    /// <inheritdoc cref="AccessSettings.Publish"/>
    public AccessMode? Publish { get; init; }

    /// <inheritdoc cref="AccessSettings.PublishTokens"/>
    public IReadOnlyList<Secret> PublishTokens { get; init; } = [];

    public AccessSettings Over(AccessSettings all) => new()
    {
        Play = Play ?? all.Play,
        PlayTokens = PlayTokens.Count > 0 ? PlayTokens : all.PlayTokens,
        Publish = Publish ?? all.Publish,
        PublishTokens = PublishTokens.Count > 0 ? PublishTokens : all.PublishTokens,
    };
}
