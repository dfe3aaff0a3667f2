using System.Net;
using Millrace.Node.Access;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;
using Millrace.Node.Tests.Relay;
using Millrace.Streams;

namespace Millrace.Node.Tests.Access;

/// <summary>Edges that leave it to their origin who may play and publish.</summary>
public sealed class AccessTraverseTests
{
    private static readonly AccessSettings Protected = new()
    {
        Play = AccessMode.Token,
        PlayTokens = [new Secret("view"), new Secret("second")],
        Publish = AccessMode.Token,
        PublishTokens = [new Secret("push")],
    };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Through_one_edge_and_two_the_origin_decides_for_every_protocol(int levels)
    {
        await using var origin = await OriginAsync(Protected);
        await using var first = await EdgeAsync("edge-1", origin);
        await using var second = levels > 1 ? await EdgeAsync("edge-2", first) : null;
        var edge = second ?? first;
        await using var source = new Publication(await origin.PublishAsync(name: "x?token=push"));
        await source.LiveAsync(origin);

        var good = edge.Play(name: "x?token=view");
        await Wait.Until(() => good.MediaCount > 5, "media");
        foreach (var name in (string[])["x", "x?token=push"])
        {
            var bad = edge.Play(name: name);
            await Wait.Until(() => bad.HasEnded, "refused");
            (bad.Statuses[^1], bad.MediaCount).ShouldBe(("NetStream.Play.Failed", 0));
        }

        foreach (var path in (string[])["/live/x.flv", "/live/x/llhls.m3u8", "/live/x.m3u8"])
        {
            (await StatusOf(edge, path)).ShouldBe(401, path);
            (await StatusOf(edge, path + "?token=wrong")).ShouldBe(403, path);
            (await StatusOf(edge, path + "?token=second")).ShouldBe(200, path);
        }

        (await edge.PublishAsync(name: "y?token=view")).Statuses.ShouldBe(["NetStream.Publish.Denied"]);
        (await edge.PublishAsync(name: "y?token=push")).IsReady.ShouldBeTrue();
        foreach (var node in (TestNode[])[origin, first, edge])
            node.Log.Containing("token=").ShouldBeEmpty();
        edge.Node.Shards.Sum(static shard => shard.Faults).ShouldBe(0);
    }

    [Fact]
    public async Task Nothing_is_fetched_for_one_who_may_not_watch()
    {
        await using var origin = await OriginAsync(Protected);
        await using var edge = await EdgeAsync("edge", origin);
        await using var source = new Publication(await origin.PublishAsync(name: "x?token=push"));
        await source.LiveAsync(origin);
        foreach (var path in (string[])["/live/x.flv?token=wrong", "/live/x/llhls.m3u8?token=wrong"])
            (await StatusOf(edge, path)).ShouldBe(403);
        var bad = edge.Play(name: "x?token=wrong");
        await Wait.Until(() => bad.HasEnded, "refused");

        edge.Node.Context.Upstreams.Counters.Attempts.ShouldBe(0);
        origin.Node.Context.Sessions.All.Count(static session => session.Protocol == "relay").ShouldBe(0);
    }

    [Fact]
    public async Task A_thousand_viewers_with_one_token_are_one_question_and_one_connection()
    {
        await using var origin = await OriginAsync(Protected);
        await using var edge = await EdgeAsync("edge", origin, settings => settings with { Edge = settings.Edge with { AccessCache = TimeSpan.FromMinutes(1) } });
        await using var source = new Publication(await origin.PublishAsync(name: "x?token=push"));
        await source.LiveAsync(origin);

        var clients = Enumerable.Range(0, 1_000).Select(_ => edge.OpenHttp()).ToList();
        for (var i = 0; i < clients.Count; i++)
            clients[i].Send(RawHttp.Get(FormattableString.Invariant($"/live/x.flv?token=view&viewer={i}")));
        clients.ForEach(static client => client.ReadHead().Status.ShouldBe(200));

        edge.Node.Context.Access.Counters.AskedWith(AccessOutcome.Allowed).ShouldBe(1);
        edge.Node.Context.Access.Inquiries.LinkCount.ShouldBe(1);
    }

    [Fact]
    public async Task A_thousand_viewers_with_a_token_each_are_asked_for_by_one_connection()
    {
        const int Tokens = 1_000;
        await using var origin = await OriginAsync(Protected with { PlayTokens = [.. Enumerable.Range(0, Tokens).Select(static i => new Secret($"{i:D100}"))] });
        await using var edge = await EdgeAsync("edge", origin);
        await using var source = new Publication(await origin.PublishAsync(name: "x?token=push"));
        await source.LiveAsync(origin);

        var clients = Enumerable.Range(0, Tokens).Select(_ => edge.OpenHttp()).ToList();
        for (var i = 0; i < Tokens; i++)
            clients[i].Send(RawHttp.Get($"/live/x.flv?token={i:D100}"));
        clients.ForEach(static client => client.ReadHead().Status.ShouldBe(200));

        edge.Node.Context.Access.Counters.AskedWith(AccessOutcome.Allowed).ShouldBe(Tokens);
        edge.Node.Context.Access.Counters.AskedWith(AccessOutcome.Unavailable).ShouldBe(0);
        origin.Log.Containing("rtmp-access").ShouldBeEmpty();
        edge.Node.Context.Access.Inquiries.LinkCount.ShouldBe(1);
    }

    [Fact]
    public async Task Viewers_whose_token_is_withdrawn_are_let_go_when_the_verdict_runs_out_and_others_stay()
    {
        var port = TestPorts.Free();
        await using var edge = await EdgeAsync("edge", FormattableString.Invariant($"millrace://127.0.0.1:{port}"), Brief);
        var origin = await OriginAsync(Protected, port);
        await using var flows = await EdgeSourceAsync(edge);
        var (gone, stays) = (edge.Play(name: "x?token=view"), edge.Play(name: "x?token=second"));
        var flv = edge.OpenHttp();
        flv.Send(RawHttp.Get("/live/x.flv?token=view"));
        flv.ReadHead().Status.ShouldBe(200);
        var kestrel = edge.OpenHttp();
        kestrel.Send(RawHttp.Get("http://localhost/live/x.flv?token=view"));
        kestrel.ReadHead().Status.ShouldBe(200);
        (await StatusOf(edge, "/live/x/llhls.m3u8?token=view")).ShouldBe(200);
        await Wait.Until(() => gone.MediaCount > 5 && stays.MediaCount > 5, "media");

        await origin.DisposeAsync();
        await using var changed = await OriginAsync(Protected with { PlayTokens = [new Secret("second")] }, port);
        await Wait.Until(() => gone.HasEnded, "the viewer is let go");
        gone.Statuses[^1].ShouldBe("NetStream.Play.Failed");
        flv.ReadToEnd();
        kestrel.ReadToEnd();
        await Wait.Until(async () => await StatusOf(edge, "/live/x/llhls.m3u8?token=view") == 403, "HLS too");

        var seen = stays.MediaCount;
        await Wait.Until(() => stays.MediaCount > seen + 50, "the other goes on");
        stays.HasEnded.ShouldBeFalse();
        // On Kestrel the connection ends before its session does.
        await Wait.Until(() => edge.Log.Containing("may play no more: the token is wrong").Count >= 3, "the closing lines");
        edge.Log.Containing("may play no more: the token is wrong").Count.ShouldBe(3);
    }

    [Fact]
    public async Task While_the_origin_is_away_who_is_in_stays_and_who_is_new_is_refused()
    {
        var port = TestPorts.Free();
        await using var edge = await EdgeAsync("edge", FormattableString.Invariant($"millrace://127.0.0.1:{port}"), Brief);
        var origin = await OriginAsync(Protected, port);
        await using var flows = await EdgeSourceAsync(edge);
        var player = edge.Play(name: "x?token=view");
        await Wait.Until(() => player.MediaCount > 5, "media");

        await origin.DisposeAsync();
        var access = edge.Node.Context.Access;
        await Wait.Until(() => access.Counters.AskedWith(AccessOutcome.Unavailable) > 5, "the verdict has run out several times");
        var seen = player.MediaCount;
        await Wait.Until(() => player.MediaCount > seen + 10, "media");
        (await StatusOf(edge, "/live/x.flv?token=second")).ShouldBe(503);
        (await StatusOf(edge, "/live/x/llhls.m3u8?token=second")).ShouldBe(503);
        (await StatusOf(edge, "/live/x/llhls.m3u8?token=view")).ShouldBe(200);
        var late = edge.Play(name: "x?token=second");
        await Wait.Until(() => late.HasEnded, "refused");
        late.Statuses.ShouldBe(["NetStream.Play.Failed"]);
    }

    [Fact]
    public async Task After_edge_give_up_without_an_origin_nobody_may_any_more()
    {
        var port = TestPorts.Free();
        await using var edge = await EdgeAsync(
            "edge", FormattableString.Invariant($"millrace://127.0.0.1:{port}"), settings => Brief(settings) with { Edge = Brief(settings).Edge with { GiveUp = TimeSpan.FromMilliseconds(500) } });
        var origin = await OriginAsync(Protected, port);
        await using var flows = await EdgeSourceAsync(edge);
        var player = edge.Play(name: "x?token=view");
        await Wait.Until(() => player.MediaCount > 5, "media");

        await origin.DisposeAsync();
        await Wait.Until(() => player.HasEnded, "the viewer is let go");
        await Wait.Until(() => edge.Log.Containing("may play no more: nobody can be asked whether that is allowed").Count == 1, "the closing line");
    }

    [Fact]
    public async Task The_next_origin_is_asked_only_where_the_one_before_cannot_be_reached()
    {
        await using var strict = await OriginAsync(Protected with { PlayTokens = [new Secret("strict")] });
        await using var lenient = await OriginAsync(Protected with { PlayTokens = [new Secret("lenient")] });
        await using var source = new Publication(await lenient.PublishAsync(name: "x?token=push"));
        await source.LiveAsync(lenient);
        var (down, up) = (FormattableString.Invariant($"millrace://127.0.0.1:{TestPorts.Free()}"), RelayNodes.OriginOf(lenient));
        await using var edge = await EdgeAsync("edge", $"{down} {RelayNodes.OriginOf(strict)} {up}");

        (await StatusOf(edge, "/live/x.flv?token=lenient")).ShouldBe(403);
        await using var other = await EdgeAsync("other", $"{down} {up}");
        (await StatusOf(other, "/live/x.flv?token=lenient")).ShouldBe(200);
    }

    [Fact]
    public async Task A_node_that_does_not_answer_is_no_yes()
    {
        using var deaf = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        deaf.Start();
        await using var edge = await EdgeAsync("edge", $"millrace://{deaf.LocalEndpoint}", static settings =>
            settings with { Edge = settings.Edge with { AccessTimeout = TimeSpan.FromMilliseconds(200) } });
        foreach (var path in (string[])["/live/x.flv?token=view", "/live/x/llhls.m3u8?token=view"])
            (await StatusOf(edge, path)).ShouldBe(503, path);
        var player = edge.Play(name: "x?token=view");
        await Wait.Until(() => player.HasEnded, "refused");
        (await edge.PublishAsync(name: "y?token=push")).Statuses.ShouldBe(["NetStream.Publish.Denied"]);
        edge.Log.Containing("no origin has said in time whether that is allowed").ShouldNotBeEmpty();
    }

    [Fact]
    public async Task Whoever_waits_for_a_verdict_gets_no_media_by_turning_tracks_on_and_off()
    {
        var port = TestPorts.Free();
        await using var edge = await EdgeAsync("edge", FormattableString.Invariant($"millrace://127.0.0.1:{port}"));
        var origin = await OriginAsync(Protected, port);
        await using var flows = await EdgeSourceAsync(edge);
        await origin.DisposeAsync();
        using var deaf = new System.Net.Sockets.TcpListener(IPAddress.Loopback, port);
        deaf.Start();

        var player = edge.Play(name: "x?token=view");
        await Wait.Until(() => edge.Node.Context.Access.Verdicts.Pending > 0, "the verdict is waited for");
        foreach (var isOn in (bool[])[false, true])
            player.SendCommand("receiveAudio", amf => amf.Boolean(isOn));
        player.SendCommand("pause", static amf => amf.Boolean(true));
        player.SendCommand("pause", static amf => amf.Boolean(false));

        await Wait.Until(() => player.HasEnded, "refused");
        (player.Statuses[^1], player.MediaCount).ShouldBe(("NetStream.Play.Failed", 0));
    }

    [Fact]
    public async Task Two_edges_that_ask_each_other_refuse()
    {
        var port = TestPorts.Free();
        await using var one = await EdgeAsync("one", FormattableString.Invariant($"millrace://127.0.0.1:{port}"));
        await using var two = await EdgeAsync("two", RelayNodes.OriginOf(one), settings => At(settings, port));
        (await StatusOf(one, "/live/x.flv?token=view")).ShouldBe(503);
        one.Node.Shards.Concat(two.Node.Shards).Sum(static shard => shard.Faults).ShouldBe(0);
    }

    [Fact]
    public async Task Where_the_clusters_map_says_who_has_the_stream_that_node_decides()
    {
        var port = TestPorts.Free();
        var advertise = FormattableString.Invariant($"127.0.0.1:{port}");
        await using var origin = await TestNode.StartAsync(settings => At(settings, port) with
        {
            Cluster = new ClusterSettings { Node = "mapped-origin", Advertise = advertise },
            Vhosts = [new VhostSettings { Name = VhostSettings.DefaultName, Access = Protected }],
        });
        var edgePort = TestPorts.Free();
        await using var edge = await TestNode.StartAsync(settings => At(settings, edgePort) with
        {
            Cluster = new ClusterSettings { Node = "mapped-edge", Advertise = FormattableString.Invariant($"127.0.0.1:{edgePort}") },
            Vhosts = [new VhostSettings { Name = VhostSettings.DefaultName, Mode = VhostMode.Remote, TokenTraverse = true }],
        });
        // Another name than in other tests: the map is that of the process.
        await using var source = new Publication(await origin.PublishAsync(name: "mapped?token=push"));
        await Wait.Until(async () => await StatusOf(edge, "/live/mapped.flv?token=view") == 200, "the map knows it");
        (await StatusOf(edge, "/live/mapped.flv?token=wrong")).ShouldBe(403);
        (await StatusOf(edge, "/live/nobody.flv?token=view")).ShouldBe(503);
    }

    [Fact]
    public async Task An_edge_that_knows_its_origin_by_the_map_alone_lets_nobody_new_in_when_that_has_gone()
    {
        var (origin, edge) = await MappedAsync("lost", new AccessSettings());
        await using var kept = edge;
        var source = new Publication(await origin.PublishAsync(name: "lost?token=push"));
        await Wait.Until(async () => await StatusOf(edge, "/live/lost.flv?token=view") == 200, "the map knows it");
        var watching = edge.Play(name: "lost?token=view");
        await Wait.Until(() => watching.MediaCount > 5, "media");
        await source.DisposeAsync();
        await origin.DisposeAsync();

        var stream = edge.Node.Context.Registry.Find(new StreamName("default", "live", "lost")).ShouldNotBeNull();
        foreach (var path in (string[])["/live/lost.flv", "/live/lost/llhls.m3u8", "/live/lost.flv?token=other"])
            (await StatusOf(edge, path)).ShouldBe(503, path);
        stream.State.ShouldNotBe(StreamState.Idle, "who watches goes on with it");
    }

    [Fact]
    public async Task Where_there_is_only_a_map_the_edges_own_tokens_decide_who_publishes_and_without_them_nobody_may()
    {
        var (origin, edge) = await MappedAsync("new", new AccessSettings());
        var (otherOrigin, guarded) = await MappedAsync("guarded", Protected with { Play = AccessMode.Open, PlayTokens = [] });
        await using var first = origin;
        await using var open = edge;
        await using var second = otherOrigin;
        await using var closed = guarded;
        foreach (var name in (string[])["new", "new?token=push"])
            (await edge.PublishAsync(name: name)).Statuses.ShouldBe(["NetStream.Publish.Denied"]);
        (await guarded.PublishAsync(name: "new")).Statuses.ShouldBe(["NetStream.Publish.Denied"]);

        await using var source = new Publication(await guarded.PublishAsync(name: "x?token=push"));
        source.Publisher.IsReady.ShouldBeTrue();
        await source.LiveAsync(guarded);
        (await StatusOf(guarded, "/live/x.flv?token=any")).ShouldBe(200, "it is published here");
    }

    /// <summary>An origin that is found by the map alone, and an edge with settings of its own besides.</summary>
    private static async Task<(TestNode Origin, TestNode Edge)> MappedAsync(string id, AccessSettings edgeAccess)
    {
        var (originPort, edgePort) = (TestPorts.Free(), TestPorts.Free());
        var origin = await TestNode.StartAsync(settings => At(settings, originPort) with
        {
            Cluster = new ClusterSettings { Node = $"{id}-origin", Advertise = FormattableString.Invariant($"127.0.0.1:{originPort}") },
            Vhosts = [new VhostSettings { Name = VhostSettings.DefaultName, Access = Protected }],
        });
        var edge = await TestNode.StartAsync(settings => At(settings, edgePort) with
        {
            Cluster = new ClusterSettings { Node = $"{id}-edge", Advertise = FormattableString.Invariant($"127.0.0.1:{edgePort}") },
            Vhosts = [new VhostSettings { Name = VhostSettings.DefaultName, Mode = VhostMode.Remote, TokenTraverse = true, Access = edgeAccess }],
        });
        return (origin, edge);
    }

    /// <summary>Published at the edge, so that its viewers have media whatever becomes of the origin.</summary>
    private static async Task<Publication> EdgeSourceAsync(TestNode edge)
    {
        var source = new Publication(await edge.PublishAsync(name: "x?token=push"));
        source.Publisher.IsReady.ShouldBeTrue();
        await source.LiveAsync(edge);
        return source;
    }

    private static NodeSettings Brief(NodeSettings settings) => settings with
    {
        Edge = settings.Edge with { AccessCache = TimeSpan.FromMilliseconds(300), AccessRefusalCache = TimeSpan.FromMilliseconds(100) },
    };

    private static NodeSettings At(NodeSettings settings, int relayPort) => relayPort == 0 ? settings : settings with
    {
        Relay = settings.Relay with { Listen = [new ListenEndpoint(IPAddress.Loopback, relayPort)] },
    };

    private static Task<TestNode> OriginAsync(AccessSettings access, int relayPort = 0) => TestNode.StartAsync(settings => At(settings, relayPort) with
    {
        Cluster = settings.Cluster with { Node = "origin" },
        Vhosts = [new VhostSettings { Name = VhostSettings.DefaultName, Access = access }],
    });

    private static Task<TestNode> EdgeAsync(string id, TestNode origin, Func<NodeSettings, NodeSettings>? change = null) => EdgeAsync(id, RelayNodes.OriginOf(origin), change);

    private static Task<TestNode> EdgeAsync(string id, string origins, Func<NodeSettings, NodeSettings>? change = null) => TestNode.StartAsync(settings => (change?.Invoke(settings) ?? settings) with
    {
        Cluster = settings.Cluster with { Node = id },
        Vhosts = [new VhostSettings { Name = VhostSettings.DefaultName, Mode = VhostMode.Remote, Origin = [origins], TokenTraverse = true }],
    });

    private static async Task<int> StatusOf(TestNode node, string path)
    {
        using var answer = await node.Page.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        return (int)answer.StatusCode;
    }
}
