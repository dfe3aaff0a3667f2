using System.Net;
using System.Net.Sockets;
using Millrace.Media;
using Millrace.Node.Metrics;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;
using Millrace.Streams;
using Millrace.Streams.Buffers;
using Millrace.Streams.Hls;

namespace Millrace.Node.Tests.Hls;

/// <summary>Requests that wait, on a shard and on Kestrel.</summary>
public sealed class HlsBlockedTests
{
    private static readonly RenditionId HlsVideo = new(TrackKind.Video, 0);

    private static readonly HlsSettings ShortSegments = HlsNode.Short with { Segment = TimeSpan.FromSeconds(1) };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_request_behind_one_that_waits_has_its_turn_after_it(bool isKestrel)
    {
        await using var hls = await HlsNode.StartAsync();
        var (_, segment, parts) = await hls.Newest();
        using var client = isKestrel ? hls.Node.OpenKestrel() : hls.Node.OpenHttp();
        client.Send(RawHttp.Get($"{hls.Video}?_HLS_msn={segment}&_HLS_part={parts}") + RawHttp.Get("/live/none.m3u8") + RawHttp.Get($"{hls.Video}?_HLS_msn=0"));
        await hls.UntilWaiting(1);

        hls.Send(10);

        var first = client.ReadHead();
        client.ReadBody(first).ShouldContain($"part_0_{segment}_{parts}_video_");
        var second = client.ReadHead();
        second.Status.ShouldBe(404);
        client.ReadBody(second);
        var third = client.ReadHead();
        third.Status.ShouldBe(200);
        client.ReadBody(third).ShouldContain("#EXT-X-PART-INF");
        await hls.UntilWaiting(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Hundreds_who_wait_for_one_part_get_it_and_may_ask_again(bool isKestrel)
    {
        const int Clients = 300;
        await using var hls = await HlsNode.StartAsync();
        var clients = Enumerable.Range(0, Clients).Select(_ => isKestrel ? hls.Node.OpenKestrel() : hls.Node.OpenHttp()).ToList();
        for (var round = 0; round < 3; round++)
        {
            var (_, segment, parts) = await hls.Newest();
            foreach (var client in clients)
                client.Send(RawHttp.Get($"{hls.Video}?_HLS_msn={segment}&_HLS_part={parts}"));
            await hls.UntilWaiting(Clients);

            await hls.SendAll(6);

            foreach (var client in clients)
                client.ReadBody(client.ReadHead()).ShouldContain($"part_0_{segment}_{parts}_video_");
            await hls.UntilWaiting(0);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_leaves_waits_no_more_and_is_counted_as_gone(bool isKestrel)
    {
        await using var hls = await HlsNode.StartAsync();
        var (_, segment, _) = await hls.Newest();
        var clients = Enumerable.Range(0, 20).Select(_ => isKestrel ? hls.Node.OpenKestrel() : hls.Node.OpenHttp()).ToList();
        foreach (var client in clients)
            client.Send(RawHttp.Get($"{hls.Video}?_HLS_msn={segment + 1}"));
        await hls.UntilWaiting(clients.Count);
        var before = Traffic(hls);

        // Half of them by a reset.
        for (var i = 0; i < clients.Count; i++)
        {
            if (i % 2 == 0)
                clients[i].Socket.LingerState = new LingerOption(enable: true, seconds: 0);
            clients[i].Dispose();
        }

        await hls.UntilWaiting(0);
        var gone = before with { ClientError = before.ClientError + clients.Count };
        await Wait.Until(() => Traffic(hls) == gone, "each is counted, as nothing else and without a byte of an answer");

        // As a control, one that is answered.
        using var missing = await hls.Get($"/live/x/seg_0_{segment + 1}_video_{hls.Key}_llhls.m4s");
        missing.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        await Wait.Until(() => Traffic(hls).ClientError == gone.ClientError + 1, "it is counted");
        Traffic(hls).BytesOut.ShouldBeGreaterThan(gone.BytesOut);
    }

    [Fact]
    public async Task A_client_that_shuts_its_side_behind_its_request_is_answered_when_there_is_nothing_to_wait_for()
    {
        await using var hls = await HlsNode.StartAsync();
        using var client = hls.Node.OpenHttp();
        client.Send(RawHttp.Get("/live/none.m3u8") + RawHttp.Get(hls.Video));
        client.Socket.Shutdown(SocketShutdown.Send);

        client.ReadBody(client.ReadHead()).ShouldContain("not live");
        client.ReadBody(client.ReadHead()).ShouldContain("#EXT-X-PART-INF");
        client.ReadToEnd().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_node_that_stops_answers_those_who_wait()
    {
        var hls = await HlsNode.StartAsync();
        var (_, segment, _) = await hls.Newest();
        using var waiting = hls.Node.OpenHttp();
        using var idle = hls.Node.OpenHttp();
        using var viewer = hls.Node.OpenHttp();
        waiting.Send(RawHttp.Get($"{hls.Video}?_HLS_msn={segment + 1}"));
        viewer.Send(RawHttp.Get("/live/soon.flv?wait=60s"));
        idle.Send(RawHttp.Get("/live/none.m3u8"));
        idle.ReadBody(idle.ReadHead());
        await hls.UntilWaiting(1);
        await Wait.Until(() => hls.Node.Node.Context.Sessions.All.Any(session => session.Protocol == "http-flv"), "the viewer waits");

        await hls.Node.Node.StopAsync();

        foreach (var client in (RawHttp[])[waiting, viewer])
        {
            var answer = client.ReadHead();
            answer.Status.ShouldBe(503);
            answer.Field("connection").ShouldBe("close");
            client.ReadBody(answer).ShouldContain("shutting down");
            client.ReadToEnd().ShouldBeEmpty();
        }

        idle.ReadToEnd().ShouldBeEmpty();
        await hls.DisposeAsync();
    }

    /// <summary>More than the socket's buffers hold; the segment is dropped, and its memory wanted by others, while it is being sent.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_slow_client_gets_its_segment_whole_though_it_goes_meanwhile(bool isKestrel)
    {
        await using var hls = await HlsNode.StartAsync(static settings => settings with { Hls = ShortSegments }, pictureBytes: 200_000);
        var (uri, segment) = await Oldest(hls);
        var whole = await hls.Bytes($"/live/x/{uri}");
        whole.Length.ShouldBeGreaterThan(4_000_000);
        using var slow = isKestrel ? hls.Node.OpenKestrel() : hls.Node.OpenHttp();
        slow.Socket.ReceiveBufferSize = 16 * 1024;
        slow.Send(RawHttp.Get($"/live/x/{uri}") + RawHttp.Get("/live/none.m3u8"));
        var answer = slow.ReadHead();
        var start = slow.ReadBytes(1_000);

        var held = segment.Bytes.HeldBytes;
        Shed(hls);
        Packager(hls).FindSegment(HlsVideo, segment.Number).ShouldBeNull();
        await Wait.Until(() => Used(hls, MemoryUse.RetainedObjects) == held, "it is all that is left of what was dropped");
        // Into memory that was given back.
        hls.Filling = 0x77;
        await hls.SendAll(100);

        byte[] body = [.. start, .. slow.ReadBytes(int.Parse(answer.Field("content-length")) - start.Length)];
        body.ShouldBe(whole);
        slow.ReadHead().Status.ShouldBe(404);
        Shed(hls);
        await Wait.Until(() => Used(hls, MemoryUse.RetainedObjects) == 0, "it has gone");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_takes_nothing_is_let_go_and_its_segment_with_it(bool isKestrel)
    {
        var limits = new LimitSettings { WriteTimeout = TimeSpan.FromSeconds(2) };
        await using var hls = await HlsNode.StartAsync(settings => settings with { Limits = limits, Hls = ShortSegments }, pictureBytes: 200_000);
        var (uri, segment) = await Oldest(hls);
        using var stuck = isKestrel ? hls.Node.OpenKestrel() : hls.Node.OpenHttp();
        stuck.Socket.ReceiveBufferSize = 16 * 1024;
        stuck.Send(RawHttp.Get($"/live/x/{uri}"));
        stuck.ReadHead().Status.ShouldBe(200);
        var open = hls.Node.Node.Connections.Total;

        var held = segment.Bytes.HeldBytes;
        Shed(hls);
        Packager(hls).FindSegment(HlsVideo, segment.Number).ShouldBeNull();
        Used(hls, MemoryUse.RetainedObjects).ShouldBe(held);

        await Wait.Until(() => hls.Node.Node.Connections.Total < open, "it is let go");
        await Wait.Until(() => Used(hls, MemoryUse.RetainedObjects) == 0, "and with it what only it held");
        Used(hls, MemoryUse.HlsWindows).ShouldBe(Packager(hls).Memory.HeldBytes);
        (await hls.Newest()).Segment.ShouldBeGreaterThan(0);
    }

    /// <summary>The first segment that is listed. Two more than three target durations are, so it may be dropped.</summary>
    private static async Task<(string Uri, HlsSegment Segment)> Oldest(HlsNode hls)
    {
        var uri = HlsNode.Uris((await hls.Newest()).Text).First();
        return (uri, Packager(hls).FindSegment(HlsVideo, long.Parse(uri.Split('_')[2])).ShouldNotBeNull());
    }

    /// <summary>Drops what is dropped when memory is short: all that no playlist lists, and of the playlists all but three target durations.</summary>
    private static void Shed(HlsNode hls)
    {
        lock (hls.Live!.Gate)
        {
            for (var level = ShedLevel.Retained; level <= ShedLevel.Windows; level++)
                hls.Live.Shed(level, NodeClock.Micros, long.MaxValue);
        }
    }

    private static HlsPackager Packager(HlsNode hls) => hls.Live!.FindHls(HlsFormat.LowLatency)!;

    private static long Used(HlsNode hls, MemoryUse use) => hls.Node.Node.Context.Registry.Resources.Budget[use].Used;

    /// <summary>Of low-latency HLS; but for what of a request counts as taken, which both writers see in their own way, and for its time.</summary>
    private static TrafficTotals Traffic(HlsNode hls)
    {
        var rows = hls.Node.Node.Context.Traffic.Read().Where(static row => row.Format == TrafficFormat.LlHls);
        return rows.Aggregate(default(TrafficTotals), static (sum, row) => sum + row.Totals) with { BytesIn = 0, Micros = 0 };
    }
}
