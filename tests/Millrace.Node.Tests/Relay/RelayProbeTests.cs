using System.Net;
using System.Net.Sockets;
using Millrace.Node.Relay;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;

namespace Millrace.Node.Tests.Relay;

/// <summary>What a node finds that knocks at another.</summary>
public sealed class RelayProbeTests
{
    [Theory]
    [InlineData("")]
    [InlineData("same")]
    public async Task A_node_that_lets_us_in_tells_its_id_its_clock_and_the_round_trip(string secret)
    {
        await using var origin = await Origin(secret);

        var result = await ProbeAsync(OriginOf(origin.Node.RelayPort), secret);

        (result.Outcome, result.Node, result.Error).ShouldBe((RelayProbeOutcome.Accepted, "origin", null));
        result.RoundTripMicros.ShouldBeGreaterThan(0);
        // One process, one clock.
        Math.Abs(result.AheadMicros).ShouldBeLessThanOrEqualTo(result.RoundTripMicros / 2 + 1_000);
        await Wait.Until(() => origin.Node.Connections.Total == 0, "it has left");
        origin.Node.Context.Sessions.Count.ShouldBe(0);
        origin.Node.Context.Registry.Streams.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("ours", "theirs")]
    [InlineData("ours", "")]
    [InlineData("", "theirs")]
    public async Task Secrets_that_differ_are_told_from_everything_else(string ours, string theirs)
    {
        await using var origin = await Origin(theirs);

        var result = await ProbeAsync(OriginOf(origin.Node.RelayPort), ours);

        (result.Outcome, result.Node).ShouldBe((RelayProbeOutcome.Secret, "origin"));
        result.Error!.ShouldContain("secret");
    }

    [Fact]
    public async Task A_node_that_is_its_own_origin_is_told_so()
    {
        await using var origin = await Origin("");

        (await ProbeAsync(OriginOf(origin.Node.RelayPort), "", id: "origin")).Outcome.ShouldBe(RelayProbeOutcome.Loop);
    }

    [Fact]
    public async Task A_port_that_is_no_relays_does_not_let_us_in()
    {
        await using var origin = await Origin("");

        var result = await ProbeAsync(OriginOf(origin.Node.RtmpPort), "");

        (result.Outcome, result.Node).ShouldBe((RelayProbeOutcome.Refused, null));
        result.Error.ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public async Task Where_nobody_listens_nobody_is_reached()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();

        (await ProbeAsync(OriginOf(port), "")).Outcome.ShouldBe(RelayProbeOutcome.Unreachable);
    }

    [Fact]
    public async Task A_name_without_an_address_is_told_so()
    {
        // RFC 6761 6.4: nobody ever has it.
        (await ProbeAsync(new OriginAddress(OriginKind.Millrace, "nobody.invalid", 9000), "")).Outcome.ShouldBe(RelayProbeOutcome.NoAddress);
    }

    private static Task<TestNode> Origin(string secret) =>
        RelayNodes.StartAsync("origin", [], settings => settings with { Relay = settings.Relay with { Secret = new Secret(secret) } });

    private static OriginAddress OriginOf(int port) => new(OriginKind.Millrace, "127.0.0.1", port);

    private static Task<RelayProbeResult> ProbeAsync(OriginAddress origin, string secret, string id = "probe")
    {
        var settings = new NodeSettings { Cluster = new ClusterSettings { Node = id }, Relay = new RelaySettings { Secret = new Secret(secret) } };
        return new RelayProbe(settings).RunAsync(origin, TestContext.Current.CancellationToken);
    }
}
