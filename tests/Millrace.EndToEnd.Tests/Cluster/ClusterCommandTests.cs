using System.Text.Json;
using Millrace.EndToEnd.Harness;
using Millrace.EndToEnd.Hls;

namespace Millrace.EndToEnd.Cluster;

/// <summary>`./dev cluster`, as docs/cluster.md begins.</summary>
public sealed class ClusterCommandTests
{
    /// <summary>HTTP and RTMP of the origin and the two edges.</summary>
    private static readonly (int Http, int Rtmp)[] Ports = [(8080, 1935), (8090, 1936), (8091, 1937)];

    /// <summary>Where each says that others reach it.</summary>
    private static readonly string[] Relays = ["millrace://127.0.0.1:9000", "millrace://127.0.0.1:9001", "millrace://127.0.0.1:9002"];

    private static readonly string[] Services = ["origin-server", "edge-server-1", "edge-server-2", "redis", "publisher"];

    [Fact(Timeout = 300_000)]
    public async Task The_test_stream_plays_from_all_three_nodes_each_service_has_a_log_and_nothing_is_left_behind()
    {
        await using var cluster = await DemoRun.StartClusterAsync();
        var children = cluster.Children();
        foreach (var (http, rtmp) in Ports)
        {
            cluster.Output.ShouldContain($"http://127.0.0.1:{http}/live/demo ");
            await using var player = Ffmpeg.Play($"rtmp://127.0.0.1:{rtmp}/live/demo", seconds: 2);
            (await player.ExitAsync(TimeSpan.FromSeconds(40))).ShouldBe(0, player.Tail());
            await using var hls = Ffmpeg.Play($"http://127.0.0.1:{http}/live/demo/llhls.m3u8", seconds: 2);
            (await hls.ExitAsync(TimeSpan.FromSeconds(40))).ShouldBe(0, hls.Tail());
        }

        (await RelaysAsync()).ShouldBe(Relays, ignoreOrder: true);
        foreach (var service in Services)
            File.Exists(Path.Combine(Repository.Root, "out", "cluster", service + ".log")).ShouldBeTrue(service);
        (await cluster.StopAsync()).ShouldBe(143);
        DemoRun.StillRunning(children).ShouldBeEmpty();
    }

    private static async Task<IReadOnlyList<string?>> RelaysAsync()
    {
        using var http = new HttpClient();
        using var cluster = JsonDocument.Parse(await http.GetStringAsync("http://127.0.0.1:8082/v1/cluster", TestContext.Current.CancellationToken));
        return [.. cluster.RootElement.GetProperty("nodes").EnumerateArray().Select(static node => node.GetProperty("relay").GetString())];
    }
}
