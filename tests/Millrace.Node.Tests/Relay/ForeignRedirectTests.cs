using System.Net;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;

namespace Millrace.Node.Tests.Relay;

/// <summary>Other servers that say where a stream is.</summary>
public sealed class ForeignRedirectTests
{
    [Theory]
    [InlineData(true, "rtmp://127.0.0.1:{0}/live/x")]
    [InlineData(true, "rtmp://127.0.0.1:{0}/live")]
    [InlineData(false, "http://127.0.0.1:{0}/live/x.flv?flv=legacy")]
    public async Task A_redirect_is_followed_at_once_for_players_and_publishers(bool isRtmp, string target)
    {
        await using var origin = await TestNode.StartAsync();
        using var server = new RedirectingServer(isRtmp, _ => string.Format(System.Globalization.CultureInfo.InvariantCulture, target, isRtmp ? origin.Node.RtmpPort : origin.Node.HttpPort));
        var url = $"{(isRtmp ? "rtmp" : "http")}://127.0.0.1:{server.Port}";
        await using var edge = await RelayNodes.StartAsync("edge", [url], static settings => settings with { Edge = settings.Edge with { RetryMin = TimeSpan.FromMinutes(1), RetryMax = TimeSpan.FromMinutes(1) } });
        if (target.EndsWith("/live", StringComparison.Ordinal))
        {
            var publisher = await edge.PublishAsync(name: "y");
            publisher.IsReady.ShouldBeTrue();
            server.Asked.ShouldBe([$"{url}/live"]);
        }

        using var source = new NumberedSource(await origin.PublishAsync());
        var player = edge.Play(name: "x?token=t");
        await Wait.Until(() => player.MediaCount > 30, "media");
        server.Asked[^1].ShouldBe(isRtmp ? $"{url}/live" : "GET /live/x.flv?token=t HTTP/1.1");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Servers_that_send_us_around_are_left_after_three_redirects(bool isRtmp)
    {
        RedirectingServer? server = null;
        using var made = new RedirectingServer(isRtmp, _ => isRtmp ? $"rtmp://127.0.0.1:{server!.Port}/live/x" : $"/live/x.flv");
        server = made;
        await using var edge = await RelayNodes.StartAsync(
            "edge", [$"{(isRtmp ? "rtmp" : "http")}://127.0.0.1:{server.Port}"], static settings => settings with { Edge = settings.Edge with { StartTimeout = TimeSpan.FromSeconds(1), RetryMin = TimeSpan.FromSeconds(10), RetryMax = TimeSpan.FromSeconds(10) } });
        using var answer = await edge.Page.GetAsync("/live/x.flv", TestContext.Current.CancellationToken);
        answer.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        server.Asked.Count.ShouldBe(4);
    }

    [Fact]
    public async Task Another_server_is_told_the_vhost_and_the_query_and_asked_in_the_viewers_protocol()
    {
        using var server = new RedirectingServer(isRtmp: false, static _ => "http://127.0.0.1:1/live/x.flv");
        await using var edge = await TestNode.StartAsync(settings => settings with
        {
            Vhosts =
            [
                new VhostSettings { Name = VhostSettings.DefaultName },
                new VhostSettings
                {
                    Name = "a.example.org", Mode = VhostMode.Remote, Origin = [$"127.0.0.1:{server.Port}"], FollowClient = true, UpstreamVhost = "[vhost].up",
                },
            ],
            Edge = settings.Edge with { StartTimeout = TimeSpan.FromSeconds(1) },
        });
        using var answer = await edge.Page.GetAsync("/live/x.flv?vhost=a.example.org&token=t", TestContext.Current.CancellationToken);
        answer.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        server.Asked[0].ShouldBe("GET /live/x.flv?token=t HTTP/1.1");
    }
}
