using System.Net;
using Millrace.Media.Flv;
using Millrace.Node.Relay;
using Millrace.Node.Sessions;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;
using Millrace.Streams;

namespace Millrace.Node.Tests.Relay;

/// <summary>Nodes that fetch streams from each other, and publish to each other.</summary>
public sealed class RelayNodeTests
{
    private static readonly StreamName Name = new("default", "live", "x");

    [Fact]
    public async Task Nothing_is_fetched_without_a_viewer_and_one_stream_once_for_all_of_them()
    {
        await using var origin = await TestNode.StartAsync();
        await using var edge = await RelayNodes.StartAsync("edge", [RelayNodes.OriginOf(origin)], settings => settings with { Edge = settings.Edge with { Linger = TimeSpan.FromMilliseconds(300) } });
        using var source = new NumberedSource(await origin.PublishAsync());
        await Wait.Until(() => source.Sent > 30, "a stream");
        RelaysOf(origin).ShouldBe(0);

        var players = Enumerable.Range(0, 8).Select(_ => edge.Play()).ToList();
        await Wait.Until(() => players.TrueForAll(static player => player.MediaCount > 60), "media for all of them");

        RelaysOf(origin).ShouldBe(1);
        origin.Log.Containing("relay relay").Count(line => line.Contains("opened", StringComparison.Ordinal)).ShouldBe(1);
        foreach (var player in players)
            NumberedSource.ShouldMissNothing(player);
        players.ForEach(static player => player.Dispose());
        await Wait.Until(() => RelaysOf(origin) == 0, "nobody watches any more");
        edge.Log.Containing("is fetched no more: nobody watches").Count.ShouldBe(1);
        await Wait.Until(() => edge.Node.Context.Registry.Find(Name) is null or { State: StreamState.Idle }, "the copy has gone");
    }

    [Fact]
    public async Task What_is_watched_goes_on_where_nothing_else_is_kept()
    {
        await using var origin = await TestNode.StartAsync();
        await using var edge = await RelayNodes.StartAsync("edge", [RelayNodes.OriginOf(origin)], settings => settings with { Edge = settings.Edge with { Linger = TimeSpan.Zero } });
        using var source = new NumberedSource(await origin.PublishAsync());
        await Wait.Until(() => source.Sent > 30, "a stream");

        var player = edge.Play();
        await Wait.Until(() => player.MediaCount > 100, "two seconds of media");

        NumberedSource.ShouldMissNothing(player);
        origin.Log.Containing("relay relay").Count(line => line.Contains("opened", StringComparison.Ordinal)).ShouldBe(1);
        player.Dispose();
        await Wait.Until(() => RelaysOf(origin) == 0, "nobody watches any more");
    }

    [Fact]
    public async Task A_viewer_begins_with_the_newest_key_frame_not_with_the_segment()
    {
        await using var origin = await TestNode.StartAsync();
        await using var edge = await RelayNodes.StartAsync("edge", origin);
        using var source = new NumberedSource(await origin.PublishAsync());
        await Wait.Until(() => source.Sent > 150, "three seconds");

        var player = edge.Play();
        await Wait.Until(() => player.MediaCount > 5, "media");

        var numbers = NumberedSource.NumbersOf(player);
        (numbers[0] % 20).ShouldBe(0);
        numbers[0].ShouldBeGreaterThanOrEqualTo(140);
    }

    [Fact]
    public async Task A_name_that_no_origin_knows_is_not_found_and_not_asked_for_again_at_once()
    {
        await using var origin = await TestNode.StartAsync();
        await using var edge = await RelayNodes.StartAsync("edge", [RelayNodes.OriginOf(origin)], settings => settings with { Edge = settings.Edge with { NegativeCache = TimeSpan.FromSeconds(30) } });
        for (var i = 0; i < 20; i++)
        {
            using var answer = await edge.Page.GetAsync(i % 2 == 0 ? "/live/x.flv" : "/live/x/llhls.m3u8", TestContext.Current.CancellationToken);
            answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        }

        origin.Log.Containing("relay relay").Count(line => line.Contains("opened", StringComparison.Ordinal)).ShouldBe(1);
        edge.Node.Context.Upstreams.CountMissing(NodeClock.Micros).ShouldBe(1);
    }

    [Fact]
    public async Task Names_that_are_made_up_are_asked_for_in_so_far_as_the_origin_answers()
    {
        using var silent = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var origin = await TestNode.StartAsync();
        await using var edge = await RelayNodes.StartAsync(
            "edge",
            [RelayNodes.OriginAt(((IPEndPoint)silent.LocalEndpoint).Port), RelayNodes.OriginOf(origin)],
            static settings => settings with { Edge = settings.Edge with { Pending = 3, ConnectTimeout = TimeSpan.FromMilliseconds(500) } });
        var asked = Enumerable.Range(0, 3).Select(i => edge.Page.GetAsync($"/live/{i}.flv", TestContext.Current.CancellationToken)).ToArray();
        await Wait.Until(() => edge.Node.Context.Upstreams.Count == 3, "three are asked for");

        foreach (var path in (string[])["/live/more/llhls.m3u8", "/live/more.flv"])
        {
            using var more = await edge.Page.GetAsync(path, TestContext.Current.CancellationToken);
            more.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable, path);
        }

        edge.Node.Context.Upstreams.Count.ShouldBe(3);
        foreach (var answer in await Task.WhenAll(asked))
            answer.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable, "the one that is silent may have it");
        await Wait.Until(() => edge.Node.Context.Upstreams.Count == 0, "they are asked for no more");
        await Wait.Until(
            async () =>
            {
                using var next = await edge.Page.GetAsync($"/live/{Guid.NewGuid():N}.flv", TestContext.Current.CancellationToken);
                return next.StatusCode == HttpStatusCode.NotFound;
            },
            "the silent one is left out meanwhile");
    }

    [Theory]
    [InlineData("/live/x.flv")]
    [InlineData("/live/x/llhls.m3u8")]
    [InlineData("/live/x.m3u8")]
    public async Task Where_no_origin_can_be_reached_a_viewer_is_told_to_come_again(string path)
    {
        await using var edge = await RelayNodes.StartAsync("edge", [RelayNodes.OriginAt(TestPorts.Free())], static settings => settings with { Edge = settings.Edge with { StartTimeout = TimeSpan.FromMilliseconds(500), NegativeCache = TimeSpan.FromSeconds(30) } });
        for (var i = 0; i < 2; i++)
        {
            using var answer = await edge.Page.GetAsync(path, TestContext.Current.CancellationToken);
            answer.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
            answer.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(1));
        }

        edge.Log.Containing("failed").ShouldBeEmpty();
    }

    [Fact]
    public async Task An_origin_that_does_not_answer_keeps_one_stream_waiting_not_the_next()
    {
        using var silent = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var hole = RelayNodes.OriginAt(((IPEndPoint)silent.LocalEndpoint).Port);
        await using var origin = await TestNode.StartAsync();
        await using var edge = await RelayNodes.StartAsync("edge", [hole, RelayNodes.OriginOf(origin)], null);
        using var source = new NumberedSource(await origin.PublishAsync(), await origin.PublishAsync(name: "y"));
        var first = edge.Play();
        await Wait.Until(() => first.MediaCount > 5, "media");
        edge.Log.Containing($"does not come from {hole}").Count.ShouldBe(1);

        var next = edge.Play(name: "y");
        await Wait.Until(() => next.MediaCount > 5, "media of the next");
        edge.Log.Containing($"does not come from {hole}").Count.ShouldBe(1, "it is known");
    }

    [Theory]
    [InlineData("millrace")]
    [InlineData("rtmp")]
    public async Task An_attempt_at_a_connection_ends_with_who_wanted_it(string scheme)
    {
        // Its backlog is full: whoever comes now hears nothing.
        using var full = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.InterNetwork, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        full.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        full.Listen(0);
        using var one = new System.Net.Sockets.TcpClient();
        one.Connect((IPEndPoint)full.LocalEndPoint!);
        var origin = FormattableString.Invariant($"{scheme}://127.0.0.1:{((IPEndPoint)full.LocalEndPoint!).Port}");
        await using var edge = await RelayNodes.StartAsync("edge", [origin], static settings => settings with
        {
            Edge = settings.Edge with { ConnectTimeout = TimeSpan.FromMinutes(5), StartTimeout = TimeSpan.FromMilliseconds(300) },
        });
        using var answer = await edge.Page.GetAsync("/live/x.flv", TestContext.Current.CancellationToken);
        answer.IsSuccessStatusCode.ShouldBeFalse();

        await Wait.Until(() => edge.Node.Context.Upstreams.Count == 0, "nobody waits any more");
        await Wait.Until(() => !edge.Node.Context.Sessions.All.Any(session => session.Protocol == (scheme == "rtmp" ? "rtmp" : "relay")), "the attempt is over");
    }

    [Fact]
    public async Task An_rtmp_player_that_was_there_first_is_served_when_the_publisher_comes()
    {
        await using var origin = await TestNode.StartAsync();
        await using var edge = await RelayNodes.StartAsync("edge", [RelayNodes.OriginOf(origin)], settings => settings with { Edge = settings.Edge with { NegativeCache = TimeSpan.FromMilliseconds(100) } });
        var player = edge.Play();
        await Wait.Until(() => edge.Log.Containing("is not live").Count > 2, "it is asked for again");
        using var source = new NumberedSource(await origin.PublishAsync());
        await Wait.Until(() => player.MediaCount > 30, "media");
    }

    [Fact]
    public async Task Playlists_that_are_asked_for_while_a_connection_is_being_made_are_asked_for_above_when_it_is()
    {
        await using var origin = await TestNode.StartAsync();
        using var line = new HeldLine(origin.Node.RelayPort);
        await using var edge = await RelayNodes.StartAsync("edge", [RelayNodes.OriginAt(line.Port)], static settings => settings with
        {
            Relay = settings.Relay with { Timeout = TimeSpan.FromMinutes(1) },
        });
        using var source = new NumberedSource(await origin.PublishAsync());
        var player = edge.Play();
        await Wait.Until(() => player.MediaCount > 60, "a copy");

        line.CutAndHold();
        await Wait.Until(() => line.IsHolding, "the next connection has asked for the stream");
        var asked = edge.Page.GetAsync("/live/x/llhls.m3u8", TestContext.Current.CancellationToken);
        await Wait.Until(() => edge.Node.Context.HlsAudience.Waiting > 0, "a viewer waits for playlists");
        asked.IsCompleted.ShouldBeFalse();
        line.LetGo();

        using var answer = await asked;
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Objects_from_before_a_node_joined_are_all_to_be_had_however_many_are_asked_for_at_once()
    {
        const int Segments = 50;
        await using var origin = await TestNode.StartAsync(static settings => settings with
        {
            Hls = settings.Hls with { Segment = TimeSpan.FromMilliseconds(100), Part = TimeSpan.FromMilliseconds(100), Segments = 10 * Segments, Warm = HlsWarm.Always },
        });
        using var source = new NumberedSource(5, [await origin.PublishAsync()]);
        string[] uris = [];
        await Wait.Until(async () => (uris = await SegmentsOf(origin)).Length >= Segments, "segments");

        await using var edge = await RelayNodes.StartAsync("edge", origin);
        var listed = await SegmentsOf(edge);
        listed[0].ShouldBe(uris[0]);
        var there = await Task.WhenAll(uris.Select(uri => edge.Page.GetByteArrayAsync("/live/x/" + uri, TestContext.Current.CancellationToken)));
        for (var i = 0; i < uris.Length; i++)
            there[i].ShouldBe(await origin.Page.GetByteArrayAsync("/live/x/" + uris[i], TestContext.Current.CancellationToken), uris[i]);

        static async Task<string[]> SegmentsOf(TestNode node)
        {
            var lists = await LinesOf("llhls.m3u8");
            return lists.Length > 0 ? await LinesOf(lists[0]) : [];

            async Task<string[]> LinesOf(string file)
            {
                using var answer = await node.Page.GetAsync($"/live/x/{file}", TestContext.Current.CancellationToken);
                var text = answer.IsSuccessStatusCode ? await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken) : "";
                return [.. text.Split('\n').Where(static line => line.Length > 0 && line[0] != '#')];
            }
        }
    }

    [Fact]
    public async Task A_publisher_at_an_edge_is_published_at_the_origin_and_plays_at_both()
    {
        await using var origin = await TestNode.StartAsync();
        await using var edge = await RelayNodes.StartAsync("edge", origin);
        await using var second = await RelayNodes.StartAsync("second", origin);
        using var source = new NumberedSource(await edge.PublishAsync());
        await Wait.Until(() => source.Sent > 30, "a stream");

        var players = new[] { edge, origin, second }.Select(static node => node.Play()).ToList();
        await Wait.Until(() => players.TrueForAll(static player => player.MediaCount > 60), "media at all of them");

        players.ForEach(NumberedSource.ShouldMissNothing);
        var timelines = new[] { edge, origin, second }.Select(static node => node.Node.Context.Registry.Find(Name)!.Timeline.Id).Distinct();
        timelines.Count().ShouldBe(1, "the node that has the publisher decides");
        edge.Node.Context.Upstreams.Count.ShouldBe(0, "its viewers are served there");
    }

    [Fact]
    public async Task A_publisher_whom_the_origin_refuses_is_refused_before_media_is_taken()
    {
        await using var origin = await TestNode.StartAsync(static settings => settings with { Publish = settings.Publish with { Token = new Secret("right") } });
        await using var edge = await RelayNodes.StartAsync("edge", origin);
        var wrong = await edge.PublishAsync(name: "x?token=wrong");
        await Wait.Until(() => wrong.HasEnded, "the verdict");
        wrong.IsReady.ShouldBeFalse();
        wrong.Statuses.ShouldBe(["NetStream.Publish.Denied"]);

        using var source = new NumberedSource(await edge.PublishAsync(name: "x?token=right"));
        var player = origin.Play();
        await Wait.Until(() => player.MediaCount > 10, "media at the origin");
        await Wait.Until(() => edge.Node.Context.Registry.Find(Name) is { State: StreamState.Live }, "live");

        var second = await edge.PublishAsync(name: "x?token=right");
        await Wait.Until(() => second.HasEnded, "the name is taken");
        second.Statuses.ShouldBe(["NetStream.Publish.BadName"]);
    }

    [Fact]
    public async Task Where_no_origin_can_be_reached_a_publisher_is_told_so()
    {
        await using var edge = await RelayNodes.StartAsync("edge", ["millrace://127.0.0.1:1"], null);
        var publisher = await edge.PublishAsync();
        await Wait.Until(() => publisher.HasEnded, "the verdict");
        publisher.Statuses.ShouldBe(["NetStream.Publish.BadName"]);
        edge.Node.Context.Pushers.All.Count().ShouldBe(0);
    }

    [Fact]
    public async Task Viewers_lose_nothing_when_the_next_origin_is_below_the_same_authority()
    {
        await using var authority = await TestNode.StartAsync();
        var first = await RelayNodes.StartAsync("first", authority);
        await using var second = await RelayNodes.StartAsync("second", authority);
        await using var edge = await RelayNodes.StartAsync("edge", first, second);
        using var source = new NumberedSource(await authority.PublishAsync());
        await Wait.Until(() => authority.Node.Context.Registry.Find(Name) is { State: StreamState.Live }, "or the second is asked at once");
        var player = edge.Play();
        await Wait.Until(() => player.MediaCount > 60, "media");

        edge.Node.Context.Upstreams.All.Single().Origin.ShouldBe(RelayNodes.OriginOf(first));
        await first.DisposeAsync();
        var before = player.MediaCount;
        await Wait.Until(() => player.MediaCount > before + 100, "media goes on");

        player.HasEnded.ShouldBeFalse();
        NumberedSource.ShouldMissNothing(player);
        edge.Node.Context.Registry.Find(Name)!.IsAuthority.ShouldBeFalse();
    }

    [Fact]
    public async Task Viewers_stay_when_the_next_origin_has_another_timeline()
    {
        var first = await TestNode.StartAsync();
        await using var second = await TestNode.StartAsync();
        await using var edge = await RelayNodes.StartAsync("edge", first, second);
        using var one = new NumberedSource(await first.PublishAsync());
        var player = edge.Play();
        await Wait.Until(() => player.MediaCount > 60, "media");
        using var other = new NumberedSource(await second.PublishAsync());

        edge.Node.Context.Upstreams.All.Single().Origin.ShouldBe(RelayNodes.OriginOf(first));
        await first.DisposeAsync();
        var before = player.MediaCount;
        await Wait.Until(() => player.MediaCount > before + 100, "media goes on");

        player.HasEnded.ShouldBeFalse();
        player.Statuses.ShouldNotContain("NetStream.Play.UnpublishNotify");
        var times = player.Media.Where(static tag => tag.Type == FlvTagType.Video && !tag.IsSequenceHeader).Select(static tag => tag.Time).ToList();
        times.ShouldBe([.. times.Order()], "monotonic");
        edge.Node.Context.Registry.Find(Name)!.IsAuthority.ShouldBeTrue();
    }

    [Fact]
    public async Task A_publisher_at_an_edge_stays_when_its_origin_goes()
    {
        var first = await TestNode.StartAsync();
        await using var second = await TestNode.StartAsync();
        await using var edge = await RelayNodes.StartAsync("edge", first, second);
        var publisher = await edge.PublishAsync();
        using var source = new NumberedSource(publisher);
        var local = edge.Play();
        await Wait.Until(() => local.MediaCount > 60 && first.Node.Context.Registry.Find(Name) is { State: StreamState.Live }, "media");

        await first.DisposeAsync();
        await Wait.Until(() => second.Node.Context.Registry.Find(Name) is { State: StreamState.Live, IsWaiting: false }, "the next origin has it");
        var player = second.Play();
        await Wait.Until(() => player.MediaCount > 50, "media at the next origin");

        publisher.HasEnded.ShouldBeFalse();
        NumberedSource.ShouldMissNothing(local);
        NumberedSource.ShouldMissNothing(player);
    }

    [Fact]
    public async Task A_refusal_is_not_taken_for_the_stream_that_was_lost()
    {
        var first = await TestNode.StartAsync();
        await using var second = await TestNode.StartAsync();
        await using var edge = await RelayNodes.StartAsync("edge", first, second);
        using var source = new NumberedSource(await first.PublishAsync());
        using var player = edge.Play();
        await Wait.Until(() => player.MediaCount > 60, "media");

        await first.DisposeAsync();
        await Wait.Until(() => edge.Log.Containing("is not live").Count > 3, "refusals");

        edge.Node.Context.Upstreams.TryFind(Name, out var puller).ShouldBeTrue();
        puller.IsFlowing.ShouldBeFalse();
        puller.Switches.ShouldBe(0);
        player.HasEnded.ShouldBeFalse();
    }

    [Fact]
    public async Task Viewers_follow_a_publisher_whom_another_node_sends_to_the_next_origin()
    {
        await using var first = await TestNode.StartAsync();
        await using var second = await TestNode.StartAsync();
        await using var near = await RelayNodes.StartAsync("near", first, second);
        await using var far = await RelayNodes.StartAsync("far", first, second);
        using var source = new NumberedSource(await near.PublishAsync());
        var player = far.Play();
        await Wait.Until(() => player.MediaCount > 60, "media");

        // As a line does that fails between those two alone.
        first.Node.Context.Sessions.All.Single(static session => session.Traffic is RelayConnection { Target: not null }).Kick!("a broken line");
        await Wait.Until(() => second.Node.Context.Registry.Find(Name) is { State: StreamState.Live }, "the next origin has it");
        var before = player.MediaCount;
        await Wait.Until(() => player.MediaCount > before + 100, "media goes on");

        player.HasEnded.ShouldBeFalse();
        NumberedSource.ShouldMissNothing(player);
        first.Node.Context.Registry.Find(Name).ShouldNotBeNull().IsOrphan.ShouldBeTrue();
    }

    [Fact]
    public async Task The_map_leads_to_the_node_that_has_the_stream_and_to_the_next_when_it_moves()
    {
        var first = await MappedAsync("map-first");
        await using var second = await MappedAsync("map-second");
        await using var third = await MappedAsync("map-third");
        using var missing = await third.Page.GetAsync("/live/mapped.flv", TestContext.Current.CancellationToken);
        missing.StatusCode.ShouldBe(HttpStatusCode.NotFound);

        using var source = new NumberedSource(await first.PublishAsync(name: "mapped"));
        var player = third.Play(name: "mapped");
        await Wait.Until(() => player.MediaCount > 60, "media");
        NumberedSource.ShouldMissNothing(player);
        third.Node.Context.Upstreams.All.Single().Origin.ShouldBe($"millrace://127.0.0.1:{first.Node.RelayPort}");

        await first.DisposeAsync();
        using var moved = new NumberedSource(await second.PublishAsync(name: "mapped"));
        var before = player.MediaCount;
        await Wait.Until(() => player.MediaCount > before + 60, "media goes on");
        player.HasEnded.ShouldBeFalse();
    }

    [Fact]
    public async Task The_map_leads_on_where_a_node_has_lost_who_publishes_to_it()
    {
        await using var first = await MappedAsync("map-first");
        await using var second = await MappedAsync("map-second");
        await using var far = await MappedAsync("map-far");
        await using var near = await RelayNodes.StartAsync("near", first, second);
        using var source = new NumberedSource(await near.PublishAsync(name: "wandering"));
        await Wait.Until(() => first.Node.Context.Registry.Streams.Any(static stream => stream.State == StreamState.Live), "the first has it");
        using var player = far.Play(name: "wandering");
        await Wait.Until(() => player.MediaCount > 60, "media");

        // As a line does that fails between those two alone.
        first.Node.Context.Sessions.All.Single(static session => session.Role == SessionRole.Relay && session.Agent == "near").Kick!("a broken line");
        await Wait.Until(() => far.Node.Context.Upstreams.All.Single().Origin == RelayNodes.OriginOf(second), "it comes from the second");
        var before = player.MediaCount;
        await Wait.Until(() => player.MediaCount > before + 60, "media goes on");
        NumberedSource.ShouldMissNothing(player);
    }

    [Fact]
    public async Task A_publisher_is_not_refused_because_a_viewer_has_asked_elsewhere()
    {
        await using var node = await MappedAsync("map-alone");
        var player = node.Play(name: "alone");
        await Wait.Until(() => node.Log.Containing("does not come from").Count > 0, "it is looked for");
        using var source = new NumberedSource(await node.PublishAsync(name: "alone"));
        await Wait.Until(() => player.MediaCount > 30, "media");
    }

    [Fact]
    public async Task A_loop_of_origins_is_refused()
    {
        await using var first = await TestNode.StartAsync(static settings => settings with { Cluster = settings.Cluster with { Node = "first" } });
        await using var second = await RelayNodes.StartAsync("second", first);
        await using var third = await RelayNodes.StartAsync("third", second);
        await using var looped = await RelayNodes.StartAsync("first", third);
        using var answer = await looped.Page.GetAsync("/live/x.flv", TestContext.Current.CancellationToken);
        answer.IsSuccessStatusCode.ShouldBeFalse();
    }

    /// <summary>A node that is origin and edge at once: the map says which.</summary>
    private static async Task<TestNode> MappedAsync(string id)
    {
        var port = TestPorts.Free();
        return await TestNode.StartAsync(settings => settings with
        {
            Cluster = new ClusterSettings { Node = id, Advertise = $"127.0.0.1:{port}" },
            Relay = new RelaySettings { Listen = [new ListenEndpoint(IPAddress.Loopback, port)] },
            Edge = settings.Edge with { NegativeCache = TimeSpan.FromMilliseconds(50), RetryMax = TimeSpan.FromMilliseconds(300) },
        });
    }

    private static int RelaysOf(TestNode node) => node.Node.Context.Sessions.All.Count(static session => session.Role == SessionRole.Relay);
}
