using System.Buffers.Binary;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Millrace.Media.Flv;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;
using Millrace.Streams;

namespace Millrace.Node.Tests.Hls;

/// <summary>
/// A node with one live stream, live/x, of which the test sends as much as it wants: pictures of 40 ms, a key frame each
/// second, and sound. Segments of 2 s, parts of 200 ms.
/// </summary>
internal sealed partial class HlsNode : IAsyncDisposable
{
    private const int FramesPerSecond = 25;
    private int _frame;
    private double _soundAt;

    public const string PlaylistType = "application/vnd.apple.mpegurl";

    public static readonly HlsSettings Short = new() { Segment = TimeSpan.FromSeconds(2), Part = TimeSpan.FromMilliseconds(200) };

    public required TestNode Node { get; init; }

    public int PictureBytes { get; set; }

    /// <summary>Of which pictures consist.</summary>
    public byte Filling { get; set; } = 0x9A;

    public RtmpPeer Publisher { get; private set; } = null!;

    public LiveStream? Live => Node.Node.Context.Registry.Find(new StreamName("default", "live", "x"));

    /// <summary>To the plain port, where a shard answers, or to the one with TLS, where Kestrel does.</summary>
    public required HttpClient Http { get; init; }

    /// <summary>Requests that wait for something to be published.</summary>
    public int Waiting => Node.Node.Context.HlsAudience.Waiting;

    /// <summary>The key in the names.</summary>
    public string Key { get; private set; } = "";

    public string Video => $"/live/x/chunklist_0_video_{Key}_llhls.m3u8";

    public static async Task<HlsNode> StartAsync(Func<NodeSettings, NodeSettings>? change = null, int frames = 130, bool asks = true, int pictureBytes = 200, bool isKestrel = false)
    {
        using var certificate = new TestCertificate();
        var tls = isKestrel ? certificate.Settings : new TlsSettings();
        var node = await TestNode.StartAsync(settings => (change ?? (static same => same))(settings with { Hls = Short, Http = settings.Http with { Tls = tls } }));
        var hls = new HlsNode { Node = node, Http = isKestrel ? OpenTls(node) : node.Page, PictureBytes = pictureBytes };
        await hls.PublishAsync();
        await hls.SendAll(frames);
        if (asks)
            hls.Key = KeyIn().Match(await hls.Text("/live/x/llhls.m3u8")).Groups[1].Value;
        return hls;
    }

    public async Task PublishAsync()
    {
        Publisher = await Node.PublishAsync();
        foreach (var tag in TestClip.Start)
            Publisher.SendMedia(tag.Type, (uint)(_frame * 1_000 / FramesPerSecond), tag.Body);
    }

    public void Send(int frames)
    {
        var sound = new byte[120];
        (sound[0], sound[1]) = (0xAF, 1);
        for (var i = 0; i < frames; i++, _frame++)
        {
            var time = (uint)(_frame * 1_000 / FramesPerSecond);
            Publisher.SendMedia(FlvTagType.Video, time, Picture(_frame % FramesPerSecond == 0));
            for (; _soundAt < time + (1_000 / FramesPerSecond); _soundAt += 1_024_000.0 / 44_100)
                Publisher.SendMedia(FlvTagType.Audio, (uint)_soundAt, sound);
        }
    }

    /// <summary>Sends and waits until it is in the log.</summary>
    public async Task SendAll(int frames)
    {
        Send(frames);
        await Wait.Until(() => Live?.Timeline.LastDtsMicros >= (_frame - 1) * 1_000_000L / FramesPerSecond, "all is in the log");
    }

    public Task<HttpResponseMessage> Get(string path, params (string Name, string Value)[] fields) => Ask(HttpMethod.Get, path, fields);

    public async Task<HttpResponseMessage> Ask(HttpMethod method, string path, params (string Name, string Value)[] fields)
    {
        using var request = new HttpRequestMessage(method, path);
        foreach (var (name, value) in fields)
            request.Headers.TryAddWithoutValidation(name, value);
        return await Http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    public async Task<string> Text(string path)
    {
        using var answer = await Get(path);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, path);
        return await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }

    public async Task<byte[]> Bytes(string path)
    {
        using var answer = await Get(path);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, path);
        return await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>The playlist once all that was sent has been packaged: it has the segment before the one that is being made.</summary>
    public async Task<(string Text, long Segment, int Parts)> Newest()
    {
        var text = await Text(Video);
        var hint = Hint().Match(text);
        return (text, long.Parse(hint.Groups[1].Value), int.Parse(hint.Groups[2].Value));
    }

    public static IEnumerable<string> Uris(string playlist) => playlist.Split('\n').Where(static line => line.Length > 0 && line[0] != '#');

    public async ValueTask DisposeAsync() => await Node.DisposeAsync();

    [GeneratedRegex("chunklist_0_video_([0-9a-f]{12})_llhls.m3u8")]
    private static partial Regex KeyIn();

    [GeneratedRegex("PRELOAD-HINT:TYPE=PART,URI=\"part_0_([0-9]+)_([0-9]+)_")]
    private static partial Regex Hint();

    private static HttpClient OpenTls(TestNode node)
    {
        var handler = new SocketsHttpHandler { UseCookies = false, SslOptions = { RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate?.Subject == "CN=localhost" } };
        return node.Keep(new HttpClient(handler) { BaseAddress = new Uri($"https://127.0.0.1:{node.Node.HttpsPort}") });
    }

    private byte[] Picture(bool isKey)
    {
        var body = new byte[9 + PictureBytes];
        (body[0], body[1]) = (isKey ? (byte)0x17 : (byte)0x27, 1);
        BinaryPrimitives.WriteInt32BigEndian(body.AsSpan(5), PictureBytes);
        body.AsSpan(9).Fill(Filling);
        body[9] = isKey ? (byte)0x65 : (byte)0x41;
        return body;
    }

    public static string Utf8(byte[] bytes) => Encoding.UTF8.GetString(bytes);
}
