using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Millrace.EndToEnd.Harness;
using Millrace.EndToEnd.Hls;

namespace Millrace.EndToEnd.Cluster;

/// <summary>
/// Asks all nodes of a cluster for every playlist and object of a stream at the same moments, as players do, and compares what they say: status,
/// entity tag, header fields and bytes.
/// </summary>
/// <param name="stream">app/name.</param>
/// <param name="answers">Where the answers go.</param>
internal sealed class NodeCrawler(string stream, NodeAnswers answers) : IDisposable
{
    /// <summary>What the origin has just published is on its way to the others for so long.</summary>
    private static readonly TimeSpan OnItsWay = TimeSpan.FromSeconds(1);

    /// <summary>Where a machine that is busy makes a single look last that long.</summary>
    private const int MinLooks = 5;

    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    private readonly HttpClient _http = new(new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.None }) { Timeout = TimeSpan.FromSeconds(20) };
    private readonly ConcurrentDictionary<string, Node> _nodes = [];
    private readonly ConcurrentDictionary<string, string> _renditions = [];
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private Node? _origin;

    private string Folder => stream[..(stream.LastIndexOf('/') + 1)];

    /// <summary>Asks this node as well from now on; the first is the one whose playlists say what there is.</summary>
    public void Add(string name, MillraceServer server)
    {
        var node = new Node(name, server);
        _origin ??= node;
        _nodes[name] = node;
    }

    /// <summary>Asks it no more.</summary>
    public void Remove(string name) => _nodes.TryRemove(name, out _);

    /// <summary>
    /// A node that nobody has asked gets a player of another node, which goes on by the names that it knows: the first thing that this one is
    /// asked for is a media playlist, a segment, or what the newest segment of MPEG-TS needs, and from then on all.
    /// </summary>
    public async Task JoinAsync(string name, MillraceServer server, bool isInMedia)
    {
        var node = new Node(name, server);
        var path = await RenditionAsync("video");
        var segment = (await FetchAsync(_origin!, path)).Playlist.Segments[^1].Uri;
        var ts = (await FetchAsync(_origin!, stream + ".m3u8")).Playlist.Segments[^1];
        if (!isInMedia)
            await PlaylistAsync(node, "media playlist", path);
        else
            await Task.WhenAll(((string?[])[$"{stream}/{segment}", Folder + ts.Uri, ts.Key is null ? null : Folder + ts.Key]).OfType<string>().Select(uri => ObjectAsync(node, uri, isListed: true)));
        _nodes[name] = node;
    }

    /// <summary>Follows all playlists until <see cref="Stop"/>.</summary>
    public Task RunAsync() => Task.WhenAll(FollowAsync("video"), FollowAsync("audio"), RepeatAsync(TransportStreamAsync), RepeatAsync(MultivariantAsync));

    public void Stop() => _stop.Cancel();

    /// <summary>Once more when the stream has ended: all playlists say so, and all that they list is there.</summary>
    public async Task EndAsync()
    {
        foreach (var kind in (string[])["video", "audio"])
        {
            var path = await RenditionAsync(kind);
            await Task.WhenAll(_nodes.Values.Select(node => Wait.UntilAsync(
                async () => (await FetchAsync(node, path)).Playlist.IsEnded, TimeSpan.FromSeconds(10), () => $"{node.Name}: {path} has not ended")));
            await ObjectsAsync(stream + "/", (await OfAllAsync("ended", path))!.Playlist);
        }

        await ObjectsAsync(Folder, (await OfAllAsync("ended", stream + ".m3u8"))!.Playlist);
    }

    public void Dispose()
    {
        _http.Dispose();
        _stop.Dispose();
    }

    /// <summary>The path of a media playlist; it outlives the multivariant playlist that names it.</summary>
    private async Task<string> RenditionAsync(string kind)
    {
        if (!_renditions.TryGetValue(kind, out var path))
            _renditions[kind] = path = $"{stream}/{(await FetchAsync(_origin!, stream + "/llhls.m3u8")).Playlist.Rendition(kind)}";
        return path;
    }

    /// <summary>One rendition of LL-HLS, part by part: each is asked for before it is there, and so is the playlist that lists it.</summary>
    private async Task FollowAsync(string kind)
    {
        var path = await RenditionAsync(kind);
        var playlist = (await FetchAsync(_origin!, path)).Playlist;
        while (!_stop.IsCancellationRequested)
        {
            // part_RENDITION_SEGMENT_PART_kind_KEY_llhls.m4s
            var hint = playlist.Hint!.Split('_');
            var next = $"_HLS_msn={hint[2]}&_HLS_part={hint[3]}";
            var hinted = Task.WhenAll(_nodes.Values.Select(node => ObjectAsync(node, $"{stream}/{playlist.Hint}", isListed: false)));
            var blocked = OfAllAsync("media playlist", $"{path}?{next}");
            await Task.WhenAll(hinted, blocked, OfAllAsync("delta update", $"{path}?{next}&_HLS_skip=YES"));
            await Task.WhenAll(OfAllAsync("media playlist", path), OfAllAsync("delta update", $"{path}?_HLS_skip=YES"), OfAllAsync("legacy playlist", $"{path}?_HLS_legacy=YES"));
            playlist = (await blocked)?.Playlist ?? playlist;
            await ObjectsAsync(stream + "/", playlist);
        }
    }

    private async Task RepeatAsync(Func<Task> look)
    {
        while (!_stop.IsCancellationRequested)
        {
            await look();
            await Task.Delay(4 * Step, CancellationToken.None);
        }
    }

    private async Task TransportStreamAsync()
    {
        if (await OfAllAsync("TS playlist", stream + ".m3u8") is { } answer)
            await ObjectsAsync(Folder, answer.Playlist);
    }

    /// <summary>It says nothing of where it ends: what is not the same at once must become so.</summary>
    private async Task MultivariantAsync()
    {
        foreach (var path in (string[])[stream + "/llhls.m3u8", stream + "/llhls.m3u8?_HLS_legacy=YES"])
        {
            var started = Stopwatch.GetTimestamp();
            NodeAnswer[] seen;
            bool isSame;
            var looks = 0;
            do
            {
                looks++;
                seen = await Task.WhenAll(_nodes.Values.Select(node => FetchAsync(node, path)));
                isSame = seen.Select(answer => (answer.Status, answer.Fields, answer.Text)).Distinct().Count() == 1;
            }
            while (!isSame && (looks < MinLooks || Stopwatch.GetElapsedTime(started) < OnItsWay));

            var moment = $"{path} at {started}, {looks} times in {Stopwatch.GetElapsedTime(started).TotalSeconds:0.00} s";
            foreach (var answer in seen)
                answers.AddObject("multivariant playlist", moment, answer);
        }
    }

    /// <summary>Asks all nodes at once. Returns the origin's answer; null where it is none.</summary>
    private async Task<NodeAnswer?> OfAllAsync(string kind, string path)
    {
        var seen = await Task.WhenAll(_nodes.Values.Select(node => PlaylistAsync(node, kind, path)));
        return Array.Find(seen, answer => answer.Node == _origin!.Name && answer.Status == HttpStatusCode.OK);
    }

    private async Task<NodeAnswer> PlaylistAsync(Node node, string kind, string path)
    {
        var answer = await FetchAsync(node, path);
        answers.AddPlaylist(kind, path, answer);
        return answer;
    }

    /// <summary>All that the playlist lists, at each node that has not been asked for it.</summary>
    private Task ObjectsAsync(string folder, HlsPlaylist playlist)
    {
        var listed = playlist.Segments.SelectMany(segment => (IEnumerable<string?>)[segment.Map, segment.Key, segment.Uri, .. segment.Parts]).Concat(playlist.OpenParts);
        var there = listed.OfType<string>().Distinct().Where(uri => !IsGap(playlist, uri)).ToList();
        return Task.WhenAll(_nodes.Values.SelectMany(node => there.Select(uri => ObjectAsync(node, folder + uri, isListed: true))));
    }

    /// <summary>What was announced and never came, because the publisher went: it is listed and cannot be fetched (RFC 8216bis 4.4.4.7, 4.4.4.9).</summary>
    private static bool IsGap(HlsPlaylist playlist, string uri)
    {
        var lines = playlist.Text.Split('\n');
        var at = Array.FindLastIndex(lines, line => line == uri || line.Contains($"\"{uri}\"", StringComparison.Ordinal));
        return lines[at].EndsWith(",GAP=YES", StringComparison.Ordinal) || (lines[at] == uri && lines[at - 2] == "#EXT-X-GAP");
    }

    private async Task ObjectAsync(Node node, string path, bool isListed)
    {
        if (!node.Asked.TryAdd(path, true))
            return;
        var started = Stopwatch.GetTimestamp();
        var answer = await FetchAsync(node, path);
        while (answer.Status == HttpStatusCode.NotFound && Stopwatch.GetElapsedTime(started) < OnItsWay)
        {
            await Task.Delay(Step, CancellationToken.None);
            answer = await FetchAsync(node, path);
        }

        if (isListed && answer.Status != HttpStatusCode.OK)
            answers.Note($"{path} is listed; {answer}");
        var name = path[(path.LastIndexOf('/') + 1)..];
        answers.AddObject(name.EndsWith(".m4s", StringComparison.Ordinal) ? name[..name.IndexOf('_', StringComparison.Ordinal)] : Path.GetExtension(name), path, answer);
    }

    private async Task<NodeAnswer> FetchAsync(Node node, string path)
    {
        try
        {
            using var response = await _http.GetAsync(node.Server.Http(path), TestContext.Current.CancellationToken);
            return NodeAnswer.Of(node.Name, response, await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            return new NodeAnswer(node.Name, default, e.Message, []);
        }
    }

    private sealed record Node(string Name, MillraceServer Server)
    {
        public ConcurrentDictionary<string, bool> Asked { get; } = [];
    }
}
