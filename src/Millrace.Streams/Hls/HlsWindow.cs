namespace Millrace.Streams.Hls;

/// <summary>What a packager's playlists list and what is kept of what left them, as the settings say. Times in microseconds.</summary>
internal sealed class HlsWindow(HlsOptions options, TsOptions? ts)
{
    /// <summary>EXT-X-PLAYLIST-TYPE:EVENT: nothing is removed.</summary>
    public bool IsEvent => ts is { IsEvent: true };

    /// <summary>Removed segments stay until their memory is needed.</summary>
    public bool KeepsRemoved => ts is { KeepsRemoved: true };

    /// <summary>EXT-X-TARGETDURATION, as Marks say it.</summary>
    public long TargetSeconds { get; set; } = Math.Max(1, ((ts?.Cuts ?? options.Cuts).SegmentMicros + 500_000) / 1_000_000);

    /// <summary>No segment is removed that would leave less (RFC 8216bis 6.2.2).</summary>
    public long LeastMicros => 3 * TargetSeconds * 1_000_000;

    /// <summary>A request may wait for so long (RFC 8216bis 6.2.5.2), and a moment for its answer.</summary>
    public long LongestHoldMicros => LeastMicros + 1_000_000;

    /// <summary>Whether the oldest of <paramref name="segments"/> may go without leaving less than the least.</summary>
    public bool CanRemove(ReadOnlySpan<HlsSegment> segments, long listedMicros) =>
        segments.Length > 1 && listedMicros - segments[0].DurationMicros >= LeastMicros;

    /// <summary>Whether the oldest of <paramref name="segments"/> is more than is to be listed.</summary>
    public bool IsOverfull(ReadOnlySpan<HlsSegment> segments, long listedMicros) =>
        !IsEvent && CanRemove(segments, listedMicros)
        && (ts is { WindowMicros: > 0 and var window } ? listedMicros - segments[0].DurationMicros >= window : segments.Length > options.Segments);
}
