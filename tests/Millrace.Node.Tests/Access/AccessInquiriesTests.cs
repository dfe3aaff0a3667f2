using Millrace.Node.Relay;
using Millrace.Node.Tests.Harness;

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

    private static OriginAddress At(int port) => OriginAddress.TryParseUrl(FormattableString.Invariant($"millrace://h:{port}/default/live/x"))!;
}
