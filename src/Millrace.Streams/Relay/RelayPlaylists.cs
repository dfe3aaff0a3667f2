using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Millrace.Media;
using Millrace.Protocols.Relay;
using Millrace.Streams.Hls;
using Millrace.Streams.Log;

namespace Millrace.Streams.Relay;

/// <summary>
/// What a packager's playlists say at a number of the log, so that another node's begin where they are: <see cref="RelayMessageType.Playlists"/>.
/// Segments come without their bytes.
/// </summary>
internal sealed record RelayPlaylists
{
    private const int MaxRenditions = 32;
    private const int MaxSegments = 1 << 16;
    private const int MaxParts = 1 << 12;
    private const int MaxInit = 1 << 18;
    private const int MaxTag = 64;

    public required HlsFormat Format { get; init; }

    /// <summary>The part of the playlists' names that stands for stream and Timeline.</summary>
    public required string Key { get; init; }

    /// <summary>Of the first entry that they know nothing of.</summary>
    public required long Number { get; init; }

    public required IReadOnlyList<RelayRendition> Renditions { get; init; }

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
    public static bool TryRead(ReadOnlySpan<byte> payload, StreamResources memory, [NotNullWhen(true)] out RelayPlaylists? playlists)
    {
        playlists = null;
        var input = new RelayReader(payload);
        if (!input.TryByte(out var format) || !Enum.IsDefined((HlsFormat)format) || !input.TryNumber(long.MaxValue, out long number)
            || !input.TryText(MaxTag, out var key) || !input.TryNumber(MaxRenditions, out int count))
        {
            return false;
        }

        var renditions = new RelayRendition[count];
        for (var i = 0; i < count; i++)
        {
            if (!input.TryByte(out var kind) || !Enum.IsDefined((TrackKind)kind) || !input.TryNumber(byte.MaxValue, out int id)
                || !input.TryNumber(MaxSegments, out int length) || !TryRead(ref input, length, memory, out var segments))
            {
                return false;
            }

            renditions[i] = new RelayRendition(new RenditionId((TrackKind)kind, id), segments);
        }

        playlists = new RelayPlaylists { Format = (HlsFormat)format, Key = key, Number = number, Renditions = renditions };
        return true;
    }

    private static bool TryRead(ref RelayReader input, int count, StreamResources memory, [NotNullWhen(true)] out List<HlsKnownSegment>? segments)
    {
        segments = null;
        var read = new List<HlsKnownSegment>();
        HlsInit? before = null;
        for (var i = 0; i < count; i++)
        {
            if (!TryRead(ref input, memory, ref before, out var known))
                return false;
            read.Add(known);
        }

        segments = read;
        return true;
    }

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

    private static bool TryRead(ref RelayReader input, StreamResources memory, ref HlsInit? before, out HlsKnownSegment known)
    {
        known = default;
        if (!input.TryByte(out var flags) || !input.TrySigned(out var number) || !input.TrySigned(out var name) || !input.TryNumber(int.MaxValue, out int discontinuities)
            || !input.TryTime(out var border) || !input.TryTime(out var date) || !input.TryTime(out var start) || !input.TryTime(out var duration)
            || !input.TrySigned(out var key) || !input.TryNumber(int.MaxValue, out long length) || !input.TryText(MaxTag, out var tag)
            || !input.TryText(MaxTag, out var nameKey) || !input.TryNumber(int.MaxValue, out int forkedAt) || !input.TryText(MaxTag, out var keyBefore)
            || ((flags & 8) != 0 && !TryReadInit(ref input, out before)) || !input.TryNumber(MaxParts, out int parts))
        {
            return false;
        }

        var mark = new LogEntry
        {
            Mark = new Mark(number, 0, 0, MarkKind.Segment, default, (flags & 2) != 0),
            Number = discontinuities,
            DtsMicros = border,
            Dts = name,
            Pts = date,
        };
        var segment = new HlsSegment(mark, keyBefore, key, memory.Pool, memory.Budget[Buffers.MemoryUse.HlsWindows]) { StartMicros = start, Init = (flags & 4) != 0 ? before : null };
        for (var position = 0L; parts > 0; parts--)
        {
            if (!input.TryNumber(long.MaxValue, out long size) || size >> 1 > length - position || !input.TryTime(out var lasts) || !input.TryText(MaxTag, out var hash))
                return false;
            if (segment.PartCount == forkedAt)
                segment.Fork(nameKey);
            segment.Add(new HlsPart(position, (int)(size >> 1), lasts, (size & 1) != 0, hash));
            position += size >> 1;
        }

        if (forkedAt <= segment.PartCount)
            segment.Fork(nameKey);
        segment.LeaveAway(length);
        segment.Seal(duration, tag);
        known = new HlsKnownSegment(segment, (flags & 1) != 0);
        return true;
    }

    private static bool TryReadInit(ref RelayReader input, out HlsInit? init)
    {
        init = null;
        if (!input.TryNumber(int.MaxValue, out int era) || !input.TryNumber(Track.MaxConfigs, out int config) || !input.TryBytes(MaxInit, out var bytes)
            || !input.TryText(MaxTag, out var nameKey))
        {
            return false;
        }

        var copy = bytes.ToArray();
        init = new HlsInit(era, config, copy, HlsNames.Tag(copy), nameKey);
        return true;
    }
}

/// <summary>A rendition of another node, and the segments of it that can be fetched there, the oldest first.</summary>
internal sealed record RelayRendition(RenditionId Id, IReadOnlyList<HlsKnownSegment> Segments);
