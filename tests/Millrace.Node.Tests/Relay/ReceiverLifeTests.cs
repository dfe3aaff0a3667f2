using Millrace.Node.Tests.Harness;
using Millrace.Protocols.Relay;

namespace Millrace.Node.Tests.Relay;

/// <summary>What a node hears of another one that it sends media to.</summary>
public sealed class ReceiverLifeTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task One_that_is_silent_is_dead_though_media_flows_to_it()
    {
        await using var origin = await OriginAsync(TimeSpan.FromMilliseconds(600));
        using var source = new NumberedSource(await origin.PublishAsync());
        using var receiver = await RawReceiver.PlayAsync(origin);

        await Wait.Until(() => receiver.HasEnded, "it is given up");
        origin.Log.Containing("the peer was silent for 600 ms").Count.ShouldBe(1);
    }

    [Fact]
    public async Task One_that_sends_empty_heartbeats_lives_though_nobody_reads_them()
    {
        await using var origin = await OriginAsync(Patience);
        using var source = new NumberedSource(await origin.PublishAsync());
        using var receiver = await RawReceiver.PlayAsync(origin);
        var before = BytesIn(origin);

        // Three times as long as it may be silent, and less than what anybody is woken for.
        for (var beat = 0; beat < 30; beat++)
        {
            receiver.HasEnded.ShouldBeFalse();
            receiver.Say(RawReceiver.Message(RelayMessageType.Heartbeat, []));
            await Task.Delay(Patience / 10, TestContext.Current.CancellationToken);
        }

        receiver.HasEnded.ShouldBeFalse();
        BytesIn(origin).ShouldBe(before);
        await Wait.Until(() => receiver.HasEnded, "then it is silent, and given up");
    }

    [Fact]
    public async Task The_end_of_a_question_that_comes_by_itself_is_heard_at_once()
    {
        // Nobody looks for life while the test waits.
        await using var origin = await OriginAsync(TimeSpan.FromMinutes(1));
        using var source = new NumberedSource(await origin.PublishAsync());
        using var receiver = await RawReceiver.PlayAsync(origin);
        var question = RawReceiver.Message(RelayMessageType.Fetch, [1, 1, (byte)'x', .. new byte[RelayRules.WakeBytes - 5]]);
        var before = BytesIn(origin);

        receiver.Say([.. RawReceiver.Message(RelayMessageType.Want, new byte[RelayRules.WakeBytes - 2]), .. question.AsSpan(0, 40)]);
        await Wait.Until(() => BytesIn(origin) == before + RelayRules.WakeBytes + 40, "what is before it is heard, and its beginning");
        receiver.Say(question.AsSpan(40));

        await Wait.Until(() => receiver.HasAnswer, "it is answered");
    }

    private static long BytesIn(TestNode node) => node.Node.Context.Sessions.All.Single(static session => session.Role == Sessions.SessionRole.Relay).Traffic!.BytesIn;

    private static Task<TestNode> OriginAsync(TimeSpan timeout) =>
        TestNode.StartAsync(settings => settings with { Relay = settings.Relay with { Timeout = timeout, Heartbeat = timeout < Patience ? settings.Relay.Heartbeat : TimeSpan.FromSeconds(1) } });
}
