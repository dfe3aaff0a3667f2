using Millrace.Node.Access;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;
using Millrace.Protocols.Rtmp;

namespace Millrace.Node.Tests.Access;

/// <summary>A foreign RTMP server decides by connect who may play and publish through an edge.</summary>
public sealed class AccessForeignTests
{
    [Fact]
    public async Task Its_word_at_connect_is_final_and_each_protocol_shows_it_what_the_client_has_shown()
    {
        using var server = new ConnectServer(static connect => connect.TcUrl.Contains("token=good", StringComparison.Ordinal) ? null : "go away");
        await using var edge = await EdgeAsync($"rtmp://127.0.0.1:{server.Port}");
        (await StatusOf(edge, "/live/x.flv")).ShouldBe(401);
        (await StatusOf(edge, "/live/x.flv?token=bad")).ShouldBe(403);
        (await StatusOf(edge, "/live/x/llhls.m3u8?token=bad")).ShouldBe(403);
        var bad = edge.Play(name: "x?token=bad");
        await Wait.Until(() => bad.HasEnded, "refused");
        bad.Statuses.ShouldBe(["NetStream.Play.Failed"]);
        (await edge.PublishAsync(name: "x?token=bad")).Statuses.ShouldBe(["NetStream.Publish.Denied"]);

        // Allowed, and then there is no stream: the server answers nothing but connect.
        _ = edge.Play(name: "x?token=good");
        await Wait.Until(() => edge.Node.Context.Access.Counters.AskedWith(AccessOutcome.Allowed) == 1, "a yes");

        server.Connects.ShouldContain(static connect => connect.App == "live?token=bad" && connect.TcUrl.EndsWith("/live?token=bad", StringComparison.Ordinal));
        edge.Log.Containing("token=").ShouldBeEmpty();
    }

    [Fact]
    public async Task It_is_told_what_an_rtmp_client_said_in_connect()
    {
        using var server = new ConnectServer(static _ => "no");
        await using var edge = await EdgeAsync($"rtmp://127.0.0.1:{server.Port}");
        var player = edge.Keep(new RtmpPeer(
            edge.OpenSocket(edge.Node.RtmpPort), $"rtmp://watch.example/live?sig=1&token=t", "live?sig=1&token=t", "x", isPublisher: false, isEnhanced: true));
        await Wait.Until(() => player.HasEnded, "refused");

        var connect = server.Connects.ShouldHaveSingleItem();
        connect.TcUrl.ShouldBe("rtmp://watch.example/live?sig=1&token=t");
        connect.App.ShouldBe("live?token=t");
    }

    [Fact]
    public async Task A_server_that_hangs_up_at_connect_has_said_no_and_one_that_is_not_there_has_not()
    {
        using var rude = new ConnectServer(static _ => "");
        using var kind = new ConnectServer(static _ => null);
        await using var edge = await EdgeAsync($"rtmp://127.0.0.1:{rude.Port} rtmp://127.0.0.1:{kind.Port}");
        (await StatusOf(edge, "/live/x.flv?token=a")).ShouldBe(403);
        kind.Connects.ShouldBeEmpty();

        await using var other = await EdgeAsync($"rtmp://127.0.0.1:{TestPorts.Free()} rtmp://127.0.0.1:{kind.Port}");
        _ = await StatusOf(other, "/live/x.flv?token=a");
        other.Node.Context.Access.Counters.AskedWith(AccessOutcome.Allowed).ShouldBe(1);
    }

    [Fact]
    public async Task A_server_that_dies_while_it_is_asked_again_puts_nobody_out()
    {
        string? word = null;
        using var server = new ConnectServer(_ => Volatile.Read(ref word));
        await using var edge = await EdgeAsync($"rtmp://127.0.0.1:{server.Port}", TimeSpan.FromMilliseconds(100));
        var counters = edge.Node.Context.Access.Counters;
        await StatusOf(edge, "/live/x.flv?token=a");
        counters.AskedWith(AccessOutcome.Allowed).ShouldBeGreaterThan(0);

        Volatile.Write(ref word, "");
        await Wait.Until(async () => await StatusOf(edge, "/live/x.flv?token=a") is var status && counters.AskedWith(AccessOutcome.Unavailable) > 0 && status != 403, "it hangs up once");
        await Wait.Until(async () => await StatusOf(edge, "/live/x.flv?token=a") == 403, "it hangs up again: that is its no");
        counters.AskedWith(AccessOutcome.Unavailable).ShouldBe(1);
    }

    [Fact]
    public async Task Many_questions_wait_for_each_other_and_all_are_answered()
    {
        using var server = new ConnectServer(static _ => "no");
        await using var edge = await EdgeAsync($"rtmp://127.0.0.1:{server.Port}");
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => StatusOf(edge, FormattableString.Invariant($"/live/x.flv?token={i}"))));
        answers.ShouldAllBe(static status => status == 403);
        server.MostAtOnce.ShouldBeLessThanOrEqualTo(32);
        edge.Node.Shards.Sum(static shard => shard.Faults).ShouldBe(0);
    }

    private static Task<TestNode> EdgeAsync(string origins, TimeSpan? accessCache = null) => TestNode.StartAsync(settings => settings with
    {
        Edge = settings.Edge with { StartTimeout = TimeSpan.FromMilliseconds(300), AccessRefusalCache = TimeSpan.FromMilliseconds(100), AccessCache = accessCache ?? settings.Edge.AccessCache },
        Vhosts = [new VhostSettings { Name = VhostSettings.DefaultName, Mode = VhostMode.Remote, Origin = [origins], TokenTraverse = true }],
    });

    private static async Task<int> StatusOf(TestNode node, string path)
    {
        using var answer = await node.Page.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        return (int)answer.StatusCode;
    }
}
