using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Millrace.Media;
using Millrace.Protocols.Relay;
using Millrace.Streams.Hls;
using Millrace.Streams.Log;

namespace Millrace.Streams.Relay;

/// <summary>
/// Reads the payload of <see cref="RelayMessageType.Playlists"/>. Its texts go into file names, playlists and header fields: only what a node
/// makes is taken.
/// </summary>
/// <param name="payload">Of the message.</param>
/// <param name="memory">Where the segments' bytes will lie.</param>
internal ref struct RelayPlaylistsReader(ReadOnlySpan<byte> payload, StreamResources memory)
{
    private const int MaxRenditions = 32;

    /// <summary>
    /// Of the whole message. Settings list 10,000 in a playlist, but an event's has no end: more of those that nodes make, with their tag, their
    /// keys and a part, are not in the longest message.
    /// </summary>
    private const int MaxSegments = 1 << 17;

    /// <summary>Of the whole message, by the same rule: a tag alone is 25 bytes long.</summary>
    private const int MaxParts = 1 << 19;

    /// <summary>Bytes of the shortest part.</summary>
    private const int LeastPart = 3;
    private const int MaxInit = 1 << 18;

    /// <summary>No segment is nearly as long as a day, microseconds, and those of any playlist can be added up.</summary>
    private const long LongestMicros = 86_400_000_000;

    private static readonly SearchValues<byte> HexDigits = SearchValues.Create("0123456789abcdef"u8);

    private readonly HashSet<string> _keys = new(StringComparer.Ordinal);
    private RelayReader _input = new(payload);
    private HlsFormat _format;
    private string _lastKey = "";
    private int _segments;
    private int _parts;

    public bool TryRead([NotNullWhen(true)] out RelayPlaylists? playlists)
    {
        playlists = null;
        if (!_input.TryByte(out var format) || !Enum.IsDefined((HlsFormat)format) || !_input.TryNumber(long.MaxValue, out long number)
            || !TryHex(HlsNames.KeyLength, out var key) || !_input.TryNumber(MaxRenditions, out int count))
        {
            return false;
        }

        _format = (HlsFormat)format;
        var renditions = new List<RelayRendition>();
        for (; count > 0; count--)
        {
            if (!TryReadId(out var id) || renditions.Exists(other => other.Id == id) || !_input.TryNumber(MaxSegments - _segments, out int length) || !TryRead(length, out var segments))
                return false;
            _segments += length;
            renditions.Add(new RelayRendition(id, segments));
        }

        playlists = new RelayPlaylists { Format = _format, Key = key, Number = number, Renditions = renditions, FileKeys = _keys };
        return true;
    }

    /// <summary>MPEG-TS has one rendition, LL-HLS one for each track of sound or pictures.</summary>
    private bool TryReadId(out RenditionId id)
    {
        var isRead = _input.TryByte(out var kind) & _input.TryNumber(byte.MaxValue, out int number);
        id = new RenditionId((TrackKind)kind, number);
        return isRead && (_format == HlsFormat.TransportStream ? id == new RenditionId(TrackKind.Video, 0) : id.Kind is TrackKind.Video or TrackKind.Audio);
    }

    private bool TryRead(int count, [NotNullWhen(true)] out List<HlsKnownSegment>? segments)
    {
        segments = null;
        var read = new List<HlsKnownSegment>();
        HlsInit? before = null;
        for (var i = 0; i < count; i++)
        {
            if (!TryRead(ref before, out var known))
                return false;
            read.Add(known);
        }

        segments = read;
        return true;
    }

    private bool TryRead(ref HlsInit? before, out HlsKnownSegment known)
    {
        known = default;
        if (!_input.TryByte(out var flags) || !TryReadMark((flags & 2) != 0, out var mark) || !_input.TryTime(out var start) || !TryDuration(out var duration)
            || !TryReadKey(out var key) || !_input.TryNumber(int.MaxValue, out long length) || !TryHex(HlsNames.TagLength, out var tag)
            || !TryFileKey(out var nameKey) || !_input.TryNumber(int.MaxValue, out int forkedAt) || !TryFileKey(out var keyBefore)
            || ((flags & 8) != 0 && !TryReadInit(out before)) || !_input.TryNumber(Math.Min(MaxParts - _parts, _input.Rest.Length / LeastPart), out int parts))
        {
            return false;
        }

        _parts += parts;
        var account = memory.Budget[Buffers.MemoryUse.HlsWindows];
        var segment = new HlsSegment(mark, keyBefore, key, memory.Pool, account, parts) { StartMicros = start, Init = (flags & 4) != 0 ? before : null };
        for (var position = 0L; parts > 0; parts--)
        {
            if (!TryReadPart(position, length, out var part))
                return false;
            if (segment.PartCount == forkedAt)
                segment.Fork(nameKey);
            segment.Add(part);
            position += part.Length;
        }

        if (forkedAt <= segment.PartCount)
            segment.Fork(nameKey);
        segment.LeaveAway(length);
        segment.Seal(duration, tag);
        known = new HlsKnownSegment(segment, (flags & 1) != 0);
        return true;
    }

    private bool TryReadMark(bool isBreak, out LogEntry mark)
    {
        mark = default;
        if (!_input.TryTime(out var number) || number < 0 || !_input.TryTime(out var name) || !_input.TryNumber(int.MaxValue, out int discontinuities)
            || !_input.TryTime(out var border) || !_input.TryDate(out var date))
        {
            return false;
        }

        mark = new LogEntry
        {
            Mark = new Mark(number, 0, 0, MarkKind.Segment, default, isBreak),
            Number = discontinuities,
            DtsMicros = border,
            Dts = name,
            Pts = date,
        };
        return true;
    }

    /// <summary>Number of a content key; -1: none, as always in LL-HLS.</summary>
    private bool TryReadKey(out long key) => _input.TryTime(out key) && key >= -1 && (key < 0 || _format == HlsFormat.TransportStream);

    private bool TryReadPart(long position, long length, out HlsPart part)
    {
        part = default;
        if (!_input.TryNumber(long.MaxValue, out long size) || size >> 1 > length - position || !TryDuration(out var duration) || !TryReadPartTag(isFile: size >> 1 > 0 && _format == HlsFormat.LowLatency, out var tag))
            return false;
        part = new HlsPart(position, (int)(size >> 1), duration, (size & 1) != 0, tag);
        return true;
    }

    /// <summary>Parts that are no files have none: those of MPEG-TS and gaps.</summary>
    private bool TryReadPartTag(bool isFile, [NotNullWhen(true)] out string? tag)
    {
        tag = "";
        return !isFile && _input.Rest is [0, ..] ? _input.TryByte(out _) : TryHex(HlsNames.TagLength, out tag);
    }

    private bool TryReadInit(out HlsInit? init)
    {
        init = null;
        if (!_input.TryNumber(int.MaxValue, out int era) || !_input.TryNumber(Track.MaxConfigs, out int config) || !_input.TryBytes(MaxInit, out var bytes)
            || !TryFileKey(out var nameKey))
        {
            return false;
        }

        var copy = bytes.ToArray();
        init = new HlsInit(era, config, copy, HlsNames.Tag(copy), nameKey);
        return true;
    }

    private bool TryDuration(out long micros) => _input.TryTime(out micros) && micros is >= 0 and <= LongestMicros;

    /// <summary>Nearly always that of the file before.</summary>
    private bool TryFileKey([NotNullWhen(true)] out string? key)
    {
        if (!TryHex(HlsNames.KeyLength, _lastKey, out key))
            return false;
        if (_keys.TryGetValue(key, out var known))
            key = known;
        else if (!_keys.Add(key) || _keys.Count == HlsPackager.MaxKeys)
            return false;
        _lastKey = key;
        return true;
    }

    private bool TryHex(int digits, [NotNullWhen(true)] out string? text) => TryHex(digits, "", out text);

    /// <summary>A text of exactly so many digits in lower case, as <see cref="HlsNames"/> makes keys and tags.</summary>
    /// <param name="digits">How many.</param>
    /// <param name="before">A text that may come again, and then is that object.</param>
    /// <param name="text">What was read.</param>
    private bool TryHex(int digits, string before, [NotNullWhen(true)] out string? text)
    {
        text = null;
        if (!_input.TryBytes(digits, out var bytes) || bytes.Length != digits || bytes.ContainsAnyExcept(HexDigits))
            return false;
        text = Ascii.Equals(bytes, before) ? before : Encoding.ASCII.GetString(bytes);
        return true;
    }
}
