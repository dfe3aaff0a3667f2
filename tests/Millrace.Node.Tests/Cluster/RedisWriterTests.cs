using Millrace.Node.Cluster;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;

namespace Millrace.Node.Tests.Cluster;

/// <summary>Single turns of the map's loop.</summary>
public sealed class RedisWriterTests
{
    private static readonly NodeStatus Status = new("node", "", "", DateTimeOffset.UnixEpoch, 0, 0, 0);

    [Fact]
    public async Task A_node_whose_entry_has_gone_before_its_time_knows_that_the_map_was_emptied()
    {
        using var redis = await RedisServer.StartAsync();
        var settings = new ClusterSettings
        {
            Node = "node",
            LookupTimeout = TimeSpan.FromSeconds(10),
            Redis = new RedisSettings { Endpoint = FormattableString.Invariant($"127.0.0.1:{redis.Port}") },
        };
        var logger = new LogLines().CreateLogger("Millrace.Cluster");
        using var link = new RedisLink(settings, TimeProvider.System, logger);
        (await link.ConnectAsync()).ShouldBeNull();
        var claims = new OriginClaims("");
        var emptied = 0;
        var writer = new RedisWriter(settings, claims, new OriginMapCounters(), TimeProvider.System, logger) { Recreated = () => emptied++ };
        claims.Wish(MapRig.Name("x"), "rtmp://a.example/live/x");
        (await writer.BeatAsync(link.Database!, Status)).ShouldBeNull();
        (await writer.BeatAsync(link.Database!, Status)).ShouldBeNull();
        emptied.ShouldBe(0);

        await redis.ExecuteAsync("FLUSHALL");
        (await writer.BeatAsync(link.Database!, Status)).ShouldBeNull();
        emptied.ShouldBe(1);

        claims.Wish(MapRig.Name("x"), null);
        (await writer.WriteNewAsync(link.Database!)).ShouldBeNull();
        claims.Wish(MapRig.Name("x"), "rtmp://a.example/live/x");
        (await writer.WriteNewAsync(link.Database!)).ShouldBeNull();
        emptied.ShouldBe(1, "it took the entry out itself");
    }
}
