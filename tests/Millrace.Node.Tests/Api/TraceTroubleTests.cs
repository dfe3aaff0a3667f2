using System.Text.Json;
using Millrace.Node.Sessions;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;
using Millrace.Node.Tests.Relay;
using Millrace.Streams;

namespace Millrace.Node.Tests.Api;

/// <summary>What GET /v1/trace says of a viewer to whom something has happened.</summary>
public sealed class TraceTroubleTests
{
    /// <summary>Of pictures that come faster than usual: what is kept is soon too old.</summary>
    private const int FrameMillis = 5;

    /// <summary>Of a picture in FLV.</summary>
    private const double PictureBytes = 425;

    [Fact]
    public async Task A_viewer_whose_node_has_gone_on_to_the_next_origin_has_the_switch_and_the_new_way_in_his_trace()
    {
        await using var authority = await StartAsync("authority");
        var first = await StartAsync("first", authority);
        await using var second = await StartAsync("second", authority);
        await using var edge = await StartAsync("edge", first, second);
        using var source = new NumberedSource(await authority.PublishAsync());
        await Wait.Until(() => authority.Node.Context.Registry.Find(new StreamName("default", "live", "x")) is { State: StreamState.Live }, "or the first has nothing yet, and the second is asked");
        using var player = edge.Play();
        await Wait.Until(() => player.MediaCount > 60, "media");
        var viewer = edge.Node.Context.Sessions.All.Single(static session => session.Role == SessionRole.Player);
        var before = await MeasuredAsync(edge, viewer, "first");

        await first.DisposeAsync();
        var after = await MeasuredAsync(edge, viewer, "second");

        var (old, next) = (before.GetProperty("upstream"), after.GetProperty("upstream"));
        old.GetProperty("switches").GetInt64().ShouldBe(0);
        next.GetProperty("switches").GetInt64().ShouldBe(1);
        next.GetProperty("node").GetString().ShouldBe("second");
        next.GetProperty("origin").GetString().ShouldBe(RelayNodes.OriginOf(second));
        next.GetProperty("state").GetString().ShouldBe("live");
        next.GetProperty("since").GetDateTimeOffset().ShouldBeGreaterThan(old.GetProperty("since").GetDateTimeOffset());
        after.GetProperty("timeline").GetString().ShouldBe(before.GetProperty("timeline").GetString(), "it is below the same authority");
        after.GetProperty("viewer").GetProperty("skips").GetInt64().ShouldBe(0);
        NumberedSource.ShouldMissNothing(player);
    }

    [Fact]
    public async Task A_viewer_who_takes_nothing_has_what_waits_and_what_he_has_lost_in_his_trace_and_no_other_has()
    {
        await using var node = await TestNode.StartAsync(static settings => settings with
        {
            Rtmp = settings.Rtmp with { MaxMessage = 1 << 20 },
            Streams = new StreamSettings { WireDuration = TimeSpan.FromMilliseconds(500), WireBytes = 1 << 20 },
        });
        using var source = new NumberedSource(FrameMillis, [await node.PublishAsync()]);
        using var player = node.Play();
        await Wait.Until(() => player.MediaCount > 60, "media");
        using var stalled = new StalledViewer(node.Node.HttpPort);
        var viewer = await Wait.For(() => node.Node.Context.Sessions.All.FirstOrDefault(static session => session.Protocol == "http-flv"), "the viewer");
        JsonElement waiting = default;
        await Wait.Until(
            async () =>
            {
                waiting = await ViewerAsync(node, viewer);
                return waiting.GetProperty("skips").GetInt64() > 0 && waiting.GetProperty("lagBytes").GetInt64() > 0 && waiting.TryGetProperty("lagMs", out _);
            },
            "he is moved on, and the stream's bitrate is known");
        waiting.GetProperty("socketBytes").GetInt64().ShouldBeGreaterThan(0, "his window is shut");
        var lag = waiting.GetProperty("lagBytes").GetInt64();
        // How fast bytes come is measured, on a machine that may be busy: bits for bytes would be a factor of 8.
        var expected = lag / PictureBytes * FrameMillis;
        waiting.GetProperty("lagMs").GetDouble().ShouldBeInRange(expected / 4, expected * 4);

        stalled.GoOn();
        await Wait.Until(() => stalled.Numbers is [.., var newest] && newest > source.Sent - 20, "he has caught up");
        source.Dispose();
        await Wait.Until(() => stalled.Numbers[^1] == source.Sent - 1, "the last picture");

        JsonElement caughtUp = default;
        // He may have the last bytes before it is noted that they are sent.
        await Wait.Until(async () => (caughtUp = await ViewerAsync(node, viewer)).GetProperty("lagBytes").GetInt64() == 0, "nothing waits for him");
        caughtUp.GetProperty("lagMs").GetDouble().ShouldBe(0);
        caughtUp.GetProperty("socketBytes").GetInt64().ShouldBe(0);
        var jumps = stalled.Numbers.Zip(stalled.Numbers.Skip(1), static (number, next) => next - number - 1).Where(static lost => lost > 0).ToList();
        // Who is moved on twice before he takes anything has met with one gap.
        caughtUp.GetProperty("skips").GetInt64().ShouldBeGreaterThanOrEqualTo(jumps.Count);
        jumps.ShouldNotBeEmpty();
        caughtUp.GetProperty("skippedMessages").GetInt64().ShouldBe(jumps.Sum());
        var other = await ViewerAsync(node, node.Node.Context.Sessions.All.Single(static session => session is { Role: SessionRole.Player, Protocol: "rtmp" }));
        other.GetProperty("skips").GetInt64().ShouldBe(0);
        other.GetProperty("skippedMessages").GetInt64().ShouldBe(0);
        NumberedSource.ShouldMissNothing(player);
    }

    /// <summary>Its links end with its peers, not because the machine is busy: switches are counted.</summary>
    private static Task<TestNode> StartAsync(string id, params TestNode[] origins) => RelayNodes.StartAsync(
        id, Array.ConvertAll(origins, RelayNodes.OriginOf), static settings => settings with { Relay = settings.Relay with { Timeout = TimeSpan.FromMinutes(1) } });

    /// <summary>The trace of a viewer, when a unit has been measured whose way led by a node.</summary>
    private static async Task<JsonElement> MeasuredAsync(TestNode node, NodeSession viewer, string by)
    {
        JsonElement trace = default;
        await Wait.Until(
            async () =>
            {
                trace = await GetAsync(node, viewer);
                return trace.TryGetProperty("latencyMs", out _)
                    && trace.GetProperty("path").EnumerateArray().Select(static hop => hop.GetProperty("node").GetString()).SequenceEqual(["authority", by, "edge"]);
            },
            $"the way of a unit by {by}");
        return trace;
    }

    private static async Task<JsonElement> ViewerAsync(TestNode node, NodeSession viewer) => (await GetAsync(node, viewer)).GetProperty("viewer");

    private static async Task<JsonElement> GetAsync(TestNode node, NodeSession viewer)
    {
        using var document = JsonDocument.Parse(await node.Api.GetStringAsync($"/v1/trace/{viewer.Id}"));
        return document.RootElement.Clone();
    }
}
