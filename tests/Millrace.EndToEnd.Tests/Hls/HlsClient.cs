using System.Diagnostics;
using System.Net;
using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd.Hls;

/// <summary>An answer, and how long it took.</summary>
internal sealed record HlsAnswer(HttpStatusCode Status, byte[] Body, TimeSpan Took)
{
    public HlsPlaylist Playlist => new(System.Text.Encoding.UTF8.GetString(Body));
}

/// <summary>Fetches what belongs to one stream over HTTP/1.1.</summary>
/// <param name="server">The server.</param>
/// <param name="stream">app/name.</param>
internal sealed class HlsClient(MillraceServer server, string stream) : IDisposable
{
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(40) };

    /// <summary>Multivariant playlist of LL-HLS.</summary>
    public string LowLatencyUrl => server.Http(stream + "/llhls.m3u8");

    /// <summary>The same for players that know no parts.</summary>
    public string LegacyUrl => LowLatencyUrl + "?_HLS_legacy=YES";

    /// <summary>Media playlist of MPEG-TS.</summary>
    public string TsUrl => server.Http(stream + ".m3u8");

    /// <summary>A resource beside the stream's own playlists.</summary>
    /// <param name="url">Absolute.</param>
    public async Task<HlsAnswer> GetAsync(string url)
    {
        var started = Stopwatch.GetTimestamp();
        using var response = await _http.GetAsync(url, TestContext.Current.CancellationToken);
        var body = await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        return new HlsAnswer(response.StatusCode, body, Stopwatch.GetElapsedTime(started));
    }

    /// <summary>The URL of what an LL-HLS playlist names.</summary>
    public string InFolder(string uri) => server.Http($"{stream}/{uri}");

    /// <summary>The URL of what a TS playlist names.</summary>
    public string Beside(string uri) => server.Http(stream[..(stream.LastIndexOf('/') + 1)] + uri);

    /// <summary>A playlist that must be there.</summary>
    public async Task<HlsPlaylist> PlaylistAsync(string url)
    {
        var answer = await GetAsync(url);
        answer.Status.ShouldBe(HttpStatusCode.OK, url);
        return answer.Playlist;
    }

    /// <summary>The LL-HLS media playlist of a kind, "video" or "audio".</summary>
    public async Task<string> RenditionUrlAsync(string kind) => InFolder((await PlaylistAsync(LowLatencyUrl)).Rendition(kind));

    public async Task<byte[]> BytesAsync(string url)
    {
        var answer = await GetAsync(url);
        answer.Status.ShouldBe(HttpStatusCode.OK, url);
        return answer.Body;
    }

    /// <summary>Waits until the playlist fits.</summary>
    public async Task<HlsPlaylist> UntilAsync(string url, Func<HlsPlaylist, bool> fits, TimeSpan deadline)
    {
        HlsAnswer? last = null;
        await Wait.UntilAsync(
            async () => (last = await GetAsync(url)).Status == HttpStatusCode.OK && fits(last.Playlist),
            deadline,
            () => $"{url}: {last?.Status}\n{last?.Playlist.Text}\n{server.Process.Tail()}");
        return last!.Playlist;
    }

    public void Dispose() => _http.Dispose();
}
