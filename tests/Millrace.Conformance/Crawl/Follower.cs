using System.Text;
using Millrace.Conformance.Playlists;
using Millrace.Conformance.Record;

namespace Millrace.Conformance.Crawl;

/// <summary>
/// Plays one Media Playlist as a low-latency client does (RFC 8216bis §6.3): reloads by blocking requests, and asks for each hinted
/// part before it exists.
/// </summary>
internal sealed class Follower(MediaReference reference, Transport transport, Recorder recorder)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private readonly RenditionRecord _record = recorder.Rendition(reference);
    private readonly List<Task> _fetches = [];
    private MediaFetcher? _media;
    private Retention? _retention;
    private int _boundaries;
    private volatile MediaPlaylist? _newest;
    private volatile Exchange? _newestExchange;

    public Uri Uri => reference.Uri;

    /// <summary>The newest version; null before the first.</summary>
    public MediaPlaylist? Newest => _newest;

    /// <summary>The load that gave <see cref="Newest"/>.</summary>
    public Exchange? NewestExchange => _newestExchange;

    /// <summary>Until the playlist ends or the crawl is stopped; then waits for its own fetches.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        _media = new(transport, _record, stop);
        _retention = new(reference.Uri, transport, recorder);
        while (_newest is not { Ended: true })
        {
            var reload = await LoadAsync(stop);
            _record.Add(reload);
            var fresh = reload.Playlist is { } list && (_newest is null || list.Next > _newest.Next || list.Ended);
            if (reload.Playlist is { } playlist)
                Take(reload, playlist, stop);
            // A server that does not hold, or refuses, is not asked as fast as it answers.
            if (!fresh && reload.Exchange.Status != 503)
                await Task.Delay(Pause, transport.Time, stop);
        }

        await Task.WhenAll(_fetches);
    }

    private static bool CanBlock(MediaPlaylist playlist) => playlist.ServerControl?.Raw("CAN-BLOCK-RELOAD") == "YES";

    private async Task<Reload> LoadAsync(CancellationToken stop)
    {
        var asked = _newest is { } known && CanBlock(known) ? NextOf(known) : (Position?)null;
        var uri = asked switch
        {
            null => reference.Uri,
            { Part: < 0 } => Ask.With(reference.Uri, $"_HLS_msn={asked.Value.Msn}"),
            _ => Ask.With(reference.Uri, $"_HLS_msn={asked.Value.Msn}&_HLS_part={asked.Value.Part}"),
        };
        var limit = TimeSpan.FromSeconds((3 * (_newest?.TargetDuration ?? 2)) + 5);
        var exchange = await transport.SendAsync(new(uri) { Limit = limit }, stop);
        var playlist = exchange.Status == 200 ? MediaPlaylistParser.Parse(Encoding.UTF8.GetString(exchange.Body.Span), exchange.FinalUri) : null;
        return new(exchange, asked, playlist);
    }

    /// <summary>
    /// The next part. Where a segment has just ended, every other time by the index that follows its last part, which means the same
    /// (§6.2.5.2). Without parts, the next segment.
    /// </summary>
    private Position NextOf(MediaPlaylist known)
    {
        if (!known.Parts.Any())
            return new(known.OpenMsn, -1);
        if (known.Next.Part == 0 && known.Segments is [.., { Parts.Count: > 0 } last] && _boundaries++ % 2 == 1)
            return new(last.Msn, last.Parts.Count);
        return known.Next;
    }

    private void Take(Reload reload, MediaPlaylist playlist, CancellationToken stop)
    {
        var before = _newest;
        _newest = playlist;
        _newestExchange = reload.Exchange;
        var exactly = reload.Asked is not null && reload.Exchange.Held;
        foreach (var part in playlist.Parts)
        {
            _record.Announced(part, reload.Exchange.HeadersAt, exactly);
            if (!part.Gap)
                _fetches.Add(_media!.PartAsync(part, playlist));
        }

        foreach (var hint in playlist.Hints.Where(hint => hint.Type == "PART" && !hint.IsRange))
            _fetches.Add(_media!.HintAsync(hint, playlist));
        Withdraw(before, playlist);
        var fresh = before?.LastMsn ?? playlist.LastMsn - 3;
        foreach (var segment in playlist.Segments.Where(segment => segment.Msn > fresh && !segment.Gap))
            _fetches.Add(_media!.SegmentAsync(segment));
        _retention!.Take(before, playlist, stop);
        _fetches.RemoveAll(fetch => fetch.IsCompletedSuccessfully);
    }

    /// <summary>Notes hints of the version before that are neither hints nor parts any more.</summary>
    private void Withdraw(MediaPlaylist? before, MediaPlaylist playlist)
    {
        // So much came at once that the parts of the hinted one's segment are not listed any more.
        if (before is null || playlist.Segment(before.Next.Msn) is { Parts.Count: 0 })
            return;
        foreach (var hint in before.Hints)
        {
            if (hint.Type == "PART" && playlist.Hints.All(h => h.Uri != hint.Uri) && playlist.Parts.All(p => p.Uri != hint.Uri))
                _record.Withdrawn(hint.Uri);
        }
    }
}
