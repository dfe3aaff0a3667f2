using Millrace.Node.Sessions;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;
using Millrace.Protocols.Relay;
using Millrace.Streams;
using Millrace.Streams.Publishing;

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

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_newcomer_whom_the_origin_refuses_takes_nothing_from_who_publishes(bool takesOver)
    {
        await using var origin = await RelayNodes.StartAsync("origin", [], settings => settings with
        {
            Publish = settings.Publish with { Token = new Secret("right"), Duplicate = PolicyOf(takesOver) },
        });
        await using var edge = await RelayNodes.StartAsync("edge", [RelayNodes.OriginOf(origin)], TakingOver);
        var publisher = await edge.PublishAsync(name: "x?token=right");
        using var source = new NumberedSource(publisher);
        using var player = origin.Play();
        await Wait.Until(() => player.MediaCount > 60, "media at the origin");

        var newcomer = await edge.PublishAsync(name: "x?token=wrong");
        await Wait.Until(() => newcomer.HasEnded, "the verdict");
        newcomer.Statuses.ShouldBe(["NetStream.Publish.Denied"]);
        var before = player.MediaCount;
        await Wait.Until(() => player.MediaCount > before + 60, "media goes on");

        publisher.HasEnded.ShouldBeFalse();
        NumberedSource.ShouldMissNothing(player);
        edge.Node.Context.Pushers.All.ShouldHaveSingleItem().IsAccepted.ShouldBeTrue();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_newcomer_whom_the_origin_lets_in_takes_over_by_one_connection(bool takesOver)
    {
        await using var origin = await RelayNodes.StartAsync("origin", [], settings => settings with { Publish = settings.Publish with { Duplicate = PolicyOf(takesOver) } });
        await using var edge = await RelayNodes.StartAsync("edge", [RelayNodes.OriginOf(origin)], TakingOver);
        var publisher = await edge.PublishAsync();
        using var source = new NumberedSource(publisher);
        using var player = origin.Play();
        await Wait.Until(() => player.MediaCount > 60, "media at the origin");

        var newcomer = await edge.PublishAsync();
        newcomer.IsReady.ShouldBeTrue();
        publisher.HasEnded.ShouldBeFalse("nothing has come of the other yet");
        using var second = new NumberedSource(newcomer);
        await Wait.Until(() => publisher.HasEnded, "it is taken over");
        var before = player.MediaCount;
        await Wait.Until(() => player.MediaCount > before + 60, "media goes on");

        newcomer.HasEnded.ShouldBeFalse();
        player.HasEnded.ShouldBeFalse();
        await Wait.Until(() => origin.Node.Context.Sessions.All.Count(static session => session.Role == SessionRole.Relay) == 1, "one connection");
        edge.Node.Context.Pushers.All.ShouldHaveSingleItem().IsAccepted.ShouldBeTrue();
    }

    [Fact]
    public async Task What_is_written_for_the_origin_does_not_go_to_the_publisher()
    {
        // A heartbeat, which is answered, comes with the verdict.
        using var origin = new AnsweringNode(static (session, _, reply) =>
        {
            RelayWriter.Message(reply, RelayMessageType.Heartbeat, new byte[sizeof(long)]);
            session.Accept(reply, [0]);
        });
        await using var edge = await RelayNodes.StartAsync("edge", [RelayNodes.OriginAt(origin.Port)], static settings => settings with { Shards = settings.Shards with { Count = 1 } });
        var publisher = await edge.PublishAsync();
        publisher.IsReady.ShouldBeTrue();
        publisher.Statuses.ShouldBe(["NetStream.Publish.Start"]);
    }

    private static DuplicatePolicy PolicyOf(bool takesOver) => takesOver ? DuplicatePolicy.Takeover : DuplicatePolicy.Reject;

    private static NodeSettings TakingOver(NodeSettings settings) => settings with { Publish = settings.Publish with { Duplicate = DuplicatePolicy.Takeover } };
}
