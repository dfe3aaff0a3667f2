using Millrace.Node.Cluster;
using Millrace.Node.Settings;
using Millrace.Streams;

namespace Millrace.Node.Tests.Cluster;

public sealed class MemoryOriginMapTests
{
    private static readonly StreamName X = new("default", "live", "x");

    private readonly MemoryOriginTable _table = new();

    [Fact]
    public async Task The_first_to_register_stands_and_the_next_follows_when_it_goes()
    {
        await using var first = Node("first");
        await using var second = Node("second");
        await using var edge = Node("edge");
        first.Register(X, "millrace://first.example:9000/default/live/x");
        second.Register(X, "millrace://second.example:9000/default/live/x");
        (await Find(edge)).ShouldBe("millrace://first.example:9000/default/live/x");
        (await Find(second)).ShouldBe("millrace://first.example:9000/default/live/x");
        (await Find(first)).ShouldBeNull("it is the node's own");
        (second.State.Registered, second.State.Candidates).ShouldBe((1, 1));

        first.Remove(X);

        (await Find(edge)).ShouldBe("millrace://second.example:9000/default/live/x");
        (second.State.Registered, second.State.Candidates).ShouldBe((1, 0));
        edge.State.Lookups.ShouldBe(2);
    }

    [Fact]
    public async Task A_node_that_stops_takes_everything_with_it_and_nothing_comes_after()
    {
        var origin = Node("origin");
        await using var edge = Node("edge");
        origin.Register(X, "millrace://origin.example:9000/default/live/x");
        (await edge.NodesAsync(default)).Select(node => node.Id).ShouldBe(["edge", "origin"]);

        await origin.DisposeAsync();
        origin.Register(X, "millrace://origin.example:9000/default/live/x");

        (await Find(edge)).ShouldBeNull();
        (await edge.NodesAsync(default)).Select(node => node.Id).ShouldBe(["edge"]);
        edge.State.Misses.ShouldBe(1);
    }

    private MemoryOriginMap Node(string id) => new(
        new ClusterSettings { Node = id, Advertise = $"{id}.example:9000" }, _table,
        () => new NodeStatus(id, "", "", DateTimeOffset.UnixEpoch, 0, 0, 0), TimeProvider.System);

    private static async Task<string?> Find(MemoryOriginMap map) => (await map.FindAsync(X, TestContext.Current.CancellationToken)).Url;
}
