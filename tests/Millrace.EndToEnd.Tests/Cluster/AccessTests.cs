using System.Collections.Concurrent;
using System.Net;
using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd.Cluster;

/// <summary>Who may watch through an edge is decided above it.</summary>
public sealed class AccessTests
{
    private static readonly string Clip = Path.Combine(Repository.TestMedia, "bbb-360p.flv");

    private static readonly TimeSpan PlayTime = TimeSpan.FromSeconds(40);

    [Fact(Timeout = 120_000)]
    public async Task Ffmpeg_plays_every_protocol_with_a_token_and_none_without()
    {
        await using var origin = await MillraceServer.StartAsync("""
            vhosts:
              - name: default
                access: {play: token, play_tokens: [view, other]}
            """);
        await using var edge = await EdgeAsync($"millrace://127.0.0.1:{origin.RelayPort}");
        await using var publisher = Ffmpeg.PublishFile(Clip, origin.Rtmp("live/bbb"), loop: true);
        await origin.LiveAsync("default/live/bbb");
        // The legacy form waits for a first segment: ffmpeg gives up on a playlist without any.
        string[] urls = [edge.Rtmp("live/bbb?"), edge.Http("live/bbb.flv?"), edge.Http("live/bbb/llhls.m3u8?_HLS_legacy=YES&"), edge.Http("live/bbb.m3u8?")];

        var good = urls.Select(static url => Ffmpeg.Play(url + "token=view", seconds: 4)).ToList();
        foreach (var player in good)
        {
            await using var owned = player;
            (await player.ExitAsync(PlayTime)).ShouldBe(0, player.Tail());
        }

        foreach (var url in urls)
        {
            await using var none = Ffmpeg.Play(url.TrimEnd('?', '&'), seconds: 4);
            await using var wrong = Ffmpeg.Play(url + "token=viewer", seconds: 4);
            (await none.ExitAsync(PlayTime)).ShouldNotBe(0, url);
            (await wrong.ExitAsync(PlayTime)).ShouldNotBe(0, url);
            none.Tail().ShouldContain(url.StartsWith("http", StringComparison.Ordinal) ? "401 Unauthorized" : "the token is missing");
            wrong.Tail().ShouldContain(url.StartsWith("http", StringComparison.Ordinal) ? "403 Forbidden" : "the token is wrong");
            (await Ffmpeg.ProbeAsync(url + "token=view")).ShouldContain(static line => line.Contains("h264", StringComparison.Ordinal));
        }

        edge.Process.Tail().ShouldNotContain("token=");
        edge.Process.Tail().ShouldContain("the token is missing");
    }

    [Fact(Timeout = 120_000)]
    public async Task Nginx_decides_at_connect_about_viewers_and_publishers_of_the_edge()
    {
        using var callback = new ConnectCallback(static body => !body.Contains("token=bad", StringComparison.Ordinal));
        await using var nginx = await NginxRtmp.StartAsync($"on_connect {callback.Url};", []);
        await using var edge = await EdgeAsync($"rtmp://127.0.0.1:{nginx.Port}");
        await using var publisher = Ffmpeg.PublishFile(Clip, nginx.Url("bbb"), loop: true);

        foreach (var url in (string[])[edge.Rtmp("live/bbb"), edge.Http("live/bbb.flv")])
        {
            await using var good = Ffmpeg.Play(url + "?token=good", seconds: 3);
            (await good.ExitAsync(PlayTime)).ShouldBe(0, good.Tail());
            await using var bad = Ffmpeg.Play(url + "?token=bad", seconds: 3);
            (await bad.ExitAsync(PlayTime)).ShouldNotBe(0, url);
        }

        await using var refused = Ffmpeg.PublishFile(Clip, edge.Rtmp("live/other?token=bad"));
        (await refused.ExitAsync(PlayTime)).ShouldNotBe(0);
        callback.Bodies.ShouldContain(static body => body.Contains("token=good", StringComparison.Ordinal));
        edge.Process.Tail().ShouldContain("refused by the server, which gave no reason");
    }

    private static Task<MillraceServer> EdgeAsync(string origin) => MillraceServer.StartAsync($"""
        vhosts:
          - name: default
            mode: remote
            origin: ["{origin}"]
            token_traverse: true
        """);

    /// <summary>Where nginx asks about each connect: 200 lets the client in, anything else does not.</summary>
    private sealed class ConnectCallback : IDisposable
    {
        private readonly HttpListener _listener = new();
        private readonly Func<string, bool> _isAllowed;
        private readonly ConcurrentQueue<string> _bodies = [];

        public ConnectCallback(Func<string, bool> isAllowed)
        {
            _isAllowed = isAllowed;
            Url = $"http://127.0.0.1:{Ports.Free()}/connect";
            _listener.Prefixes.Add(Url + "/");
            _listener.Start();
            _ = ServeAsync();
        }

        public string Url { get; }

        public IReadOnlyCollection<string> Bodies => _bodies;

        public void Dispose() => _listener.Close();

        private async Task ServeAsync()
        {
            while (_listener.IsListening)
            {
                try
                {
                    var context = await _listener.GetContextAsync();
                    using var reader = new StreamReader(context.Request.InputStream);
                    var body = await reader.ReadToEndAsync();
                    _bodies.Enqueue(body);
                    context.Response.StatusCode = _isAllowed(body) ? 200 : 403;
                    context.Response.Close();
                }
                catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
                {
                    return;
                }
            }
        }
    }
}
