using System.Collections.Concurrent;
using System.Collections.Frozen;
using Millrace.Node.Settings;
using Millrace.Streams;

namespace Millrace.Node.Metrics;

/// <summary>What a request counts for.</summary>
/// <param name="Stream">What was asked for, live or not; null where no stream is named.</param>
/// <param name="Vhost">That of the request.</param>
/// <param name="Format">In which form.</param>
internal readonly record struct TrafficSubject(StreamName? Stream, string Vhost, TrafficFormat Format);

/// <summary>
/// Traffic by vhost, app and format since the start. Bounded whatever clients ask for: vhosts are those of the settings, and
/// an app has a zone of its own only when something was published there, up to <see cref="MaxApps"/>; all others are one.
/// Counting takes no lock and allocates nothing.
/// </summary>
internal sealed class TrafficZones
{
    /// <summary>nginx's number for a client that has gone before its answer was complete: no fault of ours.</summary>
    public const int ClientGone = 499;

    public const int MaxApps = 256;

    /// <summary>All apps that have no zone of their own.</summary>
    public const string Other = "other";

    private readonly FrozenDictionary<string, Vhost> _vhosts;
    private readonly Vhost _default;
    private int _apps;

    public TrafficZones(NodeSettings settings)
    {
        _vhosts = settings.Vhosts.ToFrozenDictionary(vhost => vhost.Name, vhost => new Vhost(vhost.Name), StringComparer.OrdinalIgnoreCase);
        _default = _vhosts[VhostSettings.DefaultName];
    }

    /// <summary>Something is published: from now on its app has a zone. To be called by whoever lets a publisher in.</summary>
    public void Admit(StreamName stream)
    {
        var vhost = Find(stream.Vhost);
        if (stream.App == Other || vhost.Apps.ContainsKey(stream.App))
            return;
        if (Interlocked.Increment(ref _apps) > MaxApps || !vhost.Apps.TryAdd(stream.App, new Zone()))
            Interlocked.Decrement(ref _apps);
    }

    /// <summary>Counts one answer.</summary>
    /// <param name="stream">What was asked for.</param>
    /// <param name="format">In which form.</param>
    /// <param name="status">HTTP status code, or what comes closest to it.</param>
    /// <param name="bytesIn">Taken for this request.</param>
    /// <param name="bytesOut">Sent for it; 0 for streams, whose sessions add their bytes as they go.</param>
    /// <param name="micros">Until the answer was complete; until it began for streams.</param>
    public void Count(StreamName stream, TrafficFormat format, int status, long bytesIn, long bytesOut, long micros) =>
        Add(ZoneOf(stream).Of(format), status, bytesIn, bytesOut, micros);

    /// <summary>Counts one answer that belongs to no stream.</summary>
    /// <param name="vhost">Name of a configured vhost; any other is the default one.</param>
    public void Count(string vhost, TrafficFormat format, int status, long bytesIn, long bytesOut, long micros) =>
        Add(Find(vhost).Own.Of(format), status, bytesIn, bytesOut, micros);

    /// <summary>Counts one answer, for its stream or, where it names none, for its vhost.</summary>
    public void Count(in TrafficSubject subject, int status, long bytesIn, long bytesOut, long micros)
    {
        if (subject.Stream is { } stream)
            Count(stream, subject.Format, status, bytesIn, bytesOut, micros);
        else
            Count(subject.Vhost, subject.Format, status, bytesIn, bytesOut, micros);
    }

    /// <summary>Adds bytes of a session that has been counted.</summary>
    public void AddBytes(StreamName stream, TrafficFormat format, long bytesIn, long bytesOut) =>
        ZoneOf(stream).Of(format).AddBytes(bytesIn, bytesOut);

    /// <summary>All zones that have anything, by vhost, app and format.</summary>
    public IReadOnlyList<TrafficRow> Read()
    {
        var rows = new List<TrafficRow>();
        foreach (var vhost in _vhosts.Values.OrderBy(vhost => vhost.Name, StringComparer.Ordinal))
        {
            vhost.Own.Read(rows, vhost.Name, "");
            foreach (var (app, zone) in vhost.Apps.OrderBy(app => app.Key, StringComparer.Ordinal))
                zone.Read(rows, vhost.Name, app);
            vhost.Rest.Read(rows, vhost.Name, Other);
        }

        return rows;
    }

    private static void Add(TrafficCounters counters, int status, long bytesIn, long bytesOut, long micros)
    {
        // Who sees that a request is counted sees its bytes.
        counters.AddBytes(bytesIn, bytesOut);
        counters.AddRequest(status, micros);
    }

    private Vhost Find(string name) => _vhosts.GetValueOrDefault(name) ?? _default;

    private Zone ZoneOf(StreamName stream)
    {
        var vhost = Find(stream.Vhost);
        return vhost.Apps.GetValueOrDefault(stream.App) ?? vhost.Rest;
    }

    private sealed class Vhost(string name)
    {
        public string Name => name;

        public Zone Own { get; } = new();

        public Zone Rest { get; } = new();

        public ConcurrentDictionary<string, Zone> Apps { get; } = new(StringComparer.Ordinal);
    }

    /// <summary>One app in all formats.</summary>
    private sealed class Zone
    {
        private readonly TrafficCounters?[] _byFormat = new TrafficCounters?[TrafficFormats.Count];

        public TrafficCounters Of(TrafficFormat format) =>
            Volatile.Read(ref _byFormat[(int)format])
            ?? Interlocked.CompareExchange(ref _byFormat[(int)format], new TrafficCounters(), null)
            ?? _byFormat[(int)format]!;

        public void Read(List<TrafficRow> rows, string vhost, string app)
        {
            for (var format = 0; format < _byFormat.Length; format++)
            {
                if (Volatile.Read(ref _byFormat[format]) is { Totals: { IsEmpty: false } totals })
                    rows.Add(new TrafficRow(vhost, app, (TrafficFormat)format, totals));
            }
        }
    }
}
