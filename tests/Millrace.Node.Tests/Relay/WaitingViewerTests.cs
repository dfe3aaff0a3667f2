using System.Net;
using System.Net.Sockets;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;
using Millrace.Streams;

namespace Millrace.Node.Tests.Relay;

/// <summary>Viewers who came to an edge before the stream came to the origin, each alone: it is asked again until their time is over.</summary>
public sealed class WaitingViewerTests
{
    private static readonly StreamName Name = new("default", "live", "x");

    public static TheoryData<string> Kinds => ["RTMP", "FLV by a shard", "FLV by Kestrel"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Who_waits_has_a_stream_that_the_origin_gets_only_later(string kind)
    {
        await using var origin = await TestNode.StartAsync();
        await using var edge = await StartAsync(origin, static edge => edge with { NegativeCache = TimeSpan.FromMilliseconds(200) });
        var plays = Open(edge, kind);
        await Wait.Until(() => origin.Log.Containing("relay relay").Count(static line => line.Contains("opened", StringComparison.Ordinal)) > 2, "it has said again and again that it has none");

        using var source = new NumberedSource(await origin.PublishAsync());

        await plays();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Who_came_to_the_end_of_a_stream_has_the_next(string kind)
    {
        await using var origin = await RelayNodes.StartAsync("origin", [], static settings => settings with { Publish = settings.Publish with { Grace = TimeSpan.FromSeconds(1) } });
        await using var edge = await StartAsync(origin, static edge => edge with { NegativeCache = TimeSpan.FromMilliseconds(200) });
        using (var source = new NumberedSource(await origin.PublishAsync()))
            await Wait.Until(() => source.Sent > 30, "a stream");
        await Wait.Until(() => origin.Node.Context.Registry.Find(Name) is { IsWaiting: true }, "its publisher has gone");
        var plays = Open(edge, kind);
        await Wait.Until(() => origin.Node.Context.Registry.Find(Name) is null or { State: StreamState.Idle }, "it has ended");

        using var next = new NumberedSource(await origin.PublishAsync());

        await plays();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Who_waits_while_too_many_streams_are_asked_for_has_his_turn(string kind)
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var origin = await TestNode.StartAsync();
        await using var edge = await RelayNodes.StartAsync(
            "edge",
            [RelayNodes.OriginAt(((IPEndPoint)silent.LocalEndpoint).Port), RelayNodes.OriginOf(origin)],
            static settings => settings with { Edge = settings.Edge with { Pending = 1, ConnectTimeout = TimeSpan.FromMilliseconds(500) } });
        using var source = new NumberedSource(await origin.PublishAsync());
        var first = edge.Page.GetAsync("/live/none.flv", TestContext.Current.CancellationToken);
        await Wait.Until(() => edge.Node.Context.Upstreams.Count == 1, "one is asked for");

        await Open(edge, kind)();

        (await first).Dispose();
    }

    private static Task<TestNode> StartAsync(TestNode origin, Func<EdgeSettings, EdgeSettings> change) =>
        RelayNodes.StartAsync("edge", [RelayNodes.OriginOf(origin)], settings => settings with { Edge = change(settings.Edge) });

    /// <summary>A viewer who waits; what comes back waits until he plays.</summary>
    private static Func<Task> Open(TestNode edge, string kind)
    {
        if (kind == "RTMP")
        {
            var player = edge.Play();
            return () => Wait.Until(() => player.MediaCount > 5, "media");
        }

        var viewer = kind == "FLV by a shard" ? edge.OpenHttp() : edge.OpenKestrel();
        viewer.Send(RawHttp.Get("/live/x.flv?wait=20s"));
        return () =>
        {
            viewer.ReadHead().Status.ShouldBe(200);
            return Task.CompletedTask;
        };
    }
}
