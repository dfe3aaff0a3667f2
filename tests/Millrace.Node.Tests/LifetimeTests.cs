using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.Logging;
using Millrace.Node.Settings;
using Millrace.Node.Shards;
using Millrace.Node.Tests.Harness;

namespace Millrace.Node.Tests;

public sealed class LifetimeTests
{
    [Fact]
    public async Task A_stop_ends_all_with_one_closing_line_each()
    {
        await using var node = await TestNode.StartAsync();
        var publisher = await node.PublishAsync();
        publisher.SendClip();
        var player = node.Play();
        var waiting = node.Play(name: "none");
        await Wait.Until(() => player.MediaCount > 0, "media");
        var shard = node.OpenHttp();
        shard.Send(RawHttp.Get("/live/x.flv"));
        shard.ReadHead().Status.ShouldBe(200);
        var kestrel = node.OpenHttp();
        kestrel.Send(RawHttp.Get("http://localhost/live/x.flv"));
        await Wait.Until(() => node.Node.Context.Sessions.Count == 5, "five sessions");
        var clock = Stopwatch.StartNew();

        await node.Node.StopAsync();

        clock.Elapsed.ShouldBeLessThan(TestNode.Defaults.Shutdown.Deadline);
        node.Log.Containing(" closed: the node is shutting down").Count.ShouldBe(5);
        node.Log.Containing(" closed: ").Count.ShouldBe(5);
        node.Node.Context.Sessions.Count.ShouldBe(0);
        await Wait.Until(() => publisher.HasEnded && player.HasEnded && waiting.HasEnded, "the sockets are closed");
        shard.ReadToEnd();
        kestrel.ReadToEnd();
    }

    [Fact]
    public async Task A_port_that_is_taken_is_named_with_its_setting()
    {
        await using var node = await TestNode.StartAsync();
        var taken = TestNode.Defaults with { Rtmp = new RtmpSettings { Listen = [new ListenEndpoint(IPAddress.Loopback, node.Node.RtmpPort)] } };

        var error = await Should.ThrowAsync<ListenException>(() => TestNode.StartAsync(_ => taken));

        error.Message.ShouldContain("rtmp.listen[0]");
        error.Message.ShouldContain(node.Node.RtmpPort.ToString());
    }

    /// <summary>Publishers would connect, and be dropped when the web servers come to their turn.</summary>
    [Theory]
    [InlineData("api.listen[0]: ")]
    [InlineData("http.tls.listen[0]: ")]
    [InlineData("http.tls.certificate: ")]
    public async Task A_node_that_cannot_start_never_takes_a_connection(string setting)
    {
        using var files = new TestCertificate();
        using var taken = ListenSocket.Open(new ListenEndpoint(IPAddress.Loopback, 0), "a test");
        var takenEndpoint = new ListenEndpoint(IPAddress.Loopback, ((IPEndPoint)taken.LocalEndPoint!).Port);
        var settings = TestNode.Defaults;
        settings = setting[..4] switch
        {
            "api." => settings with { Api = new ApiSettings { Listen = [takenEndpoint] } },
            _ => settings with { Http = settings.Http with { Tls = setting.Contains("listen") ? files.Settings with { Listen = [takenEndpoint] } : files.Settings with { Certificate = "/none.pem" } } },
        };
        using var loggers = LoggerFactory.Create(static _ => { });
        await using var node = new MediaNode(settings, loggers);

        var error = await Should.ThrowAsync<ListenException>(() => node.StartAsync(TestContext.Current.CancellationToken));

        error.Message.ShouldStartWith(setting);
        (node.RtmpPort, node.HttpPort).ShouldBe((0, 0));
    }

    [Fact]
    public async Task A_burst_of_connections_is_dealt_out_evenly()
    {
        await using var node = await TestNode.StartAsync();
        for (var i = 0; i < 100; i++)
            node.OpenSocket(node.Node.RtmpPort);

        await Wait.Until(() => node.Node.Shards.Sum(shard => shard.ConnectionCount) == 100, "all are accepted");

        node.Node.Shards.Select(shard => shard.ConnectionCount).ShouldBe([50, 50]);
    }

    [Fact]
    public async Task A_node_whose_time_is_over_before_all_have_been_told_stops_all_the_same()
    {
        await using var node = await TestNode.StartAsync(settings => settings with { Shutdown = new ShutdownSettings { Deadline = TimeSpan.Zero } });
        (await node.PublishAsync()).SendClip();
        var player = node.Play();
        await Wait.Until(() => player.MediaCount > 0, "media");
        var kestrel = node.OpenHttp();
        kestrel.Send(RawHttp.Get("http://localhost/live/x.flv"));
        await Wait.Until(() => node.Node.Context.Sessions.Count == 3, "three sessions");
        // A shard that has so many to tell that nothing is left for Kestrel.
        node.Node.Shards[0].Post(() =>
        {
            node.Node.Context.Stopping.WaitHandle.WaitOne();
            Thread.Sleep(20);
        });

        await node.Node.StopAsync();

        await Wait.Until(() => node.Node.Context.Sessions.Count == 0 && player.HasEnded, "all have been told");
        kestrel.ReadToEnd();
    }

    [Fact]
    public async Task Connections_over_the_limit_are_closed_and_places_come_back()
    {
        await using var node = await TestNode.StartAsync(settings => settings with { Limits = new LimitSettings { ConnectionsPerIp = 2 } });
        var first = node.OpenSocket(node.Node.RtmpPort);
        _ = node.OpenSocket(node.Node.HttpPort);
        await Wait.Until(() => node.Node.Shards.Sum(shard => shard.ConnectionCount) == 2, "two are accepted");

        var third = node.OpenSocket(node.Node.RtmpPort);
        third.Receive(new byte[1]).ShouldBe(0);
        first.Dispose();
        // The counts, for the shard lets a connection go before its place comes back.
        await Wait.Until(() => node.Node.Connections.Total == 1, "one has gone");

        (await node.PublishAsync()).IsReady.ShouldBeTrue();
        node.Log.Containing("limits.connections_per_ip is reached").Count.ShouldBe(1);
    }
}
