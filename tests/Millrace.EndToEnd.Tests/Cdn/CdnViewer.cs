using System.Diagnostics;
using System.Net;

namespace Millrace.EndToEnd.Cdn;

/// <summary>How a viewer asks.</summary>
/// <param name="Kind">Rendition: video or audio.</param>
/// <param name="Encoding">Accept-Encoding.</param>
/// <param name="TakesHints">Asks for the hinted part together with the playlist that will list it, as Safari does; else the part comes after the playlist, as with hls.js.</param>
/// <param name="TakesDeltas">Asks for delta updates.</param>
/// <param name="TakesSegments">Fetches whole segments as well.</param>
internal sealed record ViewerHabits(string Kind, string Encoding, bool TakesHints, bool TakesDeltas, bool TakesSegments);

/// <summary>
/// Plays LL-HLS, and keeps account as a player's buffer would: media that comes is played from PART-HOLD-BACK before the end of the first playlist on, and
/// what comes after its time is a stall.
/// </summary>
/// <param name="http">Shared by all.</param>
/// <param name="folder">URL of the stream with a slash behind it.</param>
/// <param name="habits">How it asks.</param>
/// <param name="bytes">Where what it gets is compared.</param>
/// <param name="arrivals">When parts came to whom.</param>
/// <param name="isBehindCache">Else he asks the node, of which two may have an answer to the same question at two moments.</param>
internal sealed class CdnViewer(HttpClient http, string folder, ViewerHabits habits, LiveBytes bytes, Arrivals arrivals, bool isBehindCache)
{
    private readonly HashSet<string> _seen = [];
    private readonly HashSet<string> _hinted = [];
    private string _playlistUrl = "";
    private double _listed;
    private double _playsFrom;
    private long _started;

    public int Parts { get; private set; }

    /// <summary>Parts that came when the player should have been playing them.</summary>
    public int Stalls { get; private set; }

    /// <summary>How long before its time the latest part came, seconds.</summary>
    public double LeastMargin { get; private set; } = double.MaxValue;

    /// <summary>Age of the first playlist, by what others had already, seconds.</summary>
    public double FirstAge { get; private set; }

    public async Task PlayAsync(TimeSpan time, CancellationToken stop)
    {
        var started = Stopwatch.GetTimestamp();
        var (master, isGzip) = await GetAsync("llhls.m3u8", stop);
        var text = LiveBytes.Text(master, isGzip);
        _playlistUrl = text.Split('\n', '"').First(word => word.StartsWith("chunklist_", StringComparison.Ordinal) && word.Contains($"_{habits.Kind}_", StringComparison.Ordinal));
        var playlist = await PlaylistAsync("", stop);
        FirstAge = arrivals.AgeOf(playlist.Hint);
        await ObjectAsync(playlist.Init, stop);
        Skip(playlist);
        await NewPartsAsync(playlist, stop);
        _started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < time)
        {
            var next = PlaylistAsync($"?_HLS_msn={playlist.NextSegment}&_HLS_part={playlist.NextPart}{(habits.TakesDeltas ? "&_HLS_skip=YES" : "")}", stop);
            if (habits.TakesHints && _seen.Add(playlist.Hint))
                await PartAsync(playlist.Hint, duration: null, stop);
            playlist = await next;
            await NewPartsAsync(playlist, stop);
        }
    }

    /// <summary>What lies before the hold-back is not fetched.</summary>
    private void Skip(LivePlaylist playlist)
    {
        var whole = playlist.Parts.Sum(static part => part.Duration);
        _playsFrom = whole - playlist.HoldBack;
        foreach (var (uri, duration) in playlist.Parts)
        {
            if (_listed + duration > _playsFrom)
                break;
            _listed += duration;
            _seen.Add(uri);
        }
    }

    private async Task NewPartsAsync(LivePlaylist playlist, CancellationToken stop)
    {
        foreach (var (uri, duration) in playlist.Parts)
        {
            if (_seen.Add(uri))
                await PartAsync(uri, duration, stop);
            else if (_hinted.Remove(uri))
                _listed += duration;
        }

        if (habits.TakesSegments && playlist.Segments.Count > 0 && _seen.Add(playlist.Segments[^1]))
            await ObjectAsync(playlist.Segments[^1], stop);
    }

    /// <param name="uri">In the stream's folder.</param>
    /// <param name="duration">Seconds; null where the playlist that says so is on its way.</param>
    /// <param name="stop">Ends it.</param>
    private async Task PartAsync(string uri, double? duration, CancellationToken stop)
    {
        await ObjectAsync(uri, stop);
        Parts++;
        if (_started > 0)
            Judge(uri);
        if (duration is { } seconds)
            _listed += seconds;
        else
            _hinted.Add(uri);
    }

    private void Judge(string uri)
    {
        arrivals.Note(uri);
        var margin = _listed - (_playsFrom + Stopwatch.GetElapsedTime(_started).TotalSeconds);
        LeastMargin = Math.Min(LeastMargin, margin);
        if (margin < 0)
        {
            // It stands still until this came, and goes on from here.
            Stalls++;
            _playsFrom += margin;
        }
    }

    private async Task<LivePlaylist> PlaylistAsync(string query, CancellationToken stop)
    {
        var (body, isGzip) = await GetAsync(_playlistUrl + query, stop);
        // A cache has one that waited for a part for ever, and one that did not for a second.
        return isBehindCache && query.Length > 0 ? bytes.Shared(_playlistUrl, query, body, isGzip) : bytes.Read(_playlistUrl, body, isGzip);
    }

    private async Task ObjectAsync(string uri, CancellationToken stop) => bytes.Same(uri, (await GetAsync(uri, stop)).Body);

    private async Task<(byte[] Body, bool IsGzip)> GetAsync(string uri, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, folder + uri);
        request.Headers.TryAddWithoutValidation("Accept-Encoding", habits.Encoding);
        using var response = await http.SendAsync(request, stop);
        if (response.StatusCode != HttpStatusCode.OK)
            bytes.Faults.Enqueue($"{uri}: {response.StatusCode}");
        return (await response.Content.ReadAsByteArrayAsync(stop), response.Content.Headers.ContentEncoding.Contains("gzip"));
    }
}
