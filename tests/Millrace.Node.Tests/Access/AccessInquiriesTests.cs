using Millrace.Node.Access;
using Millrace.Node.Relay;
using Millrace.Node.Tests.Harness;
using Millrace.Streams;

namespace Millrace.Node.Tests.Access;

/// <summary>What is remembered of origins that could not be asked; in virtual time, microseconds.</summary>
public sealed class AccessInquiriesTests
{
    private const long Second = 1_000_000;

    [Fact]
    public async Task An_origin_that_was_away_is_passed_over_for_a_second_and_then_forgotten()
    {
        await using var node = await TestNode.StartAsync();
        var inquiries = node.Node.Context.Access.Inquiries;
        for (var port = 1; port <= 1_000; port++)
            inquiries.NoteDown(At(port), 0);
        inquiries.IsDown(At(1), Second - 1).ShouldBeTrue();
        inquiries.IsDown(At(1), Second).ShouldBeFalse();
        inquiries.DownCount.ShouldBe(999);

        // The others are never asked for again.
        inquiries.NoteDown(At(2_000), Second);
        inquiries.DownCount.ShouldBe(1);
        inquiries.IsDown(At(2), Second).ShouldBeFalse();
        inquiries.IsDown(At(2_000), Second).ShouldBeTrue();
    }

    [Fact]
    public async Task Of_too_many_links_the_one_that_was_quiet_longest_makes_room_and_none_by_which_an_answer_is_waited_for()
    {
        await using var node = await TestNode.StartAsync();
        var shard = node.Node.Shards[0];
        var inquiries = new AccessInquiries(node.Node.Context, node.Node.Context.Access) { Shard = shard, MostLinks = 2 };
        var claim = new AccessClaim(new StreamName("default", "live", "x"), AccessAction.Play, "");
        var inquiry = new AccessInquiry(inquiries, node.Node.Context, new AccessQuestion(claim.KeyOf(false), claim, []));
        // Not on the shard, which could not be waited for there.
        var done = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        // All in one turn: the connections are under way.
        shard.Post(() =>
        {
            var (a, b) = (LinkOf("a")!, LinkOf("b")!);
            var asked = a.Ask(inquiry, claim, 1, out _)!.Value;
            b.Ask(inquiry, claim, 2, out _);
            var whenBusy = LinkOf("c");
            a.Withdraw(asked);
            var whenIdle = LinkOf("c");
            done.SetResult($"{whenBusy is null} {whenIdle is not null} {LinkOf("b") == b} {inquiries.LinkCount}");

            AccessLink? LinkOf(string below) => inquiries.LinkTo(At(1), [below], claim.Stream, 3);
        });

        (await done.Task).ShouldBe("True True True 2");
    }

    private static OriginAddress At(int port) => OriginAddress.TryParseUrl(FormattableString.Invariant($"millrace://127.0.0.1:{port}/default/live/x"))!;
}
