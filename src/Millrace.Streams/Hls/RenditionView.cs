using Millrace.Media;

namespace Millrace.Streams.Hls;

/// <summary>What a media playlist says at one position of the log. Immutable.</summary>
/// <param name="id">The rendition.</param>
/// <param name="segments">The complete segments that are listed, in order.</param>
/// <param name="open">The segment in the making; null before the first and when the stream has ended.</param>
internal sealed class RenditionView(RenditionId id, HlsSegment[] segments, HlsSegment? open)
{
    public RenditionId Id { get; } = id;

    /// <summary>What the newest unit needs; null where no track goes on in the rendition.</summary>
    public Config? Config { get; init; }

    public HlsSegment[] Segments { get; } = segments;

    public HlsSegment? Open { get; } = open;

    /// <summary>The part of the next part's name that stands for stream and Timeline.</summary>
    public required string HintKey { get; init; }

    /// <summary>Of the open segment; it is known with its first part.</summary>
    public HlsInit? OpenInit { get; } = open?.Init;

    /// <summary>Parts of the open segment that are published.</summary>
    public int OpenParts { get; } = open?.PartCount ?? 0;

    private HlsPart[] OpenPartArray { get; } = open?.Parts ?? [];

    public ReadOnlySpan<HlsPart> PartsOfOpen => OpenPartArray.AsSpan(0, OpenParts);

    public bool IsEmpty => Segments.Length == 0 && OpenParts == 0;

    /// <summary>Number of the newest complete segment; -1 without one.</summary>
    public long LastSegment => Segments.Length > 0 ? Segments[^1].Number : -1;

    /// <summary>Number of the segment that the next part belongs to.</summary>
    public long NextSegment => Open?.Number ?? LastSegment + 1;

    /// <summary>LAST-MSN and LAST-PART of a rendition report; part -1: the segment has none.</summary>
    public (long Segment, int Part) Last =>
        OpenParts > 0 ? (Open!.Number, OpenParts - 1) : (LastSegment, Segments.Length > 0 ? Segments[^1].PartCount - 1 : -1);

    /// <summary>EXTINF of all that is listed and of the parts after it, microseconds.</summary>
    public long DurationMicros
    {
        get
        {
            var sum = 0L;
            foreach (var segment in Segments)
                sum += segment.DurationMicros;
            foreach (var part in PartsOfOpen)
                sum += part.DurationMicros;
            return sum;
        }
    }

    /// <summary><c>_HLS_msn</c> alone waits for the whole segment (RFC 8216bis 6.2.5.2).</summary>
    public bool HasSegment(long number) => LastSegment >= number;

    /// <summary>With <c>_HLS_part</c>; a part behind the segment's last is the first of the next segment.</summary>
    public bool HasPart(long number, long part)
    {
        if (LastSegment > number)
            return true;
        var hasNext = OpenParts > 0 && Open!.Number > number;
        if (LastSegment == number)
            return hasNext || part < Segments[^1].PartCount;
        return hasNext || (OpenParts > part && Open!.Number == number);
    }

    /// <summary>Highest bits a second of a listed segment; of the parts there are before the first.</summary>
    public long PeakBitrate
    {
        get
        {
            var peak = 0L;
            foreach (var segment in Segments)
                peak = Math.Max(peak, BitrateOf(segment.Length, segment.DurationMicros));
            if (peak > 0)
                return peak;
            var (bytes, micros) = (0L, 0L);
            foreach (var part in PartsOfOpen)
                (bytes, micros) = (bytes + part.Length, micros + part.DurationMicros);
            return BitrateOf(bytes, micros);
        }
    }

    private static long BitrateOf(long bytes, long micros) => micros > 0 ? bytes * 8 * 1_000_000 / micros : 0;
}
