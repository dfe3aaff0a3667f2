using System.Net;
using System.Net.Sockets;
using Millrace.Node.Sessions;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;
using Millrace.Streams;

namespace Millrace.Node.Tests.Relay;

/// <summary>An origin is left for a better one while it serves, and nobody misses a picture.</summary>
public sealed class FailbackTests
{
    private static readonly StreamName Name = new("default", "live", "x");

    [Fact]
    public async Task A_stream_goes_back_to_its_first_origin_when_that_has_it_again()
    {
        var port = TestPorts.Free();
        await using var authority = await RelayNodes.StartAsync("authority");
        var first = await AtAsync("first", port, authority);
        await using var second = await RelayNodes.StartAsync("second", authority);
        await using var edge = await RelayNodes.StartAsync("edge", [$"millrace://127.0.0.1:{port}", RelayNodes.OriginOf(second)], Returning);
        using var source = new NumberedSource(await authority.PublishAsync());
        using var player = edge.Play();
        await Wait.Until(() => player.MediaCount > 60 && NodeOf(edge) == "first", "media of the first");
        await first.DisposeAsync();
        await Wait.Until(() => NodeOf(edge) == "second", "the second origin serves");

        await using var again = await AtAsync("first", port, authority);
        await Wait.Until(() => NodeOf(edge) == "first", "the first serves again");
        var before = player.MediaCount;
        await Wait.Until(() => player.MediaCount > before + 60 && RelaysOf(second) == 0, "media goes on, and the second origin is left");

        NumberedSource.ShouldMissNothing(player);
        edge.Node.Context.Registry.Find(Name)!.IsAuthority.ShouldBeFalse();
    }

    [Fact]
    public async Task A_publisher_goes_back_and_the_viewers_of_another_edge_with_him()
    {
        var port = TestPorts.Free();
        var first = await AtAsync("first", port);
        await using var second = await RelayNodes.StartAsync("second");
        string[] origins = [$"millrace://127.0.0.1:{port}", RelayNodes.OriginOf(second)];
        await using var near = await RelayNodes.StartAsync("near", origins, Returning);
        await using var far = await RelayNodes.StartAsync("far", origins, Returning);
        var publisher = await near.PublishAsync();
        using var source = new NumberedSource(publisher);
        await Wait.Until(() => first.Node.Context.Registry.Find(Name) is { State: StreamState.Live }, "the first origin has it");
        using var player = far.Play();
        await Wait.Until(() => player.MediaCount > 60, "media");
        await first.DisposeAsync();
        await Wait.Until(() => NodeOf(far) == "second", "the second origin serves");

        await using var again = await AtAsync("first", port);
        await Wait.Until(() => NodeOf(far) == "first", "the first serves again");
        var before = player.MediaCount;
        await Wait.Until(() => player.MediaCount > before + 60, "media goes on");

        publisher.HasEnded.ShouldBeFalse();
        NumberedSource.ShouldMissNothing(player);
    }

    [Fact]
    public async Task Where_an_origin_has_lost_its_publishing_node_its_edges_find_the_stream_at_the_next()
    {
        await using var first = await RelayNodes.StartAsync("first");
        await using var second = await RelayNodes.StartAsync("second");
        await using var near = await RelayNodes.StartAsync("near", first, second);
        await using var far = await RelayNodes.StartAsync("far", first, second);
        await using var below = await RelayNodes.StartAsync("below", far, second);
        using var source = new NumberedSource(await near.PublishAsync());
        await Wait.Until(() => first.Node.Context.Registry.Find(Name) is { State: StreamState.Live }, "the first origin has it");
        RtmpPeer[] players = [far.Play(), below.Play()];
        await Wait.Until(() => Array.TrueForAll(players, static player => player.MediaCount > 60), "media");

        // Only the link between the publishing edge and the origin goes; those to the viewers' edges are well.
        first.Node.Context.Sessions.All.Single(static session => session.Role == SessionRole.Relay && session.Agent == "near").Kick!("a link that breaks");
        await Wait.Until(() => NodeOf(far) == "second", "it comes from the second origin");
        var before = players[1].MediaCount;
        await Wait.Until(() => players[1].MediaCount > before + 60, "media goes on");

        foreach (var player in players)
            NumberedSource.ShouldMissNothing(player);
    }

    private static NodeSettings Returning(NodeSettings settings) => settings with { Edge = settings.Edge with { Failback = TimeSpan.FromMilliseconds(300) } };

    private static Task<TestNode> AtAsync(string id, int port, params TestNode[] origins) => RelayNodes.StartAsync(
        id, Array.ConvertAll(origins, RelayNodes.OriginOf), settings => settings with { Relay = settings.Relay with { Listen = [new ListenEndpoint(IPAddress.Loopback, port)] } });

    private static string? NodeOf(TestNode edge) =>
        edge.Node.Context.Upstreams.TryFind(Name, out var puller) && puller.IsFlowing ? puller.Connection?.Protocol.PeerNode : null;

    private static int RelaysOf(TestNode node) => node.Node.Context.Sessions.All.Count(static session => session.Role == SessionRole.Relay && session.Agent == "edge");
}
