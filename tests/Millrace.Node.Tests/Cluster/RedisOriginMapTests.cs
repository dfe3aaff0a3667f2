using Millrace.Node.Tests.Harness;
using StackExchange.Redis;

namespace Millrace.Node.Tests.Cluster;

/// <summary>Several nodes and one Redis that works.</summary>
public sealed class RedisOriginMapTests
{
    [Fact]
    public async Task A_registered_stream_is_found_by_others_and_expires_unless_renewed()
    {
        using var redis = await RedisServer.StartAsync();
        await using var origin = new MapRig(redis, "origin");
        await using var edge = new MapRig(redis, "edge");
        origin.Register("x");
        await origin.UntilHeld();
        await edge.UntilConnected();

        (await redis.GetAsync("default/live/x")).ShouldBe("millrace://origin.example:9000/default/live/x");
        ((long)await redis.ExecuteAsync("PTTL", "default/live/x")).ShouldBeInRange(1, 30_000);
        var answer = await edge.FindAsync("x");
        answer.Url.ShouldBe(origin.UrlOf("x"));
        answer.IsStale.ShouldBeFalse();
        (await edge.FindAsync("y")).Url.ShouldBeNull();
        (await origin.FindAsync("x")).Url.ShouldBeNull("it is the node's own");
        edge.State.Lookups.ShouldBe(2);
        edge.State.Misses.ShouldBe(1);
    }

    [Fact]
    public async Task A_heartbeat_renews_what_would_expire()
    {
        using var redis = await RedisServer.StartAsync();
        await using var origin = new MapRig(redis, "origin");
        origin.Register("x");
        await origin.UntilHeld();

        await redis.ExecuteAsync("PEXPIRE", "default/live/x", 20_000);
        await origin.HeartbeatsPass();

        ((long)await redis.ExecuteAsync("PTTL", "default/live/x")).ShouldBeGreaterThan(20_000);
    }

    [Fact]
    public async Task Of_two_that_register_a_stream_the_first_stands_and_the_second_follows_when_it_goes()
    {
        using var redis = await RedisServer.StartAsync();
        await using var first = new MapRig(redis, "first");
        await using var second = new MapRig(redis, "second");
        first.Register("x");
        await first.UntilHeld();
        second.Register("x");
        await second.UntilCandidate();
        await second.HeartbeatsPass();
        (await redis.GetAsync("default/live/x")).ShouldBe(first.UrlOf("x"));

        first.Remove("x");

        await second.UntilHeld();
        (await redis.GetAsync("default/live/x")).ShouldBe(second.UrlOf("x"));
        first.State.Registered.ShouldBe(0);
    }

    [Fact]
    public async Task The_entry_of_a_node_that_died_is_taken_over_when_it_expires()
    {
        using var redis = await RedisServer.StartAsync();
        await redis.ExecuteAsync("SET", "default/live/x", "millrace://dead.example:9000/default/live/x", "PX", 300);
        await using var node = new MapRig(redis, "node");
        node.Register("x");

        await node.UntilHeld();
        (await redis.GetAsync("default/live/x")).ShouldBe(node.UrlOf("x"));
    }

    [Fact]
    public async Task What_the_node_itself_left_behind_before_a_restart_is_its_own()
    {
        using var redis = await RedisServer.StartAsync();
        await using var node = new MapRig(redis, "node");
        await redis.ExecuteAsync("SET", "default/live/x", node.UrlOf("x"), "PX", 60_000);
        await node.UntilConnected();
        (await node.FindAsync("x")).Url.ShouldBeNull();

        node.Register("x");

        await node.UntilHeld();
        ((long)await redis.ExecuteAsync("PTTL", "default/live/x")).ShouldBeInRange(1, 30_000);
    }

    [Fact]
    public async Task A_stop_takes_out_only_what_is_the_nodes_own()
    {
        using var redis = await RedisServer.StartAsync();
        var node = new MapRig(redis, "node");
        node.Register("mine");
        node.Register("lost");
        await node.UntilHeld(2);
        await redis.ExecuteAsync("SET", "default/live/lost", "millrace://other.example:9000/default/live/lost");

        await node.DisposeAsync();

        (await redis.GetAsync("default/live/mine")).ShouldBeNull();
        (await redis.GetAsync("default/live/lost")).ShouldBe("millrace://other.example:9000/default/live/lost");
        (await redis.GetAsync("node/node")).ShouldBeNull();
    }

    [Fact]
    public async Task Neither_a_renewal_nor_a_removal_touches_the_entry_of_another_node()
    {
        using var redis = await RedisServer.StartAsync();
        await using var node = new MapRig(redis, "node");
        node.Register("x");
        await node.UntilHeld();

        await redis.ExecuteAsync("SET", "default/live/x", "millrace://other.example:9000/default/live/x");
        await node.UntilCandidate();
        await node.HeartbeatsPass();
        (await redis.GetAsync("default/live/x")).ShouldBe("millrace://other.example:9000/default/live/x");
        node.Remove("x");
        await Wait.Until(() => node.State.Registered == 0, "removed");
        await node.HeartbeatsPass();

        (await redis.GetAsync("default/live/x")).ShouldBe("millrace://other.example:9000/default/live/x");
    }

    [Fact]
    public async Task A_stream_that_is_registered_anew_under_another_url_is_found_there()
    {
        using var redis = await RedisServer.StartAsync();
        await using var node = new MapRig(redis, "node");
        node.Register("x");
        await node.UntilHeld();

        node.Map.Register(MapRig.Name("x"), "rtmp://other.example/live/x");
        await node.HeartbeatsPass();

        (await redis.GetAsync("default/live/x")).ShouldBe("rtmp://other.example/live/x");
        node.State.Candidates.ShouldBe(0);
    }

    [Fact]
    public async Task Registrations_of_many_threads_end_in_what_was_wanted_last()
    {
        using var redis = await RedisServer.StartAsync();
        await using var node = new MapRig(redis, "node");
        await Parallel.ForAsync(0, 4, TestContext.Current.CancellationToken, (thread, _) =>
        {
            var random = new Random(thread);
            for (var i = 0; i < 5_000; i++)
            {
                var name = $"{thread}-{random.Next(500)}";
                if (random.Next(2) == 0)
                    node.Register(name);
                else
                    node.Remove(name);
            }

            for (var i = 0; i < 500; i++)
            {
                if (i % 2 == 0)
                    node.Register($"{thread}-{i}");
                else
                    node.Remove($"{thread}-{i}");
            }

            return ValueTask.CompletedTask;
        });

        await node.UntilHeld(1_000);
        await node.HeartbeatsPass();
        ((long)await redis.ExecuteAsync("DBSIZE")).ShouldBe(1_002, "and the node's status, and the nodes");
    }

    [Fact]
    public async Task Look_ups_of_one_name_at_the_same_time_are_one_request()
    {
        using var redis = await RedisServer.StartAsync();
        await using var edge = new MapRig(redis, "edge");
        await redis.ExecuteAsync("SET", "default/live/x", "rtmp://foreign.example/live/x");
        await edge.UntilConnected();
        redis.Freeze();

        var asked = Enumerable.Range(0, 100).Select(_ => edge.FindAsync("x")).ToArray();
        asked.ShouldAllBe(task => !task.IsCompleted);
        redis.Thaw();

        (await Task.WhenAll(asked)).ShouldAllBe(answer => answer.Url == "rtmp://foreign.example/live/x");
        ((string)await redis.ExecuteAsync("INFO", "commandstats")).ShouldContain("cmdstat_getrange:calls=1,");
    }

    [Fact]
    public async Task A_caller_that_goes_ends_nobody_elses_look_up()
    {
        using var redis = await RedisServer.StartAsync();
        await using var edge = new MapRig(redis, "edge");
        await redis.ExecuteAsync("SET", "default/live/x", "rtmp://foreign.example/live/x");
        await edge.UntilConnected();
        redis.Freeze();
        using var gone = new CancellationTokenSource();

        var first = edge.Map.FindAsync(MapRig.Name("x"), gone.Token).AsTask();
        var second = edge.FindAsync("x");
        await gone.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(first);
        redis.Thaw();

        (await second).Url.ShouldBe("rtmp://foreign.example/live/x");
    }

    [Theory]
    [InlineData("millrace://[2001:db8::1]:9000/default/live/x")]
    [InlineData("rtmp://foreign.example/live/x?vhost=a")]
    [InlineData("http://foreign.example:8080/live/x.flv")]
    [InlineData("https://foreign.example/live/x.flv")]
    public async Task A_value_of_any_scheme_is_given_as_it_stands(string url)
    {
        using var redis = await RedisServer.StartAsync();
        await using var edge = new MapRig(redis, "edge");
        await redis.ExecuteAsync("SET", "default/live/x", url);
        await edge.UntilConnected();

        (await edge.FindAsync("x")).Url.ShouldBe(url);
    }

    [Fact]
    public async Task All_nodes_that_live_are_listed_and_nothing_else()
    {
        using var redis = await RedisServer.StartAsync();
        await using var first = new MapRig(redis, "first");
        var second = new MapRig(redis, "second");
        await redis.ExecuteAsync("SET", "node/garbage", "{");
        await redis.ExecuteAsync("SET", "node/other", "{\"id\":\"first\"}");
        await redis.ExecuteAsync("SET", "node/huge", new string('x', 1 << 20));
        await redis.ExecuteAsync("LPUSH", "node/list", "x");
        await redis.ExecuteAsync("SET", "node/live/x", "rtmp://a.example/a stream of a vhost of this name");
        await first.UntilConnected();
        await Wait.Until(async () => (await first.NodesAsync()).Count > 0, "the first is listed");
        foreach (var id in (string[])["garbage", "other", "huge", "list", "live/x", "", "has gone"])
            await redis.ExecuteAsync("ZADD", "nodes", "9e15", id);

        await Wait.Until(async () => (await first.NodesAsync()).Select(node => node.Id).SequenceEqual(["first", "second"]), "both are listed");
        (await first.NodesAsync())[1].ShouldBe(
            new Millrace.Node.Cluster.NodeStatus("second", "millrace://second.example:9000", "http://second.example:8080", DateTimeOffset.UnixEpoch, 3, 40, 0.5));
        await second.DisposeAsync();
        await Wait.Until(async () => (await first.NodesAsync()).Count == 1, "the other is gone");
    }

    [Fact]
    public async Task Two_clusters_share_a_Redis_by_prefix_or_database()
    {
        using var redis = await RedisServer.StartAsync();
        // What a pattern would take for something else.
        await using var prefixed = new MapRig(redis, "a", settings => settings with { Redis = settings.Redis with { Prefix = "m*[x]:" } });
        await using var numbered = new MapRig(redis, "b", settings => settings with { Redis = settings.Redis with { Database = 3 } });
        prefixed.Register("x");
        numbered.Register("x");
        await prefixed.UntilHeld();
        await numbered.UntilHeld();

        (await redis.GetAsync("m*[x]:default/live/x")).ShouldBe(prefixed.UrlOf("x"));
        (await redis.GetAsync("default/live/x")).ShouldBeNull();
        await Wait.Until(async () => (await prefixed.NodesAsync()).Count == 1, "a alone");
        await Wait.Until(async () => (await numbered.NodesAsync()).Count == 1, "b alone");
        (await prefixed.NodesAsync())[0].Id.ShouldBe("a");
    }
}
