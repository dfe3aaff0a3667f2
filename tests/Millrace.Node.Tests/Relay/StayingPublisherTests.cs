using Millrace.Node.Sessions;
using Millrace.Node.Tests.Harness;
using Millrace.Streams;

namespace Millrace.Node.Tests.Relay;

/// <summary>Who publishes at an edge stays, whatever becomes of the nodes above.</summary>
public sealed class StayingPublisherTests
{
    private static readonly StreamName Name = new("default", "live", "x");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_origin_that_still_holds_the_stream_by_the_way_it_came_before_is_given_time(bool isDeep)
    {
        await using var origin = await RelayNodes.StartAsync("origin");
        await using var first = await RelayNodes.StartAsync("first", origin);
        await using var between = await RelayNodes.StartAsync("between", origin);
        await using var second = await RelayNodes.StartAsync("second", isDeep ? between : origin);
        await using var near = await RelayNodes.StartAsync("near", first, second);
        var publisher = await near.PublishAsync();
        using var source = new NumberedSource(publisher);
        using var player = origin.Play();
        await Wait.Until(() => player.MediaCount > 60, "media at the origin");

        // As a line does that fails between those two alone: the origin hears nothing of it.
        first.Node.Context.Sessions.All.Single(static session => session.Role == SessionRole.Relay && session.Agent == "near").Kick!("a broken line");
        await Wait.Until(() => second.Node.Context.Registry.Find(Name) is { State: StreamState.Live }, "it goes by the second");
        var before = player.MediaCount;
        await Wait.Until(() => player.MediaCount > before + 60, "media goes on");

        publisher.HasEnded.ShouldBeFalse();
        NumberedSource.ShouldMissNothing(player);
    }
}
