using System.Net;
using Millrace.Node.Tests.Harness;

namespace Millrace.Node.Tests.Hls;

/// <summary>HLS on Kestrel: what its connections do that a shard's need not.</summary>
public sealed class HlsOnKestrelTests
{
    [Fact]
    public async Task A_node_that_stops_answers_those_who_wait()
    {
        await using var hls = await HlsNode.StartAsync();
        var (_, segment, _) = await hls.Newest();
        using var client = hls.Node.OpenKestrel();
        client.Send(RawHttp.Get($"{hls.Video}?_HLS_msn={segment + 1}"));
        await UntilWaiting(hls, 1);

        await hls.Node.Node.StopAsync();

        var answer = client.ReadHead();
        answer.Status.ShouldBe(503);
        answer.Field("connection").ShouldBe("close");
        client.ReadBody(answer).ShouldContain("the node is shutting down");
        client.ReadToEnd().ShouldBeEmpty();
        hls.Node.Node.Context.HlsAudience.Waiting.ShouldBe(0);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task With_TLS_a_node_that_stops_answers_those_who_wait(string version)
    {
        using var files = new TestCertificate();
        await using var hls = await HlsNode.StartAsync(settings => settings with { Http = settings.Http with { Tls = files.Settings } });
        var (_, segment, _) = await hls.Newest();
        using var client = OpenTls(hls, version);
        var waiting = client.GetAsync($"{hls.Video}?_HLS_msn={segment + 1}", TestContext.Current.CancellationToken);
        await UntilWaiting(hls, 1);

        await hls.Node.Node.StopAsync();

        using var answer = await waiting;
        answer.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldContain("the node is shutting down");
    }

    [Theory]
    [InlineData("OPTIONS", 204)]
    [InlineData("DELETE", 405)]
    public async Task What_is_not_asked_by_players_gives_its_connection_back(string method, int status)
    {
        await using var hls = await HlsNode.StartAsync();
        using var client = hls.Node.OpenHttp();

        client.Send($"{method} {hls.Video} HTTP/1.1\r\nHost: localhost\r\n\r\n");

        var answer = client.ReadHead();
        answer.Status.ShouldBe(status);
        answer.Field("connection").ShouldBe("close");
        client.ReadToEnd().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_playlist_keeps_the_connection_that_asks_for_it()
    {
        await using var hls = await HlsNode.StartAsync();
        using var client = hls.Node.OpenKestrel();
        for (var i = 0; i < 2; i++)
        {
            client.Send(RawHttp.Get(hls.Video));
            var answer = client.ReadHead();
            answer.Field("connection").ShouldBe("");
            client.ReadBody(answer).ShouldContain("#EXT-X-PART-INF");
        }
    }

    [Fact]
    public async Task With_TLS_there_is_no_shard_to_give_a_connection_back_to()
    {
        using var files = new TestCertificate();
        await using var hls = await HlsNode.StartAsync(settings => settings with { Http = settings.Http with { Tls = files.Settings } });
        using var client = OpenTls(hls, "1.1");
        using var request = new HttpRequestMessage(HttpMethod.Options, hls.Video);

        using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);

        answer.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        answer.Headers.ConnectionClose.ShouldNotBe(true);
    }

    private static HttpClient OpenTls(HlsNode hls, string version)
    {
        var handler = new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate?.Subject == "CN=localhost" } };
        return new HttpClient(handler)
        {
            BaseAddress = new Uri($"https://127.0.0.1:{hls.Node.Node.HttpsPort}"),
            DefaultRequestVersion = Version.Parse(version),
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
    }

    private static Task UntilWaiting(HlsNode hls, int count) =>
        Wait.Until(() => hls.Node.Node.Context.HlsAudience.Waiting == count, $"{count} requests wait");
}
