using Millrace.Doctor;
using Millrace.Node.Relay;

namespace Millrace.Tests.Doctor;

/// <summary>What is made of the answers to the question who has a stream.</summary>
public sealed class StreamChecksTests
{
    private const string Stream = "default/live/x";

    private static readonly OriginAddress At = new(OriginKind.Millrace, "a.example", 9000);

    private static readonly StreamFacts Facts = new(
        IsLive: true, TimeSpan.FromSeconds(12.34), TimeSpan.FromMilliseconds(40), ["h264 avc1.64001f 1280x720", "aac mp4a.40.2 48000 Hz 2 ch"], "00c0ffee00c0ffee", 1, 420,
        ["LL-HLS, segments listed: 7"], "rtmp from 10.0.0.9:50000", ["a", "b"]);

    [Fact]
    public void A_stream_that_is_live_is_described_in_one_line()
    {
        var check = Of(Answer(RelayProbeOutcome.Accepted, Facts)).ShouldHaveSingleItem();
        check.ShouldBe(DoctorCheck.Ok(
            "stream default/live/x at millrace://a.example:9000",
            "node a has it for 12.3 s: h264 avc1.64001f 1280x720, aac mp4a.40.2 48000 Hz 2 ch; timeline 00c0ffee00c0ffee, era 1, entry 420; LL-HLS, segments listed: 7; "
            + "published by rtmp from 10.0.0.9:50000; by way of a > b"));
    }

    [Fact]
    public void A_publisher_who_has_gone_or_says_nothing_is_a_warning()
    {
        var gone = Of(Answer(RelayProbeOutcome.Accepted, Facts with { IsLive = false })).ShouldHaveSingleItem();
        (gone.Result, gone.Finding.EndsWith("; the publisher has gone and may come back", StringComparison.Ordinal)).ShouldBe((CheckResult.Warn, true));
        var silent = Of(Answer(RelayProbeOutcome.Accepted, Facts with { Silence = TimeSpan.FromSeconds(6.2) })).ShouldHaveSingleItem();
        (silent.Result, silent.Finding.EndsWith("; nothing has come for 6.2 s", StringComparison.Ordinal)).ShouldBe((CheckResult.Warn, true));
    }

    [Fact]
    public void One_node_that_has_it_is_enough()
    {
        var checks = Of(Answer(RelayProbeOutcome.NotFound, null), Answer(RelayProbeOutcome.Accepted, Facts));
        checks.Select(static check => check.Result).ShouldBe([CheckResult.Ok, CheckResult.Ok]);
        checks[0].Finding.ShouldBe("node a does not have it now");
    }

    [Fact]
    public void That_nobody_has_it_is_a_failure()
    {
        var checks = Of(Answer(RelayProbeOutcome.NotFound, null));
        checks.Select(static check => check.Result).ShouldBe([CheckResult.Warn, CheckResult.Fail]);
        (checks[1].Name, checks[1].Finding).ShouldBe(("stream default/live/x", "no node that was asked has it"));
        Of().ShouldHaveSingleItem().Finding.ShouldBe("there is nobody to ask");
    }

    [Theory]
    [InlineData("Secret", "the secrets do not match: why", "relay.secret")]
    [InlineData("Denied", "node a does not tell: why", "allows")]
    [InlineData("Unreachable", "it cannot be asked: why", "relay.listen")]
    public void Each_failure_has_its_own_advice(string outcome, string finding, string advice)
    {
        var check = Of(Answer(Enum.Parse<RelayProbeOutcome>(outcome), null))[0];
        (check.Result, check.Finding).ShouldBe((CheckResult.Fail, finding));
        check.Advice!.ShouldContain(advice);
    }

    [Theory]
    [InlineData(null, "Warn", "no node has registered it")]
    [InlineData("millrace://a.example:9000/default/live/x", "Ok", "it is at millrace://a.example:9000")]
    [InlineData("rtmp://b.example/live/x", "Ok", "it is at rtmp://b.example:1935/live/x")]
    [InlineData("nonsense", "Fail", "its value is not a URL that can be followed")]
    public void The_maps_entry_is_told(string? url, string result, string finding)
    {
        var entry = new MapEntry(url, url is null ? null : OriginAddress.TryParseUrl(url));
        var check = StreamChecks.Of(Stream, new StreamProbeResult(entry, [])).First();
        (check.Name, check.Result.ToString(), check.Finding).ShouldBe(("stream default/live/x in the map", result, finding));
    }

    private static DoctorCheck[] Of(params StreamAnswer[] answers) => [.. StreamChecks.Of(Stream, new StreamProbeResult(null, answers))];

    private static StreamAnswer Answer(RelayProbeOutcome outcome, StreamFacts? facts) => new(At, IsSelf: false, outcome, "a", facts is null ? "why" : null, facts);
}
