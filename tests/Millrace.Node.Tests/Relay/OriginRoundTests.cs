using System.Net;
using Millrace.Node.Relay;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;
using Millrace.Streams;

namespace Millrace.Node.Tests.Relay;

/// <summary>Which origins are asked, and which are not, when those before are of no use.</summary>
public sealed class OriginRoundTests
{
    private static readonly StreamName Name = new("default", "live", "x");

    [Fact]
    public async Task One_that_has_failed_lately_is_asked_again_without_a_pause_when_the_others_are_of_no_use()
    {
        await using var first = await RelayNodes.StartAsync("first");
        var second = await RelayNodes.StartAsync("second", first);
        await using var empty = await RelayNodes.StartAsync("empty");
        await using var edge = await RelayNodes.StartAsync("edge", [RelayNodes.OriginOf(first), RelayNodes.OriginOf(second), RelayNodes.OriginOf(empty)], Patient);
        using var source = new NumberedSource(await first.PublishAsync());
        await Wait.Until(() => first.Node.Context.Registry.Find(Name) is { State: StreamState.Live }, "or the second is asked at once");
        var player = edge.Play();
        await Wait.Until(() => player.MediaCount > 30, "media");
        PullerOf(edge).Connection!.SayFarewell("a broken line", mayReturn: false);
        await Wait.Until(() => PullerOf(edge) is { IsFlowing: true, Above: ["second", "first"] }, "it comes by the second");

        await second.DisposeAsync();

        await Wait.Until(() => PullerOf(edge) is { IsFlowing: true, Above: ["first"] }, "it comes from the first again");
        var before = player.MediaCount;
        await Wait.Until(() => player.MediaCount > before + 60, "media goes on");
        NumberedSource.ShouldMissNothing(player);
    }

    [Fact]
    public async Task A_missing_name_is_not_asked_for_at_an_origin_that_cannot_be_reached()
    {
        var gone = RelayNodes.OriginAt(TestPorts.Free());
        await using var empty = await RelayNodes.StartAsync("empty");
        await using var edge = await RelayNodes.StartAsync("edge", [gone, RelayNodes.OriginOf(empty)], null);

        // The first name shows that it cannot be reached, and is asked for again and again.
        using var hasSeen = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var first = edge.Page.GetAsync("/live/a.flv", hasSeen.Token);
        await Wait.Until(() => edge.Log.Containing($"live/a does not come from {gone}").Count > 0, "it cannot be reached");

        foreach (var name in (string[])["b", "c"])
            (await edge.Page.GetAsync($"/live/{name}.flv", TestContext.Current.CancellationToken)).StatusCode.ShouldBe(HttpStatusCode.NotFound);

        edge.Log.Containing("live/b does not come").ShouldHaveSingleItem().ShouldNotContain(gone);
        edge.Log.Containing("live/c does not come").ShouldHaveSingleItem().ShouldNotContain(gone);
        await hasSeen.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(first);
    }

    /// <summary>Whoever pauses is not back in time.</summary>
    private static NodeSettings Patient(NodeSettings settings) => settings with
    {
        Edge = settings.Edge with { RetryMin = TimeSpan.FromMinutes(1), RetryMax = TimeSpan.FromMinutes(1), GiveUp = TimeSpan.FromMinutes(2) },
    };

    private static RelayPuller PullerOf(TestNode node) => node.Node.Context.Upstreams.TryFind(Name, out var puller) ? puller : throw new InvalidOperationException("nothing is fetched");
}
