using Millrace.Conformance.Playlists;
using Millrace.Conformance.Record;

namespace Millrace.Conformance.Crawl;

/// <summary>Gathers what the followers and probes saw; they run at the same time.</summary>
internal sealed class Recorder(Uri address, TimeSpan tolerance)
{
    private readonly Lock _lock = new();
    private readonly List<RenditionRecord> _renditions = [];
    private readonly List<Probe> _probes = [];
    private readonly Dictionary<(string Name, TimeSpan From), TimeSpan> _disturbances = [];
    private (Exchange Exchange, MultivariantPlaylist Playlist)? _multivariant;

    public void Multivariant(Exchange exchange, MultivariantPlaylist playlist)
    {
        lock (_lock)
            _multivariant = (exchange, playlist);
    }

    public RenditionRecord Rendition(MediaReference reference)
    {
        var record = new RenditionRecord(reference);
        lock (_lock)
            _renditions.Add(record);
        return record;
    }

    public void Add(Probe probe)
    {
        lock (_lock)
            _probes.Add(probe);
    }

    public void Disturbed(string name, TimeSpan from, TimeSpan to)
    {
        lock (_lock)
            _disturbances[(name, from)] = to;
    }

    public History Snapshot(TimeSpan length)
    {
        lock (_lock)
        {
            return new()
            {
                Address = address,
                Length = length,
                Tolerance = tolerance,
                MultivariantExchange = _multivariant?.Exchange,
                Multivariant = _multivariant?.Playlist ?? new(),
                Renditions = [.. _renditions.Select(rendition => rendition.Snapshot())],
                Probes = [.. _probes],
                Disturbances = [.. _disturbances.Select(d => new DisturbedTime(d.Key.Name, d.Key.From, d.Value))],
            };
        }
    }
}

/// <summary>What is gathered of one playlist.</summary>
internal sealed class RenditionRecord(MediaReference reference)
{
    private readonly Lock _lock = new();
    private readonly List<Reload> _reloads = [];
    private readonly Dictionary<Uri, PartFetch> _parts = [];
    private readonly List<SegmentFetch> _segments = [];
    private readonly List<InitFetch> _inits = [];
    private readonly Dictionary<Uri, (PartEntry Entry, TimeSpan At, bool Exactly)> _announced = [];
    private readonly HashSet<Uri> _withdrawn = [];

    public void Add(Reload reload)
    {
        lock (_lock)
            _reloads.Add(reload);
    }

    public void Add(SegmentFetch segment)
    {
        lock (_lock)
            _segments.Add(segment);
    }

    public void Add(InitFetch init)
    {
        lock (_lock)
            _inits.Add(init);
    }

    public void Add(PartFetch part)
    {
        lock (_lock)
            _parts[Key(part.Uri, part.Entry?.Range)] = part;
    }

    /// <summary>A part stands in a playlist for the first time.</summary>
    public void Announced(PartEntry entry, TimeSpan at, bool exactly)
    {
        lock (_lock)
            _announced.TryAdd(Key(entry.Uri, entry.Range), (entry, at, exactly));
    }

    /// <summary>A hint is gone and its part did not come.</summary>
    public void Withdrawn(Uri uri)
    {
        lock (_lock)
            _withdrawn.Add(uri);
    }

    public RenditionHistory Snapshot()
    {
        lock (_lock)
        {
            return new()
            {
                Uri = reference.Uri,
                Kind = reference.Kind,
                Reloads = [.. _reloads],
                Parts = [.. _parts.Select(part => Complete(part.Key, part.Value))],
                Segments = [.. _segments],
                Inits = [.. _inits],
            };
        }
    }

    private PartFetch Complete(Uri key, PartFetch part) => _announced.TryGetValue(key, out var announced)
        ? part with { Entry = announced.Entry, AnnouncedAt = announced.At, AnnouncedExactly = announced.Exactly }
        : part with { Withdrawn = _withdrawn.Contains(key) };

    /// <summary>Parts that are ranges of one resource are told apart by a fragment.</summary>
    private static Uri Key(Uri uri, ByteRange? range) => range is { } r ? new(uri, "#" + r.Header) : uri;
}
