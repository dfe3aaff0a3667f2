using Millrace.Conformance.Mp4;
using Millrace.Conformance.Playlists;

namespace Millrace.Conformance.Record;

/// <summary>Everything a crawl saw, as the rules get it. Immutable; times count from the start of the crawl.</summary>
internal sealed record History
{
    public required Uri Address { get; init; }

    public TimeSpan Length { get; init; }

    /// <summary>What a noisy machine may add to a time before a rule calls it late.</summary>
    public TimeSpan Tolerance { get; init; } = TimeSpan.FromMilliseconds(250);

    public Exchange? MultivariantExchange { get; init; }

    public MultivariantPlaylist Multivariant { get; init; } = new();

    public IReadOnlyList<RenditionHistory> Renditions { get; init; } = [];

    public IReadOnlyList<Probe> Probes { get; init; } = [];

    public IReadOnlyList<DisturbedTime> Disturbances { get; init; } = [];

    /// <summary>Whether the publisher was being disturbed, or recovering, at some time between the two.</summary>
    public bool Disturbed(TimeSpan from, TimeSpan to) => Disturbances.Any(d => d.From <= to && from <= d.To);

    public IEnumerable<Probe> Of(ProbeKind kind) => Probes.Where(probe => probe.Kind == kind);

    public RenditionHistory? Rendition(Uri uri) => Renditions.FirstOrDefault(rendition => rendition.Uri == uri);
}

/// <summary>A time in which the caller disturbed the publisher, with what it takes to recover.</summary>
internal sealed record DisturbedTime(string Name, TimeSpan From, TimeSpan To);

/// <summary>One Media Playlist followed over the whole crawl.</summary>
internal sealed record RenditionHistory
{
    public required Uri Uri { get; init; }

    /// <summary>"variant", or the TYPE of EXT-X-MEDIA.</summary>
    public string Kind { get; init; } = "variant";

    /// <summary>The file's name, for the evidence.</summary>
    public string Name => Uri.Segments[^1];

    /// <summary>Every load of the playlist in order, failed ones too.</summary>
    public IReadOnlyList<Reload> Reloads { get; init; } = [];

    public IReadOnlyList<PartFetch> Parts { get; init; } = [];

    public IReadOnlyList<SegmentFetch> Segments { get; init; } = [];

    public IReadOnlyList<InitFetch> Inits { get; init; } = [];

    /// <summary>The loads that gave a playlist.</summary>
    public IEnumerable<Reload> Versions => Reloads.Where(reload => reload.Playlist is not null);

    public MediaPlaylist? First => Versions.FirstOrDefault()?.Playlist;

    public MediaPlaylist? Last => Versions.LastOrDefault()?.Playlist;

    /// <summary>Seconds; 0 when no playlist came.</summary>
    public double TargetDuration => First?.TargetDuration ?? 0;

    /// <summary>The newest version that had come by this time.</summary>
    public Reload? At(TimeSpan time) => Versions.LastOrDefault(version => version.Exchange.HeadersAt <= time);
}

/// <summary>A load of a playlist; <paramref name="Asked"/> is null for one without directives, its part for _HLS_msn alone -1.</summary>
internal sealed record Reload(Exchange Exchange, Position? Asked, MediaPlaylist? Playlist)
{
    public MediaPlaylist List => Playlist ?? throw new InvalidOperationException("this load failed");
}

/// <summary>A part, fetched through its hint or when it was announced.</summary>
internal sealed record PartFetch(Uri Uri, Exchange Exchange)
{
    /// <summary>Where it came to stand; null while, or if ever, it is only hinted.</summary>
    public PartEntry? Entry { get; init; }

    /// <summary>Whether it was asked for because of a hint, before it was in the playlist.</summary>
    public bool Hinted { get; init; }

    /// <summary>When a playlist first had it.</summary>
    public TimeSpan? AnnouncedAt { get; init; }

    /// <summary>Whether <see cref="AnnouncedAt"/> is exact: that playlist came as the answer to a request that was held.</summary>
    public bool AnnouncedExactly { get; init; }

    /// <summary>Whether a playlist after the hint's had it neither as hint nor as part.</summary>
    public bool Withdrawn { get; init; }

    public MediaSummary? Media { get; init; }

    /// <summary>Why the bytes could not be read as media; null when they could.</summary>
    public string? Malformed { get; init; }
}

/// <summary>A whole segment.</summary>
internal sealed record SegmentFetch(SegmentEntry Entry, Exchange Exchange)
{
    public MediaSummary? Media { get; init; }

    public string? Malformed { get; init; }

    /// <summary>Parts whose bytes it was compared with; 0 when not all of them were at hand.</summary>
    public int Compared { get; init; }

    /// <summary>How it differs from its parts; null when it does not.</summary>
    public string? Mismatch { get; init; }
}

/// <summary>A Media Initialization Section.</summary>
internal sealed record InitFetch(MapEntry Entry, Exchange Exchange, InitSection? Section, string? Malformed);
