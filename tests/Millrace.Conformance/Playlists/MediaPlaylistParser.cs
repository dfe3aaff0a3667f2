using System.Globalization;

namespace Millrace.Conformance.Playlists;

/// <summary>Reads a Media Playlist (RFC 8216bis §4) line by line, in one pass.</summary>
internal sealed partial class MediaPlaylistParser
{
    private readonly Uri _base;
    private readonly List<PlaylistProblem> _problems = [];
    private readonly List<string> _unknown = [];
    private readonly HashSet<string> _once = new(StringComparer.Ordinal);
    private readonly List<SegmentEntry> _segments = [];
    private readonly List<HintEntry> _hints = [];
    private readonly List<ReportEntry> _reports = [];
    private int _line;
    private string _text = "";
    private int? _version;
    private long? _target;
    private double? _partTarget;
    private AttributeList? _control;
    private long _mediaSequence;
    private long _discontinuities;
    private long _discontinuitySequence;
    private string? _type;
    private bool _ended;
    private bool _independent;
    private SkipEntry? _skip;
    private (int Version, string Reason) _needed = (1, "nothing");

    private MediaPlaylistParser(Uri baseUri) => _base = baseUri;

    public static MediaPlaylist Parse(string text, Uri baseUri)
    {
        var parser = new MediaPlaylistParser(baseUri);
        parser.Read(text);
        return parser.Build(text);
    }

    private void Read(string text)
    {
        var lines = text.Split('\n');
        if (lines[0].TrimEnd('\r') != "#EXTM3U")
            Problem("the first line is not #EXTM3U", 1, lines[0]);
        if (!text.EndsWith('\n'))
            Problem("the last line does not end", lines.Length, lines[^1]);
        for (_line = 2; _line <= lines.Length; _line++)
        {
            _text = lines[_line - 1].TrimEnd('\r');
            if (_text.Length == 0)
                continue;
            if (_text[0] != '#')
                Address();
            else if (_text.StartsWith("#EXT", StringComparison.Ordinal))
                Tag();
        }

        if (_target is null)
            Problem("no EXT-X-TARGETDURATION", 1, lines[0]);
    }

    private void Tag()
    {
        var colon = _text.IndexOf(':', StringComparison.Ordinal);
        var name = colon < 0 ? _text : _text[..colon];
        var value = colon < 0 ? "" : _text[(colon + 1)..];
        if (!Header(name, value) && !OfSegment(name, value) && !AtEnd(name, value))
            _unknown.Add(_text);
    }

    private bool Header(string name, string value)
    {
        switch (name)
        {
            case "#EXT-X-VERSION":
                Once(name);
                _version = (int)Integer(value);
                return true;
            case "#EXT-X-TARGETDURATION":
                Once(name);
                _target = Integer(value);
                return true;
            case "#EXT-X-MEDIA-SEQUENCE":
                Once(name);
                BeforeSegments(name);
                _mediaSequence = Integer(value);
                return true;
            case "#EXT-X-DISCONTINUITY-SEQUENCE":
                Once(name);
                BeforeSegments(name);
                _discontinuitySequence = Integer(value);
                return true;
            case "#EXT-X-PLAYLIST-TYPE":
                Once(name);
                _type = value;
                return true;
            case "#EXT-X-INDEPENDENT-SEGMENTS":
                Once(name);
                _independent = true;
                return true;
            case "#EXT-X-ENDLIST":
                Once(name);
                _ended = true;
                return true;
            case "#EXT-X-SERVER-CONTROL":
                Once(name);
                _control = Attributes(value, "CAN-SKIP-UNTIL", "CAN-SKIP-DATERANGES", "HOLD-BACK", "PART-HOLD-BACK", "CAN-BLOCK-RELOAD");
                CheckControl(_control);
                return true;
            case "#EXT-X-PART-INF":
                Once(name);
                _partTarget = Attributes(value, "PART-TARGET").Seconds("PART-TARGET");
                return true;
            case "#EXTM3U":
                Problem("a second #EXTM3U");
                return true;
            default:
                return name is "#EXT-X-START" or "#EXT-X-DEFINE" or "#EXT-X-I-FRAMES-ONLY";
        }
    }

    private void CheckControl(AttributeList list)
    {
        _ = list.Seconds("CAN-SKIP-UNTIL");
        _ = list.Seconds("HOLD-BACK");
        _ = list.Seconds("PART-HOLD-BACK");
        _ = list.Yes("CAN-SKIP-DATERANGES");
        _ = list.Yes("CAN-BLOCK-RELOAD");
        Told(list);
    }

    private MediaPlaylist Build(string text)
    {
        var open = TakeOpen();
        return new()
        {
            Text = text,
            Problems = _problems,
            UnknownTags = _unknown,
            Version = _version ?? 1,
            TargetDuration = _target ?? 0,
            PartTarget = _partTarget,
            ServerControl = _control,
            MediaSequence = _mediaSequence,
            DiscontinuitySequence = _discontinuitySequence,
            PlaylistType = _type,
            Ended = _ended,
            IndependentSegments = _independent,
            Skip = _skip,
            Segments = _segments,
            Open = open,
            Hints = _hints,
            Reports = _reports,
            Needed = _needed,
        };
    }

    private AttributeList Attributes(string value, params ReadOnlySpan<string> known)
    {
        var list = AttributeList.Parse(value);
        foreach (var name in list.Names)
        {
            if (!known.Contains(name))
                _unknown.Add($"{name} in {_text}");
        }

        return list;
    }

    /// <summary>Takes over what the list's readers found; to be called when all attributes have been read.</summary>
    private void Told(AttributeList list)
    {
        foreach (var problem in list.Problems.Distinct(StringComparer.Ordinal))
            Problem(problem);
    }

    private Uri? Resolve(string? raw)
    {
        if (!string.IsNullOrEmpty(raw) && Uri.TryCreate(_base, raw, out var uri))
            return uri;
        Problem("the URI is missing or malformed");
        return null;
    }

    private long Integer(string value)
    {
        if (long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return number;
        Problem("not a decimal integer");
        return 0;
    }

    private void Once(string name)
    {
        if (!_once.Add(name))
            Problem("the tag appears twice");
    }

    private void BeforeSegments(string name)
    {
        if (_segments.Count > 0 || HasPending)
            Problem($"{name} after the first segment");
    }

    private void Need(int version, string reason)
    {
        if (version > _needed.Version)
            _needed = (version, reason);
    }

    private void Problem(string what) => Problem(what, _line, _text);

    private void Problem(string what, int line, string text) => _problems.Add(new(line, text, what));
}
