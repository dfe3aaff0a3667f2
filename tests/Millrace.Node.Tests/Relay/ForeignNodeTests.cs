using System.Net;
using Millrace.Media.Flv;
using Millrace.Node.Sessions;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;
using Millrace.Streams;

namespace Millrace.Node.Tests.Relay;

/// <summary>Nodes that fetch streams from other servers, and publish to them, by RTMP and HTTP-FLV. The other server is a node as well.</summary>
public sealed class ForeignNodeTests
{
    private static readonly StreamName Name = new("default", "live", "x");

    [Theory]
    [InlineData("rtmp")]
    [InlineData("http")]
    public async Task A_stream_of_another_server_is_fetched_once_for_all_viewers_and_let_go(string scheme)
    {
        await using var origin = await TestNode.StartAsync();
        await using var edge = await EdgeAsync(settings => settings with { Edge = settings.Edge with { Linger = TimeSpan.FromMilliseconds(300) } }, UrlOf(origin, scheme));
        using var source = new NumberedSource(await origin.PublishAsync());
        await Wait.Until(() => source.Sent > 30, "a stream");

        var players = Enumerable.Range(0, 4).Select(_ => edge.Play()).ToList();
        await Wait.Until(() => players.TrueForAll(static player => player.MediaCount > 60), "media for all of them");

        PlayersOf(origin).ShouldBe(1);
        players.ForEach(NumberedSource.ShouldMissNothing);
        edge.Node.Context.Registry.Find(Name)!.IsAuthority.ShouldBeTrue();
        players.ForEach(static player => player.Dispose());
        await Wait.Until(() => PlayersOf(origin) == 0, "nobody watches any more");
    }

    [Fact]
    public async Task Where_http_has_no_such_stream_the_viewer_is_told_so_and_the_origin_is_not_asked_again_at_once()
    {
        await using var origin = await TestNode.StartAsync();
        await using var edge = await EdgeAsync(static settings => settings with { Edge = settings.Edge with { NegativeCache = TimeSpan.FromSeconds(30) } }, UrlOf(origin, "http"));
        for (var i = 0; i < 10; i++)
        {
            using var answer = await edge.Page.GetAsync("/live/x.flv", TestContext.Current.CancellationToken);
            answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        }

        edge.Node.Context.Upstreams.Counters.Attempts.ShouldBe(1);
    }

    [Fact]
    public async Task An_rtmp_server_that_sends_nothing_has_no_such_stream()
    {
        await using var origin = await TestNode.StartAsync();
        await using var edge = await EdgeAsync(static settings => settings with { Edge = settings.Edge with { StartTimeout = TimeSpan.FromMilliseconds(400) } }, UrlOf(origin, "rtmp"));
        using var first = await edge.Page.GetAsync("/live/x.flv", TestContext.Current.CancellationToken);
        first.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        await Wait.Until(() => edge.Node.Context.Upstreams.CountMissing(NodeClock.Micros) == 1, "the name is known to be missing");
        edge.Log.Containing("nothing comes").ShouldNotBeEmpty();
    }

    [Theory]
    [InlineData("rtmp", "http")]
    [InlineData("http", "rtmp")]
    [InlineData("rtmp", "millrace")]
    [InlineData("millrace", "rtmp")]
    [InlineData("http", "millrace")]
    public async Task Viewers_stay_when_an_origin_goes_and_the_next_is_spoken_to_otherwise(string before, string after)
    {
        var first = await TestNode.StartAsync();
        await using var second = await TestNode.StartAsync();
        await using var edge = await EdgeAsync(null, UrlOf(first, before), UrlOf(second, after));
        using var one = new NumberedSource(await first.PublishAsync());
        var player = edge.Play();
        await Wait.Until(() => player.MediaCount > 60, "media");
        using var other = new NumberedSource(await second.PublishAsync());
        var timeline = edge.Node.Context.Registry.Find(Name)!.Timeline.Id;

        await first.DisposeAsync();
        var seen = player.MediaCount;
        await Wait.Until(() => player.MediaCount > seen + 60, "media goes on");

        player.HasEnded.ShouldBeFalse();
        player.Statuses.ShouldNotContain("NetStream.Play.UnpublishNotify");
        var times = player.Media.Where(static tag => tag.Type == FlvTagType.Video && !tag.IsSequenceHeader).Select(static tag => tag.Time).ToList();
        times.ShouldBe([.. times.Order()], "monotonic");
        var stream = edge.Node.Context.Registry.Find(Name)!;
        stream.IsAuthority.ShouldBeTrue();
        if (before != "millrace")
            stream.Timeline.Id.ShouldBe(timeline);
    }

    [Fact]
    public async Task A_server_that_goes_silent_is_passed_over()
    {
        await using var first = await TestNode.StartAsync();
        await using var second = await TestNode.StartAsync();
        await using var edge = await EdgeAsync(
            static settings => settings with { Edge = settings.Edge with { MediaTimeout = TimeSpan.FromMilliseconds(500) } }, UrlOf(first, "rtmp"), UrlOf(second, "http"));
        var one = new NumberedSource(await first.PublishAsync());
        var player = edge.Play();
        await Wait.Until(() => player.MediaCount > 30, "media");
        using var other = new NumberedSource(await second.PublishAsync());

        one.Dispose();
        await Wait.Until(() => edge.Log.Containing("sends nothing any more").Count > 0, "it is noticed");
        var seen = player.MediaCount;
        await Wait.Until(() => player.MediaCount > seen + 60, "media goes on");
        player.HasEnded.ShouldBeFalse();
    }

    [Fact]
    public async Task A_publisher_is_accepted_when_the_rtmp_origin_has_accepted_him_and_stays_when_that_restarts()
    {
        var origin = await TestNode.StartAsync(static settings => settings with { Publish = settings.Publish with { Token = new Secret("right") } });
        var port = origin.Node.RtmpPort;
        await using var edge = await EdgeAsync(null, $"rtmp://127.0.0.1:{port}");
        var wrong = await edge.PublishAsync(name: "x?token=wrong");
        await Wait.Until(() => wrong.HasEnded, "the verdict");
        wrong.Statuses.ShouldBe(["NetStream.Publish.Denied"]);

        var publisher = await edge.PublishAsync(name: "x?token=right");
        publisher.IsReady.ShouldBeTrue();
        using var source = new NumberedSource(publisher);
        var player = origin.Play();
        await Wait.Until(() => player.MediaCount > 50, "media at the origin");
        NumberedSource.ShouldMissNothing(player);

        await origin.DisposeAsync();
        await using var again = await TestNode.StartAsync(settings => settings with { Rtmp = new RtmpSettings { Listen = [new ListenEndpoint(IPAddress.Loopback, port)] } });
        var back = again.Play();
        await Wait.Until(() => back.MediaCount > 50, "media at the origin that has come back");
        publisher.HasEnded.ShouldBeFalse();
        back.Media.First(static tag => tag.Type == FlvTagType.Video).IsSequenceHeader.ShouldBeTrue();
        NumberedSource.ShouldMissNothing(back);
    }

    [Fact]
    public async Task An_origin_that_comes_back_and_lets_nobody_in_by_the_first_viewers_token_is_shown_the_newest()
    {
        var origin = await ProtectedAsync("old", TestPorts.Free());
        await using var edge = await EdgeAsync(null, UrlOf(origin, "rtmp"));
        var first = edge.Play(name: "x?token=old");
        using (new NumberedSource(await origin.PublishAsync()))
        {
            await Wait.Until(() => first.MediaCount > 30, "media");
            await origin.DisposeAsync();
        }

        await using var again = await ProtectedAsync("new", origin.Node.RtmpPort);
        using var source = new NumberedSource(await again.PublishAsync());
        await Wait.Until(() => again.Log.Containing("the token is wrong").Count > 0, "the first viewer's token does not do any more");
        var (seen, second) = (first.MediaCount, edge.Play(name: "x?token=new"));

        await Wait.Until(() => first.MediaCount > seen + 30 && second.MediaCount > 30, "media for both");
        (first.HasEnded, second.HasEnded).ShouldBe((false, false));
    }

    [Fact]
    public async Task What_is_published_is_forwarded_to_all_and_those_that_are_away_do_no_harm()
    {
        await using var first = await TestNode.StartAsync();
        await using var second = await TestNode.StartAsync();
        await using var node = await TestNode.StartAsync(settings => settings with
        {
            Cluster = settings.Cluster with { Node = "here" },
            Vhosts =
            [
                new VhostSettings
                {
                    Name = VhostSettings.DefaultName,
                    Forward = [$"rtmp://127.0.0.1:{first.Node.RtmpPort}/copy/{{name}}", $"millrace://127.0.0.1:{second.Node.RelayPort}", "rtmp://127.0.0.1:1"],
                },
            ],
        });
        var publisher = await node.PublishAsync(name: "x?token=mine");
        using (var source = new NumberedSource(publisher))
        {
            var players = new[] { first.Play("copy"), second.Play(), node.Play() };
            await Wait.Until(() => Array.TrueForAll(players, static player => player.MediaCount > 40), "media everywhere");
            foreach (var player in players)
                NumberedSource.ShouldMissNothing(player);
            node.Node.Context.Pushers.Forwards.Count().ShouldBe(3);
        }

        publisher.HasEnded.ShouldBeFalse();
        first.Log.Containing("mine").ShouldBeEmpty("the token is for this node");
    }

    [Fact]
    public async Task A_publisher_who_comes_while_a_forward_ends_is_forwarded()
    {
        await using var target = await TestNode.StartAsync();
        await using var node = await TestNode.StartAsync(settings => settings with
        {
            Vhosts = [new VhostSettings { Name = VhostSettings.DefaultName, Forward = [$"rtmp://127.0.0.1:{target.Node.RtmpPort}/copy/{{name}}"] }],
        });
        using var source = new NumberedSource(await node.PublishAsync());
        using var player = target.Play(app: "copy");
        await Wait.Until(() => player.MediaCount > 30, "media");

        // As it ends when the one before has gone: he is here already, and has found it running.
        node.Node.Context.Pushers.Forwards.Single().Stop("the stream has ended");
        var before = player.MediaCount;
        await Wait.Until(() => player.MediaCount > before + 60, "media goes on");
    }

    [Fact]
    public async Task Forwards_end_with_a_publisher_who_never_sent_anything()
    {
        await using var node = await TestNode.StartAsync(static settings => settings with { Vhosts = [new VhostSettings { Name = VhostSettings.DefaultName, Forward = ["rtmp://127.0.0.1:1"] }] });
        var publisher = await node.PublishAsync();
        node.Node.Context.Pushers.Forwards.Count().ShouldBe(1);
        publisher.Dispose();
        await Wait.Until(() => !node.Node.Context.Pushers.Forwards.Any(), "nothing is forwarded any more");
    }

    /// <param name="token">Without it nobody may play.</param>
    /// <param name="port">For RTMP.</param>
    private static Task<TestNode> ProtectedAsync(string token, int port) => TestNode.StartAsync(settings => settings with
    {
        Rtmp = new RtmpSettings { Listen = [new ListenEndpoint(IPAddress.Loopback, port)] },
        Vhosts = [new VhostSettings { Name = VhostSettings.DefaultName, Access = new AccessSettings { Play = AccessMode.Token, PlayTokens = [new Secret(token)] } }],
    });

    private static string UrlOf(TestNode node, string scheme) => scheme switch
    {
        "rtmp" => $"rtmp://127.0.0.1:{node.Node.RtmpPort}",
        "http" => $"http://127.0.0.1:{node.Node.HttpPort}",
        _ => $"millrace://127.0.0.1:{node.Node.RelayPort}",
    };

    private static Task<TestNode> EdgeAsync(Func<NodeSettings, NodeSettings>? change, params string[] origins) =>
        RelayNodes.StartAsync("edge", [string.Join(' ', origins)], change);

    private static int PlayersOf(TestNode node) => node.Node.Context.Sessions.All.Count(static session => session.Role == SessionRole.Player);
}
