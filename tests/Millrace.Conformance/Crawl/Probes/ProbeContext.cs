using System.Text;
using Millrace.Conformance.Playlists;
using Millrace.Conformance.Record;

namespace Millrace.Conformance.Crawl.Probes;

/// <summary>What a group of probes works with.</summary>
internal sealed class ProbeContext(Uri multivariant, Follower follower, Transport transport, Recorder recorder, CancellationToken stop)
{
    public Uri Multivariant => multivariant;

    public Uri Playlist => follower.Uri;

    public MediaPlaylist Newest => follower.Newest!;

    public bool CanBlock => Newest.ServerControl?.Raw("CAN-BLOCK-RELOAD") == "YES";

    /// <summary>The load that gave <see cref="Newest"/>.</summary>
    public Exchange NewestExchange => follower.NewestExchange!;

    public CancellationToken Stop => stop;

    public Transport Transport => transport;

    /// <summary>The longest that a playlist may be held, and a margin.</summary>
    public TimeSpan HoldLimit => TimeSpan.FromSeconds((3 * Newest.TargetDuration) + 5);

    public Task<Exchange> SendAsync(Ask ask) => transport.SendAsync(ask, stop);

    public Task<Exchange> SendAsync(string directives) =>
        transport.SendAsync(new(Ask.With(Playlist, directives)) { Limit = HoldLimit }, stop);

    /// <summary>Asks for the playlist with these directives and records it.</summary>
    public async Task<Probe> AskAsync(ProbeKind kind, string directives, Position? asked = null)
    {
        var known = Newest;
        var exchange = await SendAsync(directives);
        var probe = new Probe(kind, exchange) { Known = known, Asked = asked, Answer = Parse(exchange), Later = Newest };
        Add(probe);
        return probe;
    }

    public void Add(Probe probe) => recorder.Add(probe with
    {
        Rendition = probe.Subject == "multivariant" ? null : Playlist,
        Exchange = probe.Answer is null ? probe.Exchange with { Body = default } : probe.Exchange,
        Reference = probe.Reference is { } reference ? reference with { Body = default } : null,
    });

    public static MediaPlaylist? Parse(Exchange exchange) =>
        exchange.Status == 200 ? MediaPlaylistParser.Parse(Encoding.UTF8.GetString(exchange.Body.Span), exchange.FinalUri) : null;

    /// <summary>One address of each kind that exists now.</summary>
    public IEnumerable<(string Subject, Uri Uri, ByteRange? Range)> Resources()
    {
        var newest = Newest;
        yield return ("multivariant", multivariant, null);
        yield return ("playlist", Playlist, null);
        if (newest.Segments.LastOrDefault(segment => !segment.Gap) is { } segment)
            yield return ("segment", segment.Uri!, segment.Range);
        if (newest.Parts.LastOrDefault(part => !part.Gap) is { } part)
            yield return ("part", part.Uri, part.Range);
        if (newest.AllSegments.LastOrDefault()?.Map is { } map)
            yield return ("init", map.Uri, map.Range);
    }
}
