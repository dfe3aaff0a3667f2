using System.Collections.Concurrent;
using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd.Hls;

/// <summary>
/// A clip with B-pictures, published once in each combination of tracks, and what came out of it in each form of HLS: what
/// players decoded who were there from the first segment to the end, and every file that the playlists listed.
/// </summary>
public sealed class HlsRecording : IAsyncLifetime
{
    private const int ClipSeconds = 8;

    private const string Settings = """
        publish:
          grace: 1s
        hls:
          warm: always
          segment: 2s
          part: 300ms
        vhosts:
          - name: default
            apps:
              - name: enc
                hls:
                  ts:
                    encrypt: true
                    fragments_per_key: 2
        """;

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    private readonly TemporaryFolder _folder = new();
    private readonly ConcurrentDictionary<string, FrameDigest> _played = [];
    private readonly ConcurrentDictionary<string, List<string>> _files = [];
    private FrameDigest? _source;

    internal FrameDigest Source => _source!;

    /// <summary>What a live player decoded: "ts both", "fmp4 sound", "legacy picture", "aes both" …</summary>
    internal FrameDigest Played(string what) => _played[what];

    /// <summary>The segments in order, each with its initialization section or key beside it: "ts", "ts sound", "aes", "video", "audio".</summary>
    internal IReadOnlyList<string> Files(string form) => _files[form];

    public string NewFile(string name) => _folder.File(name);

    /// <summary>All segments of a form in one file that begins with the initialization section, if there is one.</summary>
    internal string Joined(string form)
    {
        var path = NewFile(form + ".joined");
        using var target = File.Create(path);
        foreach (var file in Files(form))
        {
            using var source = File.OpenRead(file);
            source.CopyTo(target);
        }

        return path;
    }

    public async ValueTask InitializeAsync()
    {
        var clip = NewFile("clip.flv");
        await Ffmpeg.MakeClipAsync(
            clip, ClipSeconds, "-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "30", "-keyint_min", "30", "-sc_threshold", "0", "-b:v", "800k", "-c:a", "aac", "-b:a", "96k");
        _source = await FrameDigest.OfFileAsync(clip);
        await using var server = await MillraceServer.StartAsync(Settings);
        await Task.WhenAll(
            RecordAsync(server, clip, "live", "both", [], ["ts", "fmp4", "legacy"], DownloadAsync),
            RecordAsync(server, clip, "enc", "both", [], ["aes"], DownloadEncryptedAsync),
            RecordAsync(server, clip, "live", "sound", ["-vn"], ["fmp4"], (client, ts, _) => KeepAsync("ts sound", TsUrls(client, ts), client)),
            RecordAsync(server, clip, "live", "picture", ["-an"], ["ts", "fmp4"]));
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return default;
    }

    private async Task RecordAsync(
        MillraceServer server, string clip, string app, string name, string[] options, string[] forms, Func<HlsClient, HlsPlaylist, string[], Task>? download = null)
    {
        using var client = new HlsClient(server, $"{app}/{name}");
        await using var publisher = Ffmpeg.PublishFile(clip, server.Rtmp($"{app}/{name}"), loop: false, options);
        var players = new Dictionary<string, ChildProcess>();
        try
        {
            var renditions = await StartAsync(client, tracks: options.Length == 0 ? 2 : 1, forms, players);
            (await publisher.ExitAsync(Soon)).ShouldBe(0, publisher.Tail());
            var ts = await client.UntilAsync(client.TsUrl, playlist => playlist.IsEnded, Soon);
            if (download is not null)
                await download(client, ts, renditions);
            foreach (var (form, player) in players)
                _played[$"{form} {name}"] = await FrameDigest.CollectAsync(player, Soon);
        }
        finally
        {
            foreach (var player in players.Values)
                await player.DisposeAsync();
        }
    }

    /// <summary>Starts players as soon as there is something for them. Returns the URLs of the LL-HLS media playlists.</summary>
    private static async Task<string[]> StartAsync(HlsClient client, int tracks, string[] forms, Dictionary<string, ChildProcess> players)
    {
        var master = await client.UntilAsync(client.LowLatencyUrl, playlist => playlist.Renditions.Count == tracks, Soon);
        if (forms.Contains("legacy"))
            players["legacy"] = Ffmpeg.Digest(client.LegacyUrl);
        await client.UntilAsync(client.TsUrl, playlist => playlist.Segments.Count > 0, Soon);
        if (forms.Any(form => form is "ts" or "aes"))
            players[forms.First(form => form is "ts" or "aes")] = Ffmpeg.Digest(client.TsUrl);
        // ffmpeg takes a playlist of parts alone for an empty one.
        var renditions = master.Renditions.Select(client.InFolder).ToArray();
        foreach (var rendition in renditions)
            await client.UntilAsync(rendition, playlist => playlist.Segments.Count > 0, Soon);
        if (forms.Contains("fmp4"))
            players["fmp4"] = Ffmpeg.Digest(client.LowLatencyUrl);
        return renditions;
    }

    private static IEnumerable<string> TsUrls(HlsClient client, HlsPlaylist ts) => ts.Segments.Select(segment => client.Beside(segment.Uri));

    private async Task DownloadAsync(HlsClient client, HlsPlaylist ts, string[] renditions)
    {
        await KeepAsync("ts", TsUrls(client, ts), client);
        foreach (var kind in (string[])["video", "audio"])
        {
            var playlist = await client.UntilAsync(renditions.Single(url => url.Contains($"_{kind}_", StringComparison.Ordinal)), playlist => playlist.IsEnded, Soon);
            var map = playlist.Segments.Select(segment => segment.Map).Distinct().Single()!;
            await KeepAsync(kind, [client.InFolder(map), .. playlist.Segments.Select(segment => client.InFolder(segment.Uri))], client);
            await PartsShouldBeTheirSegmentAsync(client, playlist.Segments[^1], Files(kind)[^1]);
        }
    }

    private static async Task PartsShouldBeTheirSegmentAsync(HlsClient client, HlsSegment segment, string file)
    {
        var parts = await Task.WhenAll(segment.Parts.Select(part => client.BytesAsync(client.InFolder(part))));
        parts.Length.ShouldBeGreaterThan(1);
        parts.SelectMany(part => part).SequenceEqual(await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken)).ShouldBeTrue(segment.Uri);
    }

    private async Task DownloadEncryptedAsync(HlsClient client, HlsPlaylist ts, string[] renditions)
    {
        await KeepAsync("aes", TsUrls(client, ts), client);
        foreach (var (segment, file) in ts.Segments.Zip(Files("aes")))
            await File.WriteAllBytesAsync($"{file}.key", await client.BytesAsync(client.Beside(segment.Key!)), TestContext.Current.CancellationToken);
        ts.Segments.Select(segment => segment.Key).Distinct().Count().ShouldBe((ts.Segments.Count + 1) / 2, "two segments share a key");
    }

    private async Task KeepAsync(string form, IEnumerable<string> urls, HlsClient client)
    {
        var files = new List<string>();
        foreach (var url in urls)
        {
            files.Add(NewFile($"{form}-{files.Count}"));
            await File.WriteAllBytesAsync(files[^1], await client.BytesAsync(url), TestContext.Current.CancellationToken);
        }

        _files[form] = files;
    }
}
