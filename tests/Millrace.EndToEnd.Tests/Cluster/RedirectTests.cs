using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd.Cluster;

/// <summary><c>cluster.elsewhere: redirect</c>: players are sent to the node that has the stream.</summary>
public sealed class RedirectTests
{
    private const string Redirect = "  elsewhere: redirect";

    private static readonly string Clip = Path.Combine(Repository.TestMedia, "bbb-360p.flv");

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Fact(Timeout = 120_000)]
    public async Task A_player_that_follows_plays_from_the_owner_and_the_edge_fetches_nothing()
    {
        await using var redis = await RedisProcess.StartAsync();
        await using var origin = await MappedNodes.StartAsync(redis, "origin", Redirect, "hls:\n  segment: 1s");
        await using var edge = await MappedNodes.StartAsync(redis, "edge", Redirect);
        await using var publisher = Ffmpeg.PublishFile(Clip, origin.Rtmp("live/bbb"), loop: true);
        await origin.LiveAsync("default/live/bbb");
        await redis.HasAsync("default/live/bbb", isThere: true, Soon);

        foreach (var path in (string[])["live/bbb.flv", "live/bbb/llhls.m3u8?_HLS_legacy=YES", "live/bbb.m3u8"])
        {
            await using var player = Ffmpeg.Play(edge.Http(path), seconds: 2);
            (await player.ExitAsync(Soon)).ShouldBe(0, player.Tail());
        }

        (await Ffmpeg.ProbeAsync(edge.Http("live/bbb.flv"))).ShouldContain(static line => line.Contains("codec_name=h264", StringComparison.Ordinal));
        (await origin.SessionsAsync("relay")).ShouldBe(0, "the edge has fetched nothing");
    }

    [Fact(Timeout = 120_000)]
    public async Task An_RTMP_player_is_told_the_whole_URL_and_other_servers_that_fetch_follow_it()
    {
        await using var redis = await RedisProcess.StartAsync();
        await using var origin = await MappedNodes.StartAsync(redis, "origin", Redirect);
        await using var edge = await MappedNodes.StartAsync(redis, "edge", Redirect);
        // It takes the edge for any RTMP server.
        await using var foreign = await MillraceServer.StartAsync($"vhosts:\n  - name: default\n    mode: remote\n    origin: rtmp://127.0.0.1:{edge.RtmpPort}\n");
        await using var publisher = Ffmpeg.PublishFile(Clip, origin.Rtmp("live/bbb"), loop: true);
        await origin.LiveAsync("default/live/bbb");
        await redis.HasAsync("default/live/bbb", isThere: true, Soon);

        using var viewer = await Viewers.RtmpAsync(edge, "bbb?token=1");
        await Wait.UntilAsync(() => Task.FromResult(viewer.HasEnded), Soon, () => "no verdict");
        viewer.Redirect.ShouldBe(origin.Rtmp("live/bbb?token=1&redirected=1"));
        using var there = await Viewers.RtmpAsync(origin, "bbb?token=1&redirected=1");
        await there.HasMediaAsync(10, Soon);

        using var below = await Viewers.RtmpAsync(foreign, "bbb");
        await below.HasMediaAsync(10, Soon);
        (await origin.SessionsAsync("rtmp")).ShouldBe(3, "the publisher, the player, and the server that was sent on");
        (await origin.SessionsAsync("relay")).ShouldBe(0, "the edge has fetched nothing");
    }

    [Fact(Timeout = 120_000)]
    public async Task An_owner_that_nobody_is_to_be_sent_to_is_fetched_from()
    {
        await using var redis = await RedisProcess.StartAsync();
        await using var origin = await MappedNodes.StartAsync(redis, "origin", "  public: {rtmp: none, http: none}");
        await using var edge = await MappedNodes.StartAsync(redis, "edge", Redirect);
        await using var publisher = Ffmpeg.PublishFile(Clip, origin.Rtmp("live/bbb"), loop: true);
        await origin.LiveAsync("default/live/bbb");
        await redis.HasAsync("default/live/bbb", isThere: true, Soon);

        foreach (var url in (string[])[edge.Http("live/bbb.flv"), edge.Rtmp("live/bbb")])
        {
            await using var player = Ffmpeg.Play(url, seconds: 1);
            (await player.ExitAsync(Soon)).ShouldBe(0, player.Tail());
        }

        (await origin.SessionsAsync("relay")).ShouldBe(1);
    }
}
