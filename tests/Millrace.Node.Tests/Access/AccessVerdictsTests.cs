using Millrace.Node.Access;
using Millrace.Node.Settings;
using Millrace.Streams;

namespace Millrace.Node.Tests.Access;

/// <summary>What origins said is kept for as long as it holds; in virtual time, microseconds.</summary>
public sealed class AccessVerdictsTests
{
    private const long Second = 1_000_000;

    private static readonly EdgeSettings Edge = new()
    {
        AccessCache = TimeSpan.FromSeconds(10),
        AccessRefusalCache = TimeSpan.FromSeconds(1),
        GiveUp = TimeSpan.FromSeconds(30),
    };

    private readonly List<AccessQuestion> _asked = [];
    private readonly AccessVerdicts _verdicts;

    public AccessVerdictsTests() => _verdicts = new AccessVerdicts(Edge, _asked.Add);

    [Fact]
    public void A_thousand_who_show_the_same_are_one_question_and_get_the_same_answer()
    {
        var waiting = Enumerable.Range(0, 1_000).Select(_ => Ask("token=a", 0).Question!).Distinct().ToList();
        waiting.ShouldHaveSingleItem().ShouldBe(_asked.ShouldHaveSingleItem());
        var told = 0;
        for (var i = 0; i < 1_000; i++)
            waiting[0].Then(() => told++);

        Settle(AccessOutcome.Allowed, 5);

        told.ShouldBe(1_000);
        waiting[0].Verdict!.IsAllowed.ShouldBeTrue();
        Ask("token=a", 6).Verdict!.IsAllowed.ShouldBeTrue();
        _asked.Count.ShouldBe(1);
        _verdicts.Counters.FromCache.ShouldBe(1);
    }

    [Fact]
    public void Who_shows_something_else_or_wants_something_else_is_another_question()
    {
        Ask("token=a", 0);
        Ask("token=b", 0);
        Ask("token=a", 0, AccessAction.Publish);
        Ask("token=a", 0, stream: "y");
        _asked.Count.ShouldBe(4);
    }

    [Fact]
    public void A_yes_holds_for_its_time_and_a_no_for_a_shorter_one()
    {
        Ask("token=a", 0);
        Settle(AccessOutcome.Allowed, 0);
        Ask("token=b", 0);
        Settle(AccessOutcome.Denied, 0);

        Ask("token=a", 7 * Second).Verdict!.IsAllowed.ShouldBeTrue();
        Ask("token=b", Second - 1).Verdict!.Outcome.ShouldBe(AccessOutcome.Denied);
        _asked.Count.ShouldBe(2);
        Ask("token=b", Second).Verdict.ShouldBeNull();
        Ask("token=a", 10 * Second).Verdict.ShouldBeNull();
    }

    [Fact]
    public void In_its_last_quarter_a_yes_is_asked_for_again_and_nobody_waits()
    {
        Ask("token=a", 0);
        Settle(AccessOutcome.Allowed, 0);
        Ask("token=a", (15 * Second / 2) - 1);
        _asked.Count.ShouldBe(1);

        Ask("token=a", 15 * Second / 2).Verdict!.IsAllowed.ShouldBeTrue();
        Ask("token=a", 8 * Second).Verdict!.IsAllowed.ShouldBeTrue();
        _asked.Count.ShouldBe(2);

        Settle(AccessOutcome.Denied, 8 * Second);
        Ask("token=a", 8 * Second).Verdict!.Outcome.ShouldBe(AccessOutcome.Denied);
    }

    [Theory]
    [InlineData(4 * Second, 4 * Second)]
    [InlineData(60 * Second, 10 * Second)]
    [InlineData(1, Second / 10)]
    public void An_origin_can_shorten_a_yes_but_not_to_nothing(long lifetime, long holds)
    {
        Ask("token=a", 0);
        _verdicts.Settle(_asked[^1], AccessOutcome.Allowed, "", lifetime, 0);

        Ask("token=a", 0).Verdict!.Until.ShouldBe(holds);
        Ask("token=a", holds).Verdict.ShouldBeNull();
    }

    [Fact]
    public void Who_was_let_in_is_not_put_out_because_no_origin_is_there_until_edge_give_up_is_over()
    {
        Ask("token=a", 0);
        Settle(AccessOutcome.Allowed, 0);
        var now = 9 * Second;
        Ask("token=a", now);
        for (; now < 39 * Second; now += Second)
        {
            Settle(AccessOutcome.Unavailable, now);
            Ask("token=a", now).Verdict!.IsAllowed.ShouldBeTrue($"at {now}");
            // Not asked again at once, but when the pause is over, and nobody waits for it.
            var before = _asked.Count;
            Ask("token=a", now + Second - 1);
            _asked.Count.ShouldBe(before);
            Ask("token=a", now + Second).Verdict!.IsAllowed.ShouldBeTrue();
            _asked.Count.ShouldBe(before + 1);
        }

        Settle(AccessOutcome.Unavailable, now);
        Ask("token=a", 40 * Second).Verdict.ShouldBeNull();
        Settle(AccessOutcome.Unavailable, 40 * Second);
        Ask("token=a", 40 * Second).Verdict!.Outcome.ShouldBe(AccessOutcome.Unavailable);
    }

    [Fact]
    public void Who_was_let_in_is_put_out_by_an_origin_that_hangs_up_only_when_it_does_so_again()
    {
        Ask("token=a", 0);
        Settle(AccessOutcome.Allowed, 0);
        Ask("token=a", 9 * Second);
        HangUp(9 * Second);
        Ask("token=a", 9 * Second).Verdict!.IsAllowed.ShouldBeTrue();
        _verdicts.Counters.AskedWith(AccessOutcome.Unavailable).ShouldBe(1);

        // It was not to be had the next time, which says nothing either.
        Ask("token=a", 10 * Second).Verdict!.IsAllowed.ShouldBeTrue();
        Settle(AccessOutcome.Unavailable, 10 * Second);
        Ask("token=a", 11 * Second);
        HangUp(11 * Second);
        Ask("token=a", 12 * Second).Verdict!.IsAllowed.ShouldBeTrue();
        HangUp(12 * Second);
        Ask("token=a", 12 * Second).Verdict!.Outcome.ShouldBe(AccessOutcome.Denied);
    }

    [Fact]
    public void Who_is_new_is_refused_by_an_origin_that_hangs_up()
    {
        Ask("token=a", 0);
        HangUp(0);
        Ask("token=a", 0).Verdict!.Outcome.ShouldBe(AccessOutcome.Denied);
    }

    [Fact]
    public void Who_is_new_is_refused_while_no_origin_is_there()
    {
        var question = Ask("token=a", 0).Question!;
        Settle(AccessOutcome.Unavailable, 0);

        question.Verdict!.Outcome.ShouldBe(AccessOutcome.Unavailable);
        Ask("token=a", Second - 1).Verdict!.IsAllowed.ShouldBeFalse();
        Ask("token=a", Second).Verdict.ShouldBeNull();
    }

    [Fact]
    public void Made_up_tokens_fill_neither_memory_nor_the_place_of_those_who_may()
    {
        Ask("token=good", 0);
        Settle(AccessOutcome.Allowed, 0);
        for (var i = 0; i < 20_000; i++)
        {
            Ask(FormattableString.Invariant($"token={i}"), 1);
            Settle(AccessOutcome.Denied, 1);
        }

        _verdicts.Count.ShouldBe(10_001);
        Ask("token=good", 2).Verdict!.IsAllowed.ShouldBeTrue();
        _verdicts.Sweep(20 * Second);
        _verdicts.Count.ShouldBe(1);
    }

    [Fact]
    public void More_questions_than_can_be_asked_at_once_are_refused_at_once()
    {
        for (var i = 0; i < 10_000; i++)
            Ask(FormattableString.Invariant($"token={i}"), 0).Verdict.ShouldBeNull();

        var (verdict, question) = Ask("token=one-more", 0);
        (verdict!.Outcome, question).ShouldBe((AccessOutcome.Unavailable, null));
        _verdicts.Pending.ShouldBe(10_000);
    }

    private (AccessVerdict? Verdict, AccessQuestion? Question) Ask(string papers, long now, AccessAction action = AccessAction.Play, string stream = "x")
    {
        var claim = new AccessClaim(new StreamName("default", "live", stream), action, papers);
        return (_verdicts.Find(claim, claim.KeyOf(isIntroduced: false), [], now, out var question), question);
    }

    private void HangUp(long now) => _verdicts.Settle(_asked[^1], AccessOutcome.Denied, "no reason", 0, now, isUnexplained: true);

    private void Settle(AccessOutcome outcome, long now) => _verdicts.Settle(_asked[^1], outcome, outcome == AccessOutcome.Allowed ? "" : "no", 0, now);
}
