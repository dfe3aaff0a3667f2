using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd.Cluster;

/// <summary>Other servers above and below: Debian's nginx with its RTMP module.</summary>
public sealed class ForeignTests
{
    /// <summary>Four of the six seconds that are published: players are there first.</summary>
    private const int Pictures = 100;

    private static readonly string[] FirstSeconds = ["-t", "6"];

    private static readonly string Clip = Path.Combine(Repository.TestMedia, "bbb-360p.flv");

    private static readonly TimeSpan PlayTime = TimeSpan.FromSeconds(40);

    [Fact(Timeout = 120_000)]
    public async Task Nginx_is_the_origin_and_the_edge_below_and_every_frame_comes_through()
    {
        var expected = await FrameDigest.OfFileAsync(Clip);
        await using var origin = await NginxRtmp.StartAsync("publish_notify on;", "wait_video on;");
        // Nginx says nothing of a stream's end, or nothing that counts: it is over when nothing has come for a while.
        await using var server = await EdgeAsync($"rtmp://127.0.0.1:{origin.Port}", "  media_timeout: 3s\n  give_up: 1s\n");
        await using var below = await NginxRtmp.StartAsync($"pull rtmp://127.0.0.1:{server.RtmpPort}/live;", "publish_notify on;", "wait_video on;");
        await using var rtmp = Ffmpeg.Digest(server.Rtmp("live/bbb"));
        await using var flv = Ffmpeg.Digest(server.Http("live/bbb.flv?wait=30s"));
        await using var nginx = Ffmpeg.Digest(below.Url("bbb"));
        await Ports.ConnectedAsync(server.RtmpPort, 2, TimeSpan.FromSeconds(10));
        await Ports.ConnectedAsync(server.HttpPort, 1, TimeSpan.FromSeconds(10));
        await Ports.ConnectedAsync(origin.Port, 1, TimeSpan.FromSeconds(10));

        await using var publisher = Ffmpeg.PublishFile(Clip, origin.Url("bbb"), options: FirstSeconds);
        (await publisher.ExitAsync(PlayTime)).ShouldBe(0, publisher.Tail());

        (await FrameDigest.CollectAsync(rtmp, PlayTime)).ShouldBeStretchOf(expected, Pictures);
        (await FrameDigest.CollectAsync(flv, PlayTime)).ShouldBeStretchOf(expected, Pictures);
        (await FrameDigest.CollectAsync(nginx, PlayTime)).ShouldBeStretchOf(expected, Pictures);
    }

    [Fact(Timeout = 120_000)]
    public async Task Viewers_of_the_edge_stay_while_an_nginx_origin_restarts()
    {
        await using var origin = await NginxRtmp.StartAsync();
        await using var server = await EdgeAsync($"rtmp://127.0.0.1:{origin.Port}");
        await using var before = Ffmpeg.PublishFile(Clip, origin.Url("bbb"), loop: true);
        using var rtmp = await Viewers.RtmpAsync(server, "bbb");
        await rtmp.HasMediaAsync(100, PlayTime);
        using var flv = await FlvViewer.PlayAsync(server, "bbb", keeps: true);
        await flv.HasBytesAsync(100_000, PlayTime);

        await origin.RestartAsync();
        var (media, bytes) = (rtmp.MediaCount, flv.Bytes);
        await using var after = Ffmpeg.PublishFile(Clip, origin.Url("bbb"), loop: true);
        await rtmp.HasMediaAsync(media + 300, PlayTime);
        await flv.HasBytesAsync(bytes + 200_000, PlayTime);

        rtmp.HasEnded.ShouldBeFalse();
        flv.HasEnded.ShouldBeFalse();
        rtmp.ShouldHaveMonotonicTimes();
        flv.ShouldHaveMonotonicTimes();
        var stream = await server.LiveAsync("default/live/bbb");
        stream.ShouldContain("\"switches\":1");
    }

    [Fact(Timeout = 120_000)]
    public async Task A_publisher_at_the_edge_stays_while_the_nginx_origin_restarts()
    {
        await using var origin = await NginxRtmp.StartAsync("wait_video on;");
        await using var server = await EdgeAsync($"127.0.0.1:{origin.Port}");
        await using var publisher = Ffmpeg.PublishFile(Clip, server.Rtmp("live/bbb"), loop: true);
        await server.LiveAsync("default/live/bbb");
        await PlayAsync(origin.Url("bbb"));

        await origin.RestartAsync();
        await PlayAsync(origin.Url("bbb"));

        publisher.HasExited.ShouldBeFalse(publisher.Tail());
        await PlayAsync(server.Rtmp("live/bbb"));
    }

    [Fact(Timeout = 120_000)]
    public async Task What_is_published_is_forwarded_to_nginx_frame_by_frame()
    {
        var expected = await FrameDigest.OfFileAsync(Clip);
        await using var nginx = await NginxRtmp.StartAsync("publish_notify on;", "wait_video on;");
        await using var server = await MillraceServer.StartAsync(
            $"publish:\n  grace: 1s\nvhosts:\n  - name: default\n    forward: rtmp://127.0.0.1:{nginx.Port} rtmp://127.0.0.1:{Ports.Free()}\n");
        await using var player = Ffmpeg.Digest(nginx.Url("bbb"));
        await Ports.ConnectedAsync(nginx.Port, 1, TimeSpan.FromSeconds(10));

        await using var publisher = Ffmpeg.PublishFile(Clip, server.Rtmp("live/bbb"), options: FirstSeconds);
        (await publisher.ExitAsync(PlayTime)).ShouldBe(0, publisher.Tail());

        (await FrameDigest.CollectAsync(player, PlayTime)).ShouldBeStretchOf(expected, Pictures);
    }

    [Fact(Timeout = 120_000)]
    public async Task What_is_forwarded_and_what_is_pulled_goes_on_when_nginx_has_restarted()
    {
        await using var target = await NginxRtmp.StartAsync("wait_video on;");
        await using var server = await MillraceServer.StartAsync($"vhosts:\n  - name: default\n    forward: rtmp://127.0.0.1:{target.Port}\n");
        await using var edge = await NginxRtmp.StartAsync($"pull rtmp://127.0.0.1:{server.RtmpPort}/live;", "wait_video on;");
        await using var publisher = Ffmpeg.PublishFile(Clip, server.Rtmp("live/bbb"), loop: true);
        await server.LiveAsync("default/live/bbb");
        await PlayAsync(target.Url("bbb"));
        await PlayAsync(edge.Url("bbb"));

        await target.RestartAsync();
        await edge.RestartAsync();
        await PlayAsync(target.Url("bbb"));
        await PlayAsync(edge.Url("bbb"));

        publisher.HasExited.ShouldBeFalse(publisher.Tail());
        using var state = System.Text.Json.JsonDocument.Parse(await server.LiveAsync("default/live/bbb"));
        state.RootElement.GetProperty("era").GetInt32().ShouldBe(0, "the stream has not noticed");
    }

    [Fact(Timeout = 120_000)]
    public async Task Viewers_stay_while_an_nginx_edge_that_pushes_to_us_restarts()
    {
        await using var server = await MillraceServer.StartAsync();
        await using var edge = await NginxRtmp.StartAsync($"push rtmp://127.0.0.1:{server.RtmpPort}/live;");
        await using var before = Ffmpeg.PublishFile(Clip, edge.Url("bbb"), loop: true);
        await server.LiveAsync("default/live/bbb");
        using var rtmp = await Viewers.RtmpAsync(server, "bbb");
        using var flv = await FlvViewer.PlayAsync(server, "bbb");
        await rtmp.HasMediaAsync(100, PlayTime);
        await flv.HasBytesAsync(100_000, PlayTime);

        await edge.RestartAsync();
        var (messages, bytes) = (rtmp.MediaCount, flv.Bytes);
        await using var after = Ffmpeg.PublishFile(Clip, edge.Url("bbb"), loop: true);

        await rtmp.HasMediaAsync(messages + 300, PlayTime);
        await flv.HasBytesAsync(bytes + 150_000, PlayTime);
        rtmp.HasEnded.ShouldBeFalse();
        flv.HasEnded.ShouldBeFalse();
        rtmp.ShouldHaveMonotonicTimes();
    }

    [Fact(Timeout = 120_000)]
    public async Task A_stream_is_fetched_over_https()
    {
        using var certificate = new SelfSigned();
        await using var origin = await MillraceServer.StartAsync(environment: certificate.Settings);
        // What the machine trusts, as OpenSSL has it.
        var trust = new Dictionary<string, string> { ["SSL_CERT_FILE"] = certificate.Settings["MILLRACE__HTTP__TLS__CERTIFICATE"] };
        await using var server = await EdgeAsync($"https://localhost:{certificate.Port}", environment: trust);
        await using var doubtful = await EdgeAsync($"https://localhost:{certificate.Port}");
        await using var publisher = Ffmpeg.PublishFile(Clip, origin.Rtmp("live/bbb"), loop: true);
        await origin.LiveAsync("default/live/bbb");

        await PlayAsync(server.Http("live/bbb.flv"));
        await using var refused = Ffmpeg.Play(doubtful.Http("live/bbb.flv"), seconds: 1);
        (await refused.ExitAsync(PlayTime)).ShouldNotBe(0);
        await doubtful.Process.LineAsync(static line => line.Contains("certificate", StringComparison.Ordinal), PlayTime);
    }

    private static async Task PlayAsync(string url)
    {
        await using var player = Ffmpeg.Play(url, seconds: 1);
        (await player.ExitAsync(PlayTime)).ShouldBe(0, player.Tail());
    }

    private static Task<MillraceServer> EdgeAsync(string origin, string edge = "", IReadOnlyDictionary<string, string>? environment = null) =>
        MillraceServer.StartAsync($"{(edge.Length > 0 ? "edge:\n" + edge : "")}vhosts:\n  - name: default\n    mode: remote\n    origin: {origin}\n", environment);
}
