using Millrace.Node.Relay;
using Millrace.Node.Sessions;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;
using Millrace.Streams;

namespace Millrace.Node.Tests.Relay;

/// <summary>Nodes that list each other as origins, behind one that they share: none takes for the stream what it has sent itself.</summary>
public sealed class SiblingTests
{
    private static readonly StreamName Name = new("default", "live", "x");

    private readonly int _origin = TestPorts.Free();

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Siblings_that_lose_their_origin_together_have_the_stream_again_when_it_is_back(int count)
    {
        var origin = await RelayNodes.StartAsync("origin", _origin, []);
        var siblings = await SiblingsAsync(count);
        var source = new NumberedSource(await origin.PublishAsync());
        var players = Array.ConvertAll(siblings, static sibling => sibling.Play());
        await Wait.Until(() => Array.TrueForAll(players, static player => player.MediaCount > 60), "media");

        source.Dispose();
        await origin.DisposeAsync();
        await Wait.Until(() => Array.TrueForAll(siblings, static sibling => HasAskedSibling(sibling)), "they ask each other");
        await Wait.Until(() => !Array.Exists(siblings, IsFlowing), "none takes the other for the stream");

        await using var again = await RelayNodes.StartAsync("origin", _origin, []);
        using var second = new NumberedSource(await again.PublishAsync());
        var before = Array.ConvertAll(players, static player => player.MediaCount);
        await Wait.Until(() => players.Index().All(player => player.Item.MediaCount > before[player.Index] + 30), "media for all of them");
        await StopAsync(siblings);
    }

    [Fact]
    public async Task One_that_has_come_to_a_sibling_before_is_not_asked_by_it_when_that_loses_the_origin()
    {
        var origin = await RelayNodes.StartAsync("origin", _origin, []);
        var siblings = await SiblingsAsync(2);
        var source = new NumberedSource(await origin.PublishAsync());
        var players = Array.ConvertAll(siblings, static sibling => sibling.Play());
        await Wait.Until(() => Array.TrueForAll(players, static player => player.MediaCount > 60), "media");
        // As a line does that fails between those two alone.
        PullerOf(siblings[0]).Connection!.SayFarewell("a broken line", mayReturn: false);
        await Wait.Until(() => IsFlowing(siblings[0]) && PullerOf(siblings[0]).Above is ["sibling1", "origin"], "it comes by the sibling");

        source.Dispose();
        await origin.DisposeAsync();
        await Wait.Until(() => siblings[1].Log.Containing("a loop").Count > 0, "the sibling has it from there");
        await Wait.Until(() => !Array.Exists(siblings, IsFlowing), "none takes the other for the stream");

        await using var again = await RelayNodes.StartAsync("origin", _origin, []);
        using var second = new NumberedSource(await again.PublishAsync());
        var before = Array.ConvertAll(players, static player => player.MediaCount);
        await Wait.Until(() => players.Index().All(player => player.Item.MediaCount > before[player.Index] + 30), "media for both");
        await StopAsync(siblings);
    }

    [Fact]
    public async Task Siblings_without_an_origin_let_go_of_each_other()
    {
        var origin = await RelayNodes.StartAsync("origin", _origin, []);
        var siblings = await SiblingsAsync(2);
        using var source = new NumberedSource(await origin.PublishAsync());
        var players = Array.ConvertAll(siblings, static sibling => sibling.Play());
        await Wait.Until(() => Array.TrueForAll(players, static player => player.MediaCount > 60), "media");

        source.Dispose();
        await origin.DisposeAsync();
        await Wait.Until(() => Array.TrueForAll(siblings, static sibling => HasAskedSibling(sibling)), "they ask each other");
        Array.ForEach(players, static player => player.Dispose());

        await Wait.Until(() => Array.TrueForAll(siblings, static sibling => sibling.Node.Context.Upstreams.Count == 0), "nothing is fetched any more");
        await StopAsync(siblings);
    }

    [Fact]
    public async Task A_way_that_becomes_a_circle_is_told_down_it()
    {
        var (last, middle) = (TestPorts.Free(), TestPorts.Free());
        var origin = await RelayNodes.StartAsync("origin", _origin, []);
        // Each has asked before the one below it, so that no Hello has the whole circle.
        await using var top = await RelayNodes.StartAsync("top", 0, [RelayNodes.OriginAt(_origin), RelayNodes.OriginAt(last)], Short);
        await using var second = await RelayNodes.StartAsync("second", middle, [RelayNodes.OriginAt(_origin), RelayNodes.OriginOf(top)], Short);
        await using var third = await RelayNodes.StartAsync("third", last, [RelayNodes.OriginAt(middle)], Short);
        using var source = new NumberedSource(await origin.PublishAsync());
        await Wait.Until(() => origin.Node.Context.Registry.Find(Name) is { State: StreamState.Live }, "or the top asks the last, and has the circle from the first");
        TestNode[] nodes = [top, second, third];
        foreach (var node in nodes)
        {
            var player = node.Play();
            await Wait.Until(() => player.MediaCount > 30, "media");
        }

        PullerOf(second).Connection!.SayFarewell("a broken line", mayReturn: false);
        await Wait.Until(() => PullerOf(third).Above is ["second", "top", "origin"], "the last is told of the way");

        source.Dispose();
        await origin.DisposeAsync();
        await Wait.Until(() => top.Log.Containing("a loop").Count > 0, "the first sees itself");
        await Wait.Until(() => !Array.Exists(nodes, IsFlowing), "nobody takes it for the stream");
    }

    private static NodeSettings Short(NodeSettings settings) => settings with
    {
        Edge = settings.Edge with { Linger = TimeSpan.FromMilliseconds(300), RetryMax = TimeSpan.FromMilliseconds(500) },
    };

    private static RelayPuller PullerOf(TestNode node) => node.Node.Context.Upstreams.TryFind(Name, out var puller) ? puller : throw new InvalidOperationException("nothing is fetched");

    private static bool IsFlowing(TestNode node) => node.Node.Context.Upstreams.TryFind(Name, out var puller) && puller.IsFlowing;

    private static bool HasAskedSibling(TestNode node) =>
        node.Node.Context.Sessions.All.Any(static session => session.Role == SessionRole.Relay && session.Agent.StartsWith("sibling", StringComparison.Ordinal))
        || node.Log.Containing("a loop").Count > 0;

    private static async Task StopAsync(TestNode[] siblings)
    {
        foreach (var sibling in siblings)
            await sibling.DisposeAsync();
    }

    /// <summary>Each asks the origin first, and the next of the circle when that is of no use.</summary>
    private async Task<TestNode[]> SiblingsAsync(int count)
    {
        var ports = Enumerable.Range(0, count).Select(static _ => TestPorts.Free()).ToArray();
        return await Task.WhenAll(Enumerable.Range(0, count).Select(number => RelayNodes.StartAsync(
            $"sibling{number}", ports[number], [RelayNodes.OriginAt(_origin), RelayNodes.OriginAt(ports[(number + 1) % count])], Short)));
    }
}
