using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Millrace.Protocols.Relay;
using Millrace.Streams.Hls;

namespace Millrace.Streams.Relay;

/// <summary>
/// What a packager's playlists say at a number of the log, so that another node's begin where they are: <see cref="RelayMessageType.Playlists"/>.
/// Segments come without their bytes.
/// </summary>
internal sealed record RelayPlaylists
{
    public required HlsFormat Format { get; init; }

    /// <summary>The part of the playlists' names that stands for stream and Timeline.</summary>
    public required string Key { get; init; }

    /// <summary>Of the first entry that they know nothing of.</summary>
    public required long Number { get; init; }

    public required IReadOnlyList<RelayRendition> Renditions { get; init; }

    /// <summary>That part of the files' names; no two are the same, and there are less than <see cref="HlsPackager.MaxKeys"/>.</summary>
    public required IReadOnlyCollection<string> FileKeys { get; init; }

    /// <summary>Writes the payload. Inside the stream's lock.</summary>
    public static void Write(IBufferWriter<byte> target, HlsPackager packager, long number)
    {
        var output = new RelayWriter(target);
        output.Byte((byte)packager.Format);
        output.Number((ulong)number);
        output.Text(packager.Key);
        output.Number((ulong)packager.Renditions.Length);
        foreach (var rendition in packager.Renditions)
        {
            output.Byte((byte)rendition.Id.Kind);
            output.Number((ulong)rendition.Id.Number);
            var known = rendition.Known.ToArray();
            output.Number((ulong)known.Length);
            HlsInit? before = null;
            foreach (var (segment, isListed) in known)
            {
                Write(output, segment, isListed, before);
                before = segment.Init ?? before;
            }
        }
    }

    /// <param name="payload">Of the message.</param>
    /// <param name="memory">Where the segments' bytes will lie.</param>
    /// <param name="playlists">What it says.</param>
    public static bool TryRead(ReadOnlySpan<byte> payload, StreamResources memory, [NotNullWhen(true)] out RelayPlaylists? playlists) =>
        new RelayPlaylistsReader(payload, memory).TryRead(out playlists);

    private static void Write(RelayWriter output, HlsSegment segment, bool isListed, HlsInit? beforeIt)
    {
        var isNew = segment.Init is { } init && !init.IsSameAs(beforeIt);
        output.Byte((byte)((isListed ? 1 : 0) | (segment.IsBreak ? 2 : 0) | (segment.Init is not null ? 4 : 0) | (isNew ? 8 : 0)));
        output.Signed(segment.Number);
        output.Signed(segment.Name);
        output.Number((ulong)segment.Discontinuities);
        output.Signed(segment.BorderMicros);
        output.Signed(segment.BorderDateMicros);
        output.Signed(segment.StartMicros);
        output.Signed(segment.DurationMicros);
        output.Signed(segment.Key);
        output.Number((ulong)segment.Length);
        output.Text(segment.ETag);
        output.Text(segment.NameKey);
        var (forkedAt, before) = segment.Forked;
        output.Number((ulong)forkedAt);
        output.Text(before);
        if (isNew)
        {
            output.Number((ulong)segment.Init!.Era);
            output.Number((ulong)segment.Init.Config);
            output.Bytes(segment.Init.Bytes);
            output.Text(segment.Init.NameKey);
        }

        output.Number((ulong)segment.PartCount);
        foreach (var part in segment.Parts.AsSpan(0, segment.PartCount))
        {
            output.Number(((ulong)part.Length << 1) | (part.IsIndependent ? 1UL : 0));
            output.Signed(part.DurationMicros);
            output.Text(part.ETag);
        }
    }
}

/// <summary>A rendition of another node, and the segments of it that can be fetched there, the oldest first.</summary>
internal sealed record RelayRendition(RenditionId Id, IReadOnlyList<HlsKnownSegment> Segments);
