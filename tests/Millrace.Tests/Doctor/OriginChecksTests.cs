using Millrace.Doctor;
using Millrace.Node.Relay;
using Millrace.Node.Settings;

namespace Millrace.Tests.Doctor;

/// <summary>What is made of knocking at an origin.</summary>
public sealed class OriginChecksTests
{
    private static readonly OriginAddress Origin = new(OriginKind.Millrace, "a.example", 9000);

    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData(12_345, "Ok", "the clock of node a is 12.35 ms ahead, give or take 0.5 ms")]
    [InlineData(-100_000, "Ok", "the clock of node a is 100 ms behind, give or take 0.5 ms")]
    [InlineData(100_001, "Warn", "the clock of node a is 100 ms ahead, give or take 0.5 ms")]
    [InlineData(-3_600_000_000, "Warn", "the clock of node a is 3600000 ms behind, give or take 0.5 ms")]
    public void Clocks_may_differ_by_100_ms(long aheadMicros, string expected, string finding)
    {
        var checks = OriginChecks.Of(Origin, new RelayProbeResult(RelayProbeOutcome.Accepted, "a", AheadMicros: aheadMicros, RoundTripMicros: 1_000), ConnectTimeout).ToArray();
        checks.Select(check => check.Name).ShouldBe(["origin millrace://a.example:9000", "clock millrace://a.example:9000"]);
        (checks[0].Result, checks[0].Finding).ShouldBe((CheckResult.Ok, "node a lets this one in; round trip 1 ms"));
        (checks[1].Result.ToString(), checks[1].Finding).ShouldBe((expected, finding));
    }

    [Theory]
    [InlineData(1_000, "Ok", "node a lets this one in; round trip 1 ms")]
    [InlineData(1_001, "Warn", "node a lets this one in; round trip 1 ms; but not within 1000 ms, after which an edge gives up: it took 1001 ms")]
    public void A_node_that_lets_in_later_than_an_edge_waits_is_warned_of(int connectMs, string expected, string finding)
    {
        var result = new RelayProbeResult(RelayProbeOutcome.Accepted, "a", RoundTripMicros: 1_000, ConnectMicros: connectMs * 1_000L);
        var check = OriginChecks.Of(Origin, result, ConnectTimeout).First();
        (check.Result.ToString(), check.Finding).ShouldBe((expected, finding));
    }

    [Theory]
    [InlineData("NoAddress", null, "the name cannot be looked up: why", "a.example")]
    [InlineData("Unreachable", null, "it cannot be reached: why", "9000")]
    [InlineData("Tls", null, "there is no TLS connection: why", "relay.tls.authority")]
    [InlineData("Secret", "a", "the secrets do not match: why", "relay.secret")]
    [InlineData("Loop", "a", "node a does not let this one in: why", "cluster.node")]
    [InlineData("Refused", null, "what answers there does not let this one in: why", "relay.listen")]
    public void Each_failure_has_its_own_advice(string outcome, string? node, string finding, string advice)
    {
        var check = OriginChecks.Of(Origin, new RelayProbeResult(Enum.Parse<RelayProbeOutcome>(outcome), node, "why"), ConnectTimeout).ShouldHaveSingleItem();
        (check.Result, check.Finding).ShouldBe((CheckResult.Fail, finding));
        check.Advice!.ShouldContain(advice);
    }

    [Theory]
    [InlineData(60, "Ok", "is valid until")]
    [InlineData(13, "Warn", "is valid until")]
    [InlineData(-1, "Fail", "has expired")]
    public void A_certificate_is_to_be_renewed_two_weeks_before_it_expires(int days, string expected, string finding)
    {
        var until = DateTime.UtcNow.AddDays(days);
        var result = new RelayProbeResult(RelayProbeOutcome.Accepted, "a", RoundTripMicros: 1_000, ValidUntil: until);
        var checks = OriginChecks.Of(Origin with { Port = 9443, IsTls = true }, result, ConnectTimeout).ToArray();

        checks[0].Finding.ShouldBe("node a lets this one in over TLS; round trip 1 ms");
        (checks[1].Name, checks[1].Result.ToString()).ShouldBe(("certificate millraces://a.example:9443", expected));
        checks[1].Finding.ShouldBe(FormattableString.Invariant($"the certificate of node a {finding} {until:u}"));
    }

    [Fact]
    public void Every_origin_of_remote_vhosts_and_apps_is_looked_at_once()
    {
        var settings = new NodeSettings
        {
            Vhosts =
            [
                new VhostSettings { Name = "default", Apps = [new AppSettings { Name = "far", Mode = VhostMode.Remote, Origin = ["millrace://c", "millrace://a:9000"] }] },
                new VhostSettings { Name = "x", Mode = VhostMode.Remote, Origin = ["millrace://a millrace://b:1"] },
                new VhostSettings { Name = "y", Origin = ["millrace://unused"] },
            ],
        };
        OriginChecks.OriginsOf(settings).Select(origin => origin.ToString()).ShouldBe(["millrace://c:9000", "millrace://a:9000", "millrace://b:1"]);
    }
}
