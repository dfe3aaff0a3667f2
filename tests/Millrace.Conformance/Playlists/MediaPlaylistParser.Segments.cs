using System.Globalization;

namespace Millrace.Conformance.Playlists;

/// <summary>The tags of segments and parts (§4.4.4).</summary>
internal sealed partial class MediaPlaylistParser
{
    private readonly List<PartEntry> _parts = [];
    private readonly List<string> _late = [];
    private MapEntry? _map;
    private string? _key;
    private double? _duration;
    private double _place;
    private DateTimeOffset? _date;
    private bool _discontinuity;
    private bool _gap;
    private ByteRange? _range;
    private int _firstLine;

    private bool HasPending => _parts.Count > 0 || _duration is not null || _firstLine > 0;

    private long PendingMsn => _mediaSequence + (_skip?.Segments ?? 0) + _segments.Count;

    private bool OfSegment(string name, string value)
    {
        if (name is "#EXT-X-KEY" or "#EXT-X-MAP" or "#EXT-X-PROGRAM-DATE-TIME" or "#EXT-X-DISCONTINUITY" && _parts.Count > 0)
            _late.Add($"line {_line}: {_text}");
        switch (name)
        {
            case "#EXTINF":
                Inf(value);
                break;
            case "#EXT-X-PART":
                Part(Attributes(value, "URI", "DURATION", "INDEPENDENT", "BYTERANGE", "GAP"));
                break;
            case "#EXT-X-MAP":
                Map(Attributes(value, "URI", "BYTERANGE"));
                break;
            case "#EXT-X-KEY":
                _key = value;
                Key(Attributes(value, "METHOD", "URI", "IV", "KEYFORMAT", "KEYFORMATVERSIONS"));
                break;
            case "#EXT-X-PROGRAM-DATE-TIME":
                Date(value);
                break;
            case "#EXT-X-DISCONTINUITY":
                _discontinuity = true;
                _discontinuities++;
                break;
            case "#EXT-X-GAP":
                _gap = true;
                break;
            case "#EXT-X-BYTERANGE":
                Need(4, "EXT-X-BYTERANGE");
                _range = Range(value);
                break;
            case "#EXT-X-BITRATE":
                return true;
            default:
                return false;
        }

        if (_firstLine == 0)
            _firstLine = _line;
        return true;
    }

    private void Inf(string value)
    {
        var comma = value.IndexOf(',', StringComparison.Ordinal);
        if (_duration is not null)
            Problem("two EXTINF for one segment");
        if (comma < 0)
            Problem("EXTINF has no comma");
        var number = comma < 0 ? value : value[..comma];
        if (!double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds))
            Problem("EXTINF is no decimal number");
        if (number.Contains('.', StringComparison.Ordinal))
            Need(3, "a decimal EXTINF");
        (_duration, _place) = (seconds, DecimalText.Place(number));
    }

    private void Part(AttributeList list)
    {
        var uri = Resolve(list.Quoted("URI"));
        var duration = list.Seconds("DURATION");
        if (duration is null)
            Problem("DURATION is required");
        var range = list.Quoted("BYTERANGE") is { } text ? Range(text) : null;
        if (uri is not null)
        {
            _parts.Add(new(PendingMsn, _parts.Count, duration ?? 0, uri)
            {
                Independent = list.Yes("INDEPENDENT"),
                Gap = list.Yes("GAP"),
                Range = range,
                Place = DecimalText.Place(list.Raw("DURATION") ?? ""),
                Line = _line,
                Text = _text,
            });
        }

        Told(list);
    }

    private void Map(AttributeList list)
    {
        Need(6, "EXT-X-MAP");
        var range = list.Quoted("BYTERANGE") is { } text ? Range(text) : null;
        if (Resolve(list.Quoted("URI")) is { } uri)
            _map = new(uri, range);
        Told(list);
    }

    private void Key(AttributeList list)
    {
        if (list.Enumerated("METHOD") is null)
            Problem("METHOD is required");
        if (list.Raw("IV") is not null)
            Need(2, "the IV of EXT-X-KEY");
        if (list.Quoted("KEYFORMAT") is not null || list.Quoted("KEYFORMATVERSIONS") is not null)
            Need(5, "KEYFORMAT");
        Told(list);
    }

    private void Date(string value)
    {
        // §4.4.4.6: ISO 8601 with a time zone and milliseconds; a local time would be a different instant at each client.
        var zoned = value.EndsWith('Z') || (value.Length > 6 && value[^6] is '+' or '-') || (value.Length > 5 && value[^5] is '+' or '-');
        if (zoned && DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date))
            _date = date;
        else
            Problem("not a date with a time zone");
    }

    private void Address()
    {
        if (_duration is null)
        {
            Problem("a URI line without EXTINF");
            return;
        }

        if (Resolve(_text) is { } uri)
            _segments.Add(Pending(uri));
        _parts.Clear();
        _late.Clear();
        (_duration, _date, _discontinuity, _gap, _range, _firstLine) = (null, null, false, false, null, 0);
    }

    private SegmentEntry? TakeOpen()
    {
        if (_duration is not null)
            Problem("EXTINF without a URI line");
        return HasPending ? Pending(uri: null) : null;
    }

    private SegmentEntry Pending(Uri? uri) => new()
    {
        Msn = PendingMsn,
        Duration = _duration ?? 0,
        Place = _place,
        Uri = uri,
        Range = _range,
        Parts = [.. _parts],
        Map = _map,
        Key = _key,
        ProgramDateTime = _date,
        Discontinuity = _discontinuity,
        DiscontinuitySequence = _discontinuitySequence + _discontinuities,
        Gap = _gap,
        Line = uri is null ? _firstLine : _line,
        LateTags = [.. _late],
    };

    /// <summary>"length@start"; without a start it follows the part before it of the same resource, which is only kept for parts.</summary>
    private ByteRange? Range(string text)
    {
        var at = text.IndexOf('@', StringComparison.Ordinal);
        var length = at < 0 ? text : text[..at];
        var start = at < 0 ? "" : text[(at + 1)..];
        if (!long.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes))
        {
            Problem("not a byte range");
            return null;
        }

        if (long.TryParse(start, NumberStyles.None, CultureInfo.InvariantCulture, out var first))
            return new(first, bytes);
        return _parts is [.., { Range: { Length: { } before } range }] ? new(range.Start + before, bytes) : new(0, bytes);
    }
}
