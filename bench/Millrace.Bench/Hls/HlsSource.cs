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
            if (playlist.Segments.Count > 0 && playlist.Parts.Any(p => p.Segment == playlist.NextSegment - 1)) return playlist;
            if (DateTime.UtcNow > limit) throw new InvalidOperationException("the playlist got no segment with parts");
            Thread.Sleep(200);
        }
    }

    /// <summary>Of what the playlist names, the path of that whose length is nearest to one asked for, and its bytes; waits for one that is near enough, and gives up.</summary>
    /// <param name="named">URIs that are to be considered.</param>
    /// <param name="wanted">Bytes.</param>
    /// <param name="tolerance">What is near enough, as a share of it.</param>
    public (string Path, byte[] Bytes) Nearest(Func<MediaPlaylistText, IEnumerable<string>> named, int wanted, double tolerance)
    {
        Dictionary<string, byte[]> known = new(StringComparer.Ordinal);
        var limit = DateTime.UtcNow + SegmentTimeout;
        while (true)
        {
            string[] paths = [.. named(WithSegment()).Select(PathOf)];
            foreach (string path in paths.Where(p => !known.ContainsKey(p))) known[path] = Get(path);
            string nearest = paths.MinBy(p => Math.Abs(known[p].Length - wanted))!;
            bool isNear = Math.Abs(known[nearest].Length - wanted) <= wanted * tolerance;
            if (isNear || DateTime.UtcNow > limit) return (nearest, known[nearest]);
            Thread.Sleep(200);
        }
    }

    public void Dispose() => _http.Dispose();

    /// <summary>The path of what a playlist names.</summary>
    private string PathOf(string uri) => new Uri(new Uri(_http.BaseAddress!, PlaylistPath), uri).PathAndQuery;
}
