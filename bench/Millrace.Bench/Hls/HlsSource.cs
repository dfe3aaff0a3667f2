namespace Millrace.Bench.Hls;

/// <summary>The live stream as a player finds it: from the multivariant playlist on, by the names in the playlists.</summary>
internal sealed class HlsSource : IDisposable
{
    private static readonly TimeSpan SegmentTimeout = TimeSpan.FromSeconds(60);
    private readonly HttpClient _http;

    private HlsSource(HttpClient http, string playlistPath, string[] paths) => (_http, PlaylistPath, Paths) = (http, playlistPath, paths);

    /// <summary>Path of the media playlist of the first variant.</summary>
    public string PlaylistPath { get; }

    /// <summary>Paths of what a viewer plays: that one and, where sound has a playlist of its own, the first of those.</summary>
    public string[] Paths { get; }

    /// <summary>Opens the stream and thereby starts its packaging.</summary>
    public static HlsSource Open(int port, string app, string name)
    {
        var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromSeconds(30) };
        var master = new Uri(http.BaseAddress, $"/{app}/{name}/llhls.m3u8");
        string text = http.GetStringAsync(master).GetAwaiter().GetResult();
        string[] paths = [.. new[] { MediaPlaylistText.FirstVariant(text) }.Concat(MediaPlaylistText.Audios(text).Take(1)).Select(uri => new Uri(master, uri).PathAndQuery)];
        return new HlsSource(http, paths[0], paths);
    }

    public byte[] Get(string path) => _http.GetByteArrayAsync(path).GetAwaiter().GetResult();

    /// <summary>The playlist as soon as it has a complete segment.</summary>
    public MediaPlaylistText WithSegment()
    {
        var limit = DateTime.UtcNow + SegmentTimeout;
        while (true)
        {
            var playlist = MediaPlaylistText.Parse(System.Text.Encoding.UTF8.GetString(Get(PlaylistPath)));
            if (playlist is { LastSegment: not null, LastSegmentPart: not null }) return playlist;
            if (DateTime.UtcNow > limit) throw new InvalidOperationException("the playlist got no segment with parts");
            Thread.Sleep(200);
        }
    }

    /// <summary>The path of what a playlist names.</summary>
    public string PathOf(string uri) => new Uri(new Uri(_http.BaseAddress!, PlaylistPath), uri).PathAndQuery;

    public void Dispose() => _http.Dispose();
}
