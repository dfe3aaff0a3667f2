using System.Collections.Concurrent;
using Millrace.Conformance.Mp4;
using Millrace.Conformance.Playlists;
using Millrace.Conformance.Record;

namespace Millrace.Conformance.Crawl;

/// <summary>Fetches a rendition's initialization sections, parts and segments, each once, and compares segments with their parts.</summary>
internal sealed class MediaFetcher(Transport transport, RenditionRecord record, CancellationToken stop)
{
    /// <summary>A hinted part may be held as long as a playlist (3 target durations), and a stalled publisher longer.</summary>
    private static readonly TimeSpan HintLimit = TimeSpan.FromSeconds(60);

    /// <summary>By resource and range. Bodies stay until their segment has been compared.</summary>
    private readonly ConcurrentDictionary<(Uri Uri, ByteRange? Range), Lazy<Task<Exchange>>> _parts = new();

    private readonly ConcurrentDictionary<(Uri, ByteRange?), Lazy<Task<InitFetch>>> _inits = new();
    private readonly ConcurrentDictionary<(Uri, ByteRange?), bool> _done = new();

    public Task PartAsync(PartEntry part, MediaPlaylist playlist) =>
        FetchAsync(part.Uri, part.Range, hinted: false, playlist.Segment(part.Msn)?.Map, part);

    public Task HintAsync(HintEntry hint, MediaPlaylist playlist) =>
        FetchAsync(hint.Uri, range: null, hinted: true, playlist.AllSegments.LastOrDefault()?.Map, entry: null);

    public async Task SegmentAsync(SegmentEntry segment)
    {
        var parts = segment.Parts.Where(part => _parts.ContainsKey((part.Uri, part.Range))).Select(part => _parts[(part.Uri, part.Range)].Value).ToArray();
        var whole = await transport.SendAsync(NewAsk(segment.Uri!, segment.Range), stop);
        var fetch = new SegmentFetch(segment, whole with { Body = default });
        if (segment.Map is { } map && whole.Status is 200 or 206)
        {
            var (media, malformed) = Read(whole, await InitAsync(map));
            fetch = fetch with { Media = media, Malformed = malformed };
        }

        if (parts.Length > 0 && parts.Length == segment.Parts.Count && whole.Status is 200 or 206)
        {
            var bodies = await Task.WhenAll(parts);
            if (bodies.All(body => body.Status is 200 or 206))
                fetch = fetch with { Compared = bodies.Length, Mismatch = Assembly.Difference(whole.Body, [.. bodies.Select(b => b.Body)]) };
        }

        record.Add(fetch);
        foreach (var part in segment.Parts)
        {
            if (_parts.TryRemove((part.Uri, part.Range), out _))
                _done[(part.Uri, part.Range)] = true;
        }
    }

    private async Task FetchAsync(Uri uri, ByteRange? range, bool hinted, MapEntry? map, PartEntry? entry)
    {
        if (_done.ContainsKey((uri, range)))
            return;
        var mine = new Lazy<Task<Exchange>>(() => transport.SendAsync(NewAsk(uri, range) with { Limit = HintLimit }, stop));
        if (_parts.GetOrAdd((uri, range), mine) != mine)
            return;
        var exchange = await mine.Value;
        var fetch = new PartFetch(uri, exchange with { Body = default }) { Hinted = hinted, Entry = entry };
        if (map is not null && exchange.Status is 200 or 206)
        {
            var (media, malformed) = Read(exchange, await InitAsync(map));
            fetch = fetch with { Media = media, Malformed = malformed };
        }

        record.Add(fetch);
    }

    private Task<InitFetch> InitAsync(MapEntry map) => _inits.GetOrAdd((map.Uri, map.Range), _ => new(() => LoadInitAsync(map))).Value;

    private async Task<InitFetch> LoadInitAsync(MapEntry map)
    {
        var exchange = await transport.SendAsync(NewAsk(map.Uri, map.Range), stop);
        InitFetch fetch;
        try
        {
            fetch = exchange.Status is 200 or 206
                ? new(map, exchange, InitSection.Parse(exchange.Body.Span), Malformed: null)
                : new(map, exchange, Section: null, $"status {exchange.Status}");
        }
        catch (Mp4Exception e)
        {
            fetch = new(map, exchange, Section: null, e.Message);
        }

        record.Add(fetch);
        return fetch;
    }

    private static (MediaSummary? Media, string? Malformed) Read(Exchange exchange, InitFetch init)
    {
        if (init.Section is null)
            return (null, "its initialization section cannot be read");
        try
        {
            return (MediaSummary.Parse(exchange.Body.Span, init.Section), null);
        }
        catch (Mp4Exception e)
        {
            return (null, e.Message);
        }
    }

    private static Ask NewAsk(Uri uri, ByteRange? range) => new(uri) { Header = range is { } r ? ("Range", r.Header) : null };
}
