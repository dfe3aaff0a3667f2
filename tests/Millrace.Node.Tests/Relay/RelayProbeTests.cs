using System.Net;
using System.Net.Sockets;
using Millrace.Node.Relay;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;
using Millrace.Streams;

namespace Millrace.Node.Tests.Relay;

/// <summary>What a node finds that knocks at another.</summary>
public sealed class RelayProbeTests
{
    private static readonly StreamName Stream = new("default", "live", "x");

    [Theory]
    [InlineData("")]
    [InlineData("same")]
    public async Task A_node_that_lets_us_in_tells_its_id_its_clock_and_the_round_trip(string secret)
    {
        await using var origin = await Origin(secret);

        var result = await ProbeAsync(OriginOf(origin.Node.RelayPort), secret);

        (result.Outcome, result.Node, result.Error).ShouldBe((RelayProbeOutcome.Accepted, "origin", null));
        result.RoundTripMicros.ShouldBeGreaterThan(0);
        result.ConnectMicros.ShouldBeGreaterThan(0);
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

    [Fact]
    public async Task A_stream_is_described_and_nothing_is_played()
    {
        await using var origin = await Origin("");
        var source = await LiveSource.StartAsync(origin);
        await source.Until(() => origin.Node.Context.Registry.Find(Stream)!.Log!.End > 40, "some media");

        var result = await DescribeAsync(origin, "");

        (result.Outcome, result.Node, result.Error).ShouldBe((RelayProbeOutcome.Accepted, "origin", null));
        var description = result.Description.ShouldNotBeNull();
        description.IsLive.ShouldBeTrue();
        description.Start.Timeline.Value.ShouldBe(origin.Node.Context.Registry.Find(Stream)!.Timeline.Id);
        description.Start.Era!.Tracks.Select(track => track.Codec.ToString()).ShouldBe(["H264", "Aac", "Amf"], ignoreOrder: true);
        description.Publisher!.Protocol.ShouldBe("rtmp");
        await Wait.Until(() => origin.Node.Connections.Total == 1, "it has left, the publisher stays");
        origin.Node.Context.Registry.Find(Stream)!.WireCount.ShouldBe(0, "nothing was written for it");
    }

    [Fact]
    public async Task An_edge_fetches_nothing_to_describe_it()
    {
        await using var origin = await Origin("");
        await using var edge = await RelayNodes.StartAsync("edge", origin);
        var source = await LiveSource.StartAsync(origin);

        (await DescribeAsync(edge, "")).Outcome.ShouldBe(RelayProbeOutcome.NotFound);
        edge.Node.Context.Upstreams.Count.ShouldBe(0);

        var player = edge.Play();
        await source.Until(() => player.MediaCount > 5, "media");
        var description = (await DescribeAsync(edge, "")).Description.ShouldNotBeNull();
        description.Start.Path.ShouldBe(["origin", "edge"]);
    }

    [Fact]
    public async Task Who_does_not_know_the_secret_is_told_nothing_of_a_stream()
    {
        await using var origin = await Origin("theirs");
        await LiveSource.StartAsync(origin);

        var result = await DescribeAsync(origin, "ours");

        (result.Outcome, result.Description).ShouldBe((RelayProbeOutcome.Secret, null));
        (await DescribeAsync(origin, "theirs")).Description.ShouldNotBeNull();
    }

    [Fact]
    public async Task A_stream_is_looked_for_where_the_map_says_and_at_the_node_itself()
    {
        using var redis = await Cluster.RedisServer.StartAsync();
        await using var origin = await Cluster.MappedNodes.StartAsync("origin", redis);
        await LiveSource.StartAsync(origin);
        await Wait.Until(async () => await redis.GetAsync("default/live/x") is not null, "the entry");
        var settings = new NodeSettings
        {
            Cluster = new ClusterSettings { Node = "origin", Map = OriginMapKind.Redis, Redis = new RedisSettings { Endpoint = FormattableString.Invariant($"127.0.0.1:{redis.Port}") } },
            Relay = new RelaySettings { Listen = [new ListenEndpoint(null, origin.Node.RelayPort)] },
        };

        var found = (await new StreamProbe(settings).RunAsync("default/live/x", isRunning: true, TestContext.Current.CancellationToken)).ShouldNotBeNull();

        found.Entry!.At.ShouldBe(OriginOf(origin.Node.RelayPort));
        found.Answers.Select(static answer => (answer.IsSelf, answer.Node)).ShouldBe([(true, "origin"), (false, "origin")]);
        var facts = found.Answers[0].Facts.ShouldNotBeNull();
        facts.Tracks.ShouldContain(static track => track.StartsWith("h264 avc1.", StringComparison.Ordinal) && track.EndsWith("640x360", StringComparison.Ordinal));
        facts.Tracks.ShouldContain(static track => track.StartsWith("aac mp4a.40.2 ", StringComparison.Ordinal));
        facts.Publisher!.ShouldStartWith("rtmp from 127.0.0.1:");
        facts.Path.ShouldBe(["origin"]);
        (await new StreamProbe(settings).RunAsync("default/live/y", isRunning: true, TestContext.Current.CancellationToken))!.Entry.ShouldBe(new MapEntry(null, null));
        (await new StreamProbe(settings).RunAsync("x", isRunning: true, TestContext.Current.CancellationToken)).ShouldBeNull();
    }

    private static Task<TestNode> Origin(string secret) =>
        RelayNodes.StartAsync("origin", [], settings => settings with { Relay = settings.Relay with { Secret = new Secret(secret) } });

    private static Task<RelayProbeResult> DescribeAsync(TestNode node, string secret)
    {
        var settings = new NodeSettings { Relay = new RelaySettings { Secret = new Secret(secret) } };
        return new RelayProbe(settings).DescribeAsync(OriginOf(node.Node.RelayPort), Stream, TestContext.Current.CancellationToken);
    }

    private static OriginAddress OriginOf(int port) => new(OriginKind.Millrace, "127.0.0.1", port);

    private static Task<RelayProbeResult> ProbeAsync(OriginAddress origin, string secret, string id = "probe")
    {
        var settings = new NodeSettings { Cluster = new ClusterSettings { Node = id }, Relay = new RelaySettings { Secret = new Secret(secret) } };
        return new RelayProbe(settings).RunAsync(origin, TestContext.Current.CancellationToken);
    }
}
