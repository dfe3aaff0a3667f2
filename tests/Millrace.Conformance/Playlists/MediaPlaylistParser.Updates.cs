namespace Millrace.Conformance.Playlists;

/// <summary>The tags about other playlists, and about other versions of this one (§4.4.5).</summary>
internal sealed partial class MediaPlaylistParser
{
    private bool AtEnd(string name, string value)
    {
        switch (name)
        {
            case "#EXT-X-SKIP":
                Skip(Attributes(value, "SKIPPED-SEGMENTS", "RECENTLY-REMOVED-DATERANGES"));
                return true;
            case "#EXT-X-PRELOAD-HINT":
                Hint(Attributes(value, "TYPE", "URI", "BYTERANGE-START", "BYTERANGE-LENGTH"));
                return true;
            case "#EXT-X-RENDITION-REPORT":
                var list = Attributes(value, "URI", "LAST-MSN", "LAST-PART");
                var uri = list.Quoted("URI");
                if (Resolve(uri) is { } resolved)
                    _reports.Add(new(uri!, resolved, list.Integer("LAST-MSN"), list.Integer("LAST-PART"), _line, _text));
                Told(list);
                return true;
            default:
                return name is "#EXT-X-DATERANGE";
        }
    }

    private void Skip(AttributeList list)
    {
        Once("#EXT-X-SKIP");
        BeforeSegments("#EXT-X-SKIP");
        var removed = list.Quoted("RECENTLY-REMOVED-DATERANGES");
        if (list.Integer("SKIPPED-SEGMENTS") is { } skipped)
            _skip = new(skipped, removed, _line);
        else
            Problem("SKIPPED-SEGMENTS is required");
        Need(removed is null ? 9 : 10, removed is null ? "EXT-X-SKIP" : "RECENTLY-REMOVED-DATERANGES");
        Told(list);
    }

    private void Hint(AttributeList list)
    {
        var type = list.Enumerated("TYPE");
        if (type is not ("PART" or "MAP"))
            Problem("TYPE is neither PART nor MAP");
        if (Resolve(list.Quoted("URI")) is { } uri)
            _hints.Add(new(type ?? "", uri, list.Integer("BYTERANGE-START") ?? 0, list.Integer("BYTERANGE-LENGTH"), _line, _text));
        Told(list);
    }
}
