using System.Globalization;

namespace Millrace.Streams.Tests.Hls;

internal sealed record ReadPart(string Uri, long Micros, bool IsIndependent, bool IsGap);

/// <summary>A segment as a player sees it; <see cref="Uri"/> is empty while it is in the making.</summary>
internal sealed class ReadSegment
{
    public long Number { get; set; }

    /// <summary>EXT-X-DISCONTINUITY-SEQUENCE and all EXT-X-DISCONTINUITY up to it.</summary>
    public long Discontinuity { get; set; }

    public string Map { get; set; } = "";

    public string Key { get; set; } = "";

    public DateTime? Date { get; set; }

    public List<ReadPart> Parts { get; } = [];

    public bool IsGap { get; set; }

    /// <summary>EXTINF.</summary>
    public long Micros { get; set; }

    public string Uri { get; set; } = "";

    /// <summary>All that must not change once it is complete. Parts may be left out later; a gap needs no map.</summary>
    public string Facts => $"{Number} {Discontinuity} {(IsGap ? "" : Map)} {Key} {Date:O} {IsGap} {Micros} {Uri}";
}

/// <summary>
/// A reader of media playlists that shares no code with the writer and forgives nothing: only tags it knows, each where RFC
/// 8216bis 4.4 allows it, attributes without spaces.
/// </summary>
internal sealed class ReadPlaylist
{
    private static readonly System.Buffers.SearchValues<char> NameCharacters = System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");

    private readonly Dictionary<string, string> _heads = [];
    private ReadSegment _next = new();
    private string _map = "";
    private string _key = "";
    private long _discontinuities;
    private bool _hasDuration;

    public ReadPlaylist(string text)
    {
        text.ShouldEndWith("\n");
        text.ShouldNotContain("\r");
        var lines = text[..^1].Split('\n');
        lines[0].ShouldBe("#EXTM3U");
        foreach (var line in lines.Skip(1))
        {
            IsEnded.ShouldBeFalse("ENDLIST is the last tag that is written");
            line.ShouldNotBeEmpty();
            if (line[0] == '#')
                ReadTag(line);
            else
                EndSegment(line);
        }

        _hasDuration.ShouldBeFalse("EXTINF without a URI");
        Open = _next.Parts.Count > 0 ? Finish(_next) : null;
        (_next.Date is not null && Open is null).ShouldBeFalse("tags of a segment that is not there");
    }

    public int Version => int.Parse(_heads["EXT-X-VERSION"], CultureInfo.InvariantCulture);

    /// <summary>Seconds.</summary>
    public long Target => long.Parse(_heads["EXT-X-TARGETDURATION"], CultureInfo.InvariantCulture);

    public long Sequence => long.Parse(_heads.GetValueOrDefault("EXT-X-MEDIA-SEQUENCE", "0"), CultureInfo.InvariantCulture);

    public long DiscontinuitySequence => long.Parse(_heads.GetValueOrDefault("EXT-X-DISCONTINUITY-SEQUENCE", "0"), CultureInfo.InvariantCulture);

    public string Control => _heads.GetValueOrDefault("EXT-X-SERVER-CONTROL", "");

    public string Type => _heads.GetValueOrDefault("EXT-X-PLAYLIST-TYPE", "");

    public bool IsIndependent => _heads.ContainsKey("EXT-X-INDEPENDENT-SEGMENTS");

    /// <summary>Microseconds; -1 without the tag.</summary>
    public long PartTarget => _heads.TryGetValue("EXT-X-PART-INF", out var text) ? Micros(Attributes(text)["PART-TARGET"]) : -1;

    public int Skipped { get; private set; }

    public bool IsEnded { get; private set; }

    public List<ReadSegment> Segments { get; } = [];

    public ReadSegment? Open { get; }

    public string Hint { get; private set; } = "";

    public Dictionary<string, (long Segment, long Part)> Reports { get; } = [];

    public IEnumerable<ReadSegment> All => Open is null ? Segments : Segments.Append(Open);

    public long Duration => Segments.Sum(segment => segment.Micros);

    /// <summary>Microseconds of a SERVER-CONTROL attribute; -1 without it.</summary>
    public long ControlMicros(string name) => Control.Length > 0 && Attributes(Control).TryGetValue(name, out var text) ? Micros(text) : -1;

    public static Dictionary<string, string> Attributes(string list)
    {
        var attributes = new Dictionary<string, string>();
        for (var at = 0; at < list.Length;)
        {
            var equals = list.IndexOf('=', at);
            var isQuoted = list[equals + 1] == '"';
            var end = isQuoted ? list.IndexOf('"', equals + 2) + 1 : list.IndexOf(',', equals);
            end = end < 0 ? list.Length : end;
            var (name, value) = (list[at..equals], list[(equals + 1)..end].Trim('"'));
            if (name.AsSpan().IndexOfAnyExcept(NameCharacters) >= 0 || (!isQuoted && value.AsSpan().IndexOfAny(" \"") >= 0) || (end < list.Length && list[end] != ','))
                throw new FormatException($"a malformed attribute list: {list}");
            attributes.Add(name, value);
            at = end + 1;
        }

        return attributes;
    }

    private static long Micros(string seconds) => (long)(decimal.Parse(seconds, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture) * 1_000_000);

    private void ReadTag(string line)
    {
        var colon = line.IndexOf(':');
        var (name, value) = colon < 0 ? (line[1..], "") : (line[1..colon], line[(colon + 1)..]);
        switch (name)
        {
            case "EXT-X-VERSION" or "EXT-X-TARGETDURATION" or "EXT-X-MEDIA-SEQUENCE" or "EXT-X-DISCONTINUITY-SEQUENCE" or "EXT-X-SERVER-CONTROL" or "EXT-X-PART-INF" or "EXT-X-PLAYLIST-TYPE" or "EXT-X-INDEPENDENT-SEGMENTS":
                (Segments.Count + Skipped + _next.Parts.Count).ShouldBe(0, $"{name} behind the first segment");
                _heads.Add(name, value);
                break;
            case "EXT-X-SKIP":
                Segments.ShouldBeEmpty();
                Skipped = int.Parse(Attributes(value)["SKIPPED-SEGMENTS"], CultureInfo.InvariantCulture);
                break;
            case "EXT-X-PART":
                var part = Attributes(value);
                _next.Parts.Add(new ReadPart(part["URI"], Micros(part["DURATION"]), part.GetValueOrDefault("INDEPENDENT") == "YES", part.GetValueOrDefault("GAP") == "YES"));
                break;
            case "EXTINF":
                value.ShouldEndWith(",");
                _next.Micros = Micros(value[..^1]);
                _hasDuration.ShouldBeFalse();
                _hasDuration = true;
                break;
            case "EXT-X-GAP":
                _next.IsGap = true;
                break;
            case "EXT-X-ENDLIST":
                IsEnded = true;
                break;
            case "EXT-X-PRELOAD-HINT":
                Hint.ShouldBeEmpty("one hint of a type");
                Attributes(value)["TYPE"].ShouldBe("PART");
                Hint = Attributes(value)["URI"];
                break;
            case "EXT-X-RENDITION-REPORT":
                var report = Attributes(value);
                Reports.Add(report["URI"], (long.Parse(report["LAST-MSN"], CultureInfo.InvariantCulture), long.Parse(report["LAST-PART"], CultureInfo.InvariantCulture)));
                break;
            default:
                ReadOpening(name, value);
                break;
        }
    }

    /// <summary>What must come before a segment's first part.</summary>
    private void ReadOpening(string name, string value)
    {
        _next.Parts.ShouldBeEmpty($"L13: {name} behind the first part of its segment");
        switch (name)
        {
            case "EXT-X-DISCONTINUITY":
                _discontinuities++;
                break;
            case "EXT-X-MAP":
                _map = Attributes(value)["URI"];
                break;
            case "EXT-X-KEY":
                Attributes(value)["METHOD"].ShouldBe("AES-128");
                _key = Attributes(value)["URI"];
                break;
            case "EXT-X-PROGRAM-DATE-TIME":
                _next.Date.ShouldBeNull();
                _next.Date = DateTime.ParseExact(value, "yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal);
                break;
            default:
                throw new FormatException($"unknown tag {name}");
        }
    }

    private void EndSegment(string uri)
    {
        _hasDuration.ShouldBeTrue("a URI without EXTINF");
        _next.Uri = uri;
        Segments.Add(Finish(_next));
        (_next, _hasDuration) = (new ReadSegment(), false);
    }

    private ReadSegment Finish(ReadSegment segment)
    {
        segment.Number = Sequence + Skipped + Segments.Count;
        (segment.Discontinuity, segment.Map, segment.Key) = (DiscontinuitySequence + _discontinuities, _map, _key);
        return segment;
    }
}
