using Millrace.Node.Cluster;
using Millrace.Node.Tests.Harness;

namespace Millrace.Node.Tests.Cluster;

/// <summary>Redis that is away, empty, frozen, locked, or full of rubbish.</summary>
public sealed class RedisOutageTests
{
    [Fact]
    public async Task After_a_restart_everything_is_registered_again_and_meanwhile_the_last_known_answers()
    {
        using var redis = await RedisServer.StartAsync();
        await using var origin = new MapRig(redis, "origin");
        await using var edge = new MapRig(redis, "edge");
        for (var i = 0; i < 100; i++)
            origin.Register($"{i}");
        await origin.UntilHeld(100);
        await edge.UntilConnected();
        (await edge.FindAsync("7")).Url.ShouldBe(origin.UrlOf("7"));

        redis.Kill();
        // What is held is known to be lost after the connection is.
        await Wait.Until(() => !edge.State.IsConnected && origin.State is { IsConnected: false, Candidates: 100 }, "both notice");
        var answer = await edge.FindAsync("7");
        answer.Url.ShouldBe(origin.UrlOf("7"));
        answer.Age.ShouldNotBeNull().ShouldBeGreaterThan(TimeSpan.Zero);
        (await edge.FindAsync("8")).Url.ShouldBeNull("nobody had asked for it");
        origin.Remove("99");
        origin.Register("new");
        await redis.RunAsync();

        await origin.UntilHeld(100);
        ((long)await redis.ExecuteAsync("EXISTS", "default/live/7", "default/live/new", "default/live/99")).ShouldBe(2);
        await edge.UntilConnected();
        (await edge.FindAsync("8")).IsStale.ShouldBeFalse();
        edge.State.Stale.ShouldBe(1);
        foreach (var rig in new[] { origin, edge })
        {
            rig.Log.Containing("is lost").Count.ShouldBe(1);
            await Wait.Until(() => rig.Log.Containing("connected to Redis").Count == 2, "the line of its return");
            rig.Log.All.Count.ShouldBe(3);
        }
    }

    [Fact]
    public async Task In_a_Redis_that_came_back_empty_a_stream_is_where_it_was_last_until_its_node_had_time_to_come_back()
    {
        using var redis = await RedisServer.StartAsync();
        await redis.ExecuteAsync("SET", "default/live/x", "millrace://slow.example:9000/default/live/x");
        await using var patient = new MapRig(redis, "patient");
        await using var impatient = new MapRig(redis, "impatient", settings => settings with { Expiry = TimeSpan.FromMilliseconds(200) });
        foreach (var edge in new[] { patient, impatient })
        {
            await edge.UntilConnected();
            (await edge.FindAsync("x")).Url.ShouldNotBeNull();
        }

        redis.Kill();
        await Wait.Until(() => !patient.State.IsConnected && !impatient.State.IsConnected, "both notice");
        await redis.RunAsync();
        await patient.UntilConnected();
        await impatient.UntilConnected();

        (await patient.FindAsync("x")).IsStale.ShouldBeTrue();
        (await patient.FindAsync("never")).ShouldBe(OriginAnswer.None);
        await Wait.Until(async () => await impatient.FindAsync("x") == OriginAnswer.None, "its time is over");
    }

    [Fact]
    public async Task A_Redis_that_is_not_there_at_the_start_is_waited_for_in_one_line()
    {
        using var redis = new RedisServer();
        await using var node = new MapRig(redis, "node");
        node.Register("x");
        node.Register("y");
        node.Remove("y");
        (await node.FindAsync("z")).ShouldBe(OriginAnswer.None);
        (await node.NodesAsync()).ShouldBeEmpty();
        await Wait.Until(() => node.State.Failures >= 3, "three attempts");
        node.State.IsConnected.ShouldBeFalse();
        node.State.LastError.ShouldBe("SocketFailure");

        await redis.RunAsync();

        await node.UntilHeld();
        (await redis.GetAsync("default/live/x")).ShouldBe(node.UrlOf("x"));
        (await redis.GetAsync("default/live/y")).ShouldBeNull();
        node.Log.All.Count.ShouldBe(2);
        node.Log.All[0].ShouldContain("cannot be used");
        node.Log.All[1].ShouldContain("connected to Redis");
    }

    [Fact]
    public async Task What_is_flushed_is_registered_again()
    {
        using var redis = await RedisServer.StartAsync();
        await using var node = new MapRig(redis, "node");
        node.Register("x");
        await node.UntilHeld();

        await redis.ExecuteAsync("FLUSHALL");
        await node.HeartbeatsPass();

        (await redis.GetAsync("default/live/x")).ShouldBe(node.UrlOf("x"));
        (await redis.GetAsync("node/node")).ShouldNotBeNull();
        node.State.Candidates.ShouldBe(0);
    }

    [Fact]
    public async Task A_Redis_that_freezes_is_given_up_and_found_again()
    {
        using var redis = await RedisServer.StartAsync();
        await redis.ExecuteAsync("SET", "default/live/x", "rtmp://foreign.example/live/x");
        await using var edge = new MapRig(redis, "edge", settings => settings with
        {
            LookupTimeout = TimeSpan.FromMilliseconds(200),
            Redis = settings.Redis with { ConnectTimeout = TimeSpan.FromMilliseconds(500) },
        });
        edge.Register("mine");
        await edge.UntilHeld();
        await Wait.Until(async () => await edge.FindAsync("x") is { Url: not null, IsStale: false }, "an answer");

        redis.Freeze();
        var answer = await edge.FindAsync("x");
        answer.Url.ShouldBe("rtmp://foreign.example/live/x");
        answer.IsStale.ShouldBeTrue();
        await Wait.Until(() => !edge.State.IsConnected, "the connection is given up");
        redis.Thaw();

        await edge.UntilHeld();
        await Wait.Until(async () => await edge.FindAsync("x") is { Url: not null, IsStale: false }, "an answer");
    }

    [Fact]
    public async Task A_node_stops_in_good_time_while_Redis_is_frozen()
    {
        using var redis = await RedisServer.StartAsync();
        var node = new MapRig(redis, "node");
        node.Register("x");
        await node.UntilHeld();
        redis.Freeze();

        await node.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);

        node.Register("y");
        node.Remove("x");
        (await node.FindAsync("x")).ShouldBe(OriginAnswer.None);
    }

    [Theory]
    [InlineData("falsch", "it refuses cluster.redis.password")]
    [InlineData("", "it wants a password: set cluster.redis.password")]
    public async Task A_wrong_password_is_called_so_and_the_right_one_works(string password, string error)
    {
        using var redis = await RedisServer.StartAsync("--requirepass", "geheim");
        await using var wrong = new MapRig(redis, "wrong", settings => settings with { Redis = settings.Redis with { Password = new(password) } });
        await using var right = new MapRig(redis, "right", settings => settings with { Redis = settings.Redis with { Password = new("geheim") } });
        right.Register("x");
        await right.UntilHeld();

        await Wait.Until(() => wrong.State.Failures >= 2, "two attempts");
        wrong.State.LastError.ShouldBe(error);
        var line = wrong.Log.All.ShouldHaveSingleItem();
        line.ShouldContain(error);
        line.ShouldNotContain("falsch");
    }

    [Fact]
    public async Task A_Redis_that_speaks_no_TLS_is_no_use_with_it()
    {
        using var redis = await RedisServer.StartAsync();
        await using var node = new MapRig(redis, "node", settings => settings with
        {
            Redis = settings.Redis with { Tls = true, ConnectTimeout = TimeSpan.FromMilliseconds(500) },
        });

        await Wait.Until(() => node.State.Failures >= 1, "an attempt");
        node.State.IsConnected.ShouldBeFalse();
        node.Log.All.ShouldHaveSingleItem().ShouldContain("cannot be used");
    }

    [Fact]
    public async Task A_certificate_that_the_machine_does_not_trust_is_refused_and_called_so()
    {
        using var certificate = new TestCertificate();
        using var redis = new RedisServer();
        await redis.RunAsync(
            "--port", "0", "--tls-port", $"{redis.Port}", "--tls-cert-file", certificate.CertificatePath, "--tls-key-file", certificate.KeyPath,
            "--tls-ca-cert-file", certificate.CertificatePath, "--tls-auth-clients", "no");
        await using var node = new MapRig(redis, "node", settings => settings with { Redis = settings.Redis with { Tls = true } });

        await Wait.Until(() => node.State.Failures >= 2, "two attempts");
        node.State.LastError.ShouldBe("its certificate is not trusted: RemoteCertificateChainErrors");
        node.Log.All.ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("not a url")]
    [InlineData("rtmp:")]
    [InlineData("millrace://")]
    [InlineData("rtmp://a.example/live/x\nrtmp://b.example/live/x")]
    [InlineData("/etc/passwd")]
    public async Task A_value_that_is_no_url_is_counted_and_not_followed(string value)
    {
        using var redis = await RedisServer.StartAsync();
        await using var edge = new MapRig(redis, "edge");
        await redis.ExecuteAsync("SET", "default/live/x", value);
        await edge.UntilConnected();

        (await edge.FindAsync("x")).ShouldBe(OriginAnswer.None);
        edge.State.Failures.ShouldBe(1);
        edge.State.LastError.ShouldBe("the value of default/live/x is not a URL");
    }

    [Fact]
    public async Task A_huge_value_is_not_even_fetched()
    {
        using var redis = await RedisServer.StartAsync();
        await using var edge = new MapRig(redis, "edge");
        await redis.ExecuteAsync("SET", "default/live/x", "rtmp://a.example/" + new string('x', 4 << 20));
        await edge.UntilConnected();
        var before = await OutputOf(redis);

        (await edge.FindAsync("x")).ShouldBe(OriginAnswer.None);
        edge.State.LastError.ShouldBe("the value of default/live/x is not a URL");
        (await OutputOf(redis) - before).ShouldBeLessThan(1 << 20);
    }

    [Fact]
    public async Task A_key_of_another_type_is_a_refusal_of_bounded_length_until_it_goes()
    {
        using var redis = await RedisServer.StartAsync();
        await using var node = new MapRig(redis, "node");
        await redis.ExecuteAsync("LPUSH", "default/live/x", "value");
        node.Register("x");
        node.Register("y");
        await Wait.Until(() => node.State is { Registered: 2, Candidates: 1, Failures: > 1 }, "one of two is refused, again and again");
        (await node.FindAsync("x")).ShouldBe(OriginAnswer.None);
        node.State.LastError.ShouldNotBeNull().ShouldStartWith("WRONGTYPE");
        node.State.LastError!.Length.ShouldBeLessThanOrEqualTo(OriginMapCounters.MaxErrorLength);

        await redis.ExecuteAsync("DEL", "default/live/x");

        await node.UntilHeld(2);
        node.State.IsConnected.ShouldBeTrue();
        node.Log.Containing("refuses to take").Count.ShouldBe(1);
        await Wait.Until(() => node.Log.Containing("takes all entries again").Count == 1, "the end is said");
        node.Log.Containing("is lost").ShouldBeEmpty();
    }

    [Fact]
    public async Task A_url_that_is_none_is_not_registered()
    {
        using var redis = await RedisServer.StartAsync();
        await using var node = new MapRig(redis, "node");
        node.Map.Register(MapRig.Name("x"), new string('x', 1 << 20));
        node.Register("y");
        await node.UntilHeld();

        node.State.Failures.ShouldBe(1);
        (await redis.GetAsync("default/live/x")).ShouldBeNull();
    }

    private static async Task<long> OutputOf(RedisServer redis)
    {
        var stats = (string)await redis.ExecuteAsync("INFO", "stats");
        var line = stats.Split('\n').First(line => line.StartsWith("total_net_output_bytes:", StringComparison.Ordinal));
        return long.Parse(line.Split(':')[1]);
    }
}
