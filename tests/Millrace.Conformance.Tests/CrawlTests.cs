using System.Net;
using Millrace.Conformance.Crawl;
using Millrace.Conformance.Playlists;
using Millrace.Conformance.Rules;
using Millrace.Conformance.Tests.Origin;

namespace Millrace.Conformance.Tests;

/// <summary>The crawler against an origin that does everything right, also when its publisher does not.</summary>
public sealed class CrawlTests
{
    [Fact]
    public void An_origin_without_fault_passes_every_rule_that_is_seen()
    {
        var report = Crawls.Good;
        report.Failures.ShouldBeEmpty(report.ToTable());
        NotSeen(report).ShouldBe(["L20", "L21"], report.ToTable());
    }

    [Fact]
    public void Hinted_parts_are_asked_for_before_they_exist_and_every_segment_is_compared_with_its_parts()
    {
        foreach (var rendition in Crawls.Good.History.Renditions)
        {
            rendition.Parts.Count(part => part is { Hinted: true, AnnouncedExactly: true } && part.Exchange.Sent < part.AnnouncedAt).ShouldBeGreaterThan(50);
            rendition.Segments.ShouldAllBe(segment => segment.Compared == 4 && segment.Media!.Main!.Duration == 2);
            rendition.Reloads.Count(reload => reload.Asked?.Part == 4).ShouldBeGreaterThan(4);
        }
    }

    [Fact]
    public void Over_cleartext_the_protocol_is_not_judged()
    {
        var report = Crawls.Of(_ => { }, seconds: 8, address: new("http://origin.test/live/master.m3u8"));
        report.Failures.ShouldBeEmpty(report.ToTable());
        report["L28"].Verdict.ShouldBe(Verdict.NotSeen);
    }

    [Fact]
    public void A_discontinuity_that_is_announced_and_counted_is_no_fault()
    {
        var report = Crawls.Of(origin => origin.Playlist.BreakAt = 22, seconds: 36);
        report.Failures.ShouldBeEmpty(report.ToTable());
        report.History.Renditions[0].Last!.DiscontinuitySequence.ShouldBe(1);
    }

    [Fact]
    public void An_end_is_followed_to_ENDLIST_and_directives_are_tried_after_it()
    {
        var report = Crawls.Of(origin => origin.EndsAt = 14, seconds: 5, options => options with { UntilEnd = true });
        report.Failures.ShouldBeEmpty(report.ToTable());
        report["L21"].Verdict.ShouldBe(Verdict.Pass);
        report.History.Renditions.ShouldAllBe(rendition => rendition.Last!.Ended);
        report.History.Length.TotalSeconds.ShouldBeInRange(14, 20);
    }

    [Fact]
    public void An_end_that_waits_for_what_never_comes_fails()
    {
        var report = Crawls.Of(
            origin =>
            {
                origin.EndsAt = 10;
                origin.Instead = async request =>
                {
                    if (origin.Seconds > 10.1 && request.RequestUri!.Query.Length > 0)
                        await origin.DelayAsync(2);
                    return null;
                };
            },
            seconds: 25);
        report.Failures.Select(failure => failure.Id).ShouldBe(["L21"], report.ToTable());
    }

    [Fact]
    public void A_pause_of_the_publisher_that_the_caller_makes_is_measured_but_no_fault()
    {
        var called = 0;
        var report = Crawls.Of(
            origin => origin.Stall = (10, 18),
            options: options => options with
            {
                Disturbances = [new(1.0 / 3, "pause", async stop => { called++; await Task.Delay(TimeSpan.FromSeconds(8), options.Time, stop); })],
            });
        called.ShouldBe(1);
        report.Failures.ShouldBeEmpty(report.ToTable());
        report["L20"].Verdict.ShouldBe(Verdict.Pass);
        report["L8"].Evidence.ShouldContain("part gap while disturbed at most 8.");
    }

    [Fact]
    public void A_hint_that_is_withdrawn_must_be_refused()
    {
        static void Withdraw(ScriptedOrigin origin, bool refuse)
        {
            origin.EndsAt = 10.2;
            origin.Instead = async request =>
            {
                if (refuse || !request.RequestUri!.AbsolutePath.EndsWith("v_s25_p0.mp4", StringComparison.Ordinal))
                    return null;
                await origin.DelayAsync(1);
                return new(HttpStatusCode.InternalServerError);
            };
        }

        Crawls.Of(origin => Withdraw(origin, refuse: true), seconds: 16).Failures.ShouldBeEmpty();
        Crawls.Of(origin => Withdraw(origin, refuse: false), seconds: 16).Failures.Select(failure => failure.Id).ShouldBe(["L25"]);
    }

    [Fact]
    public void Without_a_playlist_there_is_no_report() =>
        Should.Throw<CrawlException>(() => Crawls.Of(origin => origin.Instead = _ => Task.FromResult<HttpResponseMessage?>(new(HttpStatusCode.NotFound))));

    [Fact]
    public void The_table_has_a_line_for_every_rule_and_a_sum()
    {
        var lines = Crawls.Good.ToTable().TrimEnd('\n').Split('\n');
        lines.Length.ShouldBe(RuleSet.All.Count + 1);
        lines[0].ShouldStartWith("L1  PART-INF exactly where parts are");
        lines[^1].ShouldContain("0 FAIL");
    }

    [Fact]
    public void The_rules_are_L1_to_L33_and_some_more()
    {
        RuleSet.All.Take(33).Select(rule => rule.Id).ShouldBe(Enumerable.Range(1, 33).Select(i => $"L{i}"));
        RuleSet.All.Skip(33).ShouldAllBe(rule => rule.Id.StartsWith('X'));
        RuleSet.All.Select(rule => rule.Id).ShouldBeUnique();
    }

    [Fact]
    public void Every_rule_has_an_origin_that_breaks_it()
    {
        // L21 and L31 have theirs in other tests.
        var broken = Faults.All.Select(fault => fault.Rules.Split(' ')[0]).Concat(["L21", "L31"]);
        RuleSet.All.Select(rule => rule.Id).Except(broken).ShouldBeEmpty();
    }

    private static IEnumerable<string> NotSeen(CrawlerReport report) =>
        report.Results.Where(result => result.Verdict == Verdict.NotSeen).Select(result => result.Id);
}
