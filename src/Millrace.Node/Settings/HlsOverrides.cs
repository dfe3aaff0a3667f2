namespace Millrace.Node.Settings;

/// <summary>What one app does differently; null is the value of <see cref="HlsSettings"/>.</summary>
internal sealed record HlsOverrides
{
    /// <inheritdoc cref="HlsSettings.Enabled"/>
    public bool? Enabled { get; init; }

    /// <inheritdoc cref="HlsSettings.Part"/>
    public TimeSpan? Part { get; init; }

    /// <inheritdoc cref="HlsSettings.Segment"/>
    public TimeSpan? Segment { get; init; }

    /// <inheritdoc cref="HlsSettings.Segments"/>
    public int? Segments { get; init; }

    /// <inheritdoc cref="HlsSettings.HoldBack"/>
    public int? HoldBack { get; init; }

    /// <inheritdoc cref="HlsSettings.Warm"/>
    public HlsWarm? Warm { get; init; }

    /// <inheritdoc cref="HlsSettings.Idle"/>
    public TimeSpan? Idle { get; init; }

    /// <inheritdoc cref="HlsSettings.Keyframes"/>
    public HlsKeyframes? Keyframes { get; init; }

    public TsHlsOverrides Ts { get; init; } = new();

    public HlsSettings Over(HlsSettings all) => new()
    {
        Enabled = Enabled ?? all.Enabled,
        Part = Part ?? all.Part,
        Segment = Segment ?? all.Segment,
        Segments = Segments ?? all.Segments,
        HoldBack = HoldBack ?? all.HoldBack,
        Warm = Warm ?? all.Warm,
        Idle = Idle ?? all.Idle,
        Keyframes = Keyframes ?? all.Keyframes,
        Ts = Ts.Over(all.Ts),
    };
}

/// <summary>What one app does differently; null is the value of <see cref="TsHlsSettings"/>.</summary>
internal sealed record TsHlsOverrides
{
    /// <inheritdoc cref="TsHlsSettings.Enabled"/>
    public bool? Enabled { get; init; }

    /// <inheritdoc cref="TsHlsSettings.Fragment"/>
    public TimeSpan? Fragment { get; init; }

    /// <inheritdoc cref="TsHlsSettings.PlaylistLength"/>
    public TimeSpan? PlaylistLength { get; init; }

    /// <inheritdoc cref="TsHlsSettings.Cut"/>
    public TsCut? Cut { get; init; }

    /// <inheritdoc cref="TsHlsSettings.Slicing"/>
    public TsSlicing? Slicing { get; init; }

    /// <inheritdoc cref="TsHlsSettings.Type"/>
    public TsPlaylistType? Type { get; init; }

    /// <inheritdoc cref="TsHlsSettings.Naming"/>
    public TsNaming? Naming { get; init; }

    /// <inheritdoc cref="TsHlsSettings.Granularity"/>
    public int? Granularity { get; init; }

    /// <inheritdoc cref="TsHlsSettings.Names"/>
    public TsNames? Names { get; init; }

    /// <inheritdoc cref="TsHlsSettings.Nested"/>
    public bool? Nested { get; init; }

    /// <inheritdoc cref="TsHlsSettings.Continuous"/>
    public bool? Continuous { get; init; }

    /// <inheritdoc cref="TsHlsSettings.Cleanup"/>
    public bool? Cleanup { get; init; }

    /// <inheritdoc cref="TsHlsSettings.Encrypt"/>
    public bool? Encrypt { get; init; }

    /// <inheritdoc cref="TsHlsSettings.FragmentsPerKey"/>
    public int? FragmentsPerKey { get; init; }

    public TsHlsSettings Over(TsHlsSettings all) => new()
    {
        Enabled = Enabled ?? all.Enabled,
        Fragment = Fragment ?? all.Fragment,
        PlaylistLength = PlaylistLength ?? all.PlaylistLength,
        Cut = Cut ?? all.Cut,
        Slicing = Slicing ?? all.Slicing,
        Type = Type ?? all.Type,
        Naming = Naming ?? all.Naming,
        Granularity = Granularity ?? all.Granularity,
        Names = Names ?? all.Names,
        Nested = Nested ?? all.Nested,
        Continuous = Continuous ?? all.Continuous,
        Cleanup = Cleanup ?? all.Cleanup,
        Encrypt = Encrypt ?? all.Encrypt,
        FragmentsPerKey = FragmentsPerKey ?? all.FragmentsPerKey,
    };
}
