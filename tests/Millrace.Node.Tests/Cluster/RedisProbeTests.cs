using Millrace.Node.Cluster;
using Millrace.Node.Settings;

namespace Millrace.Node.Tests.Cluster;

/// <summary>What a look at Redis finds, and that it leaves nothing behind.</summary>
public sealed class RedisProbeTests
{
    [Fact]
    public async Task A_Redis_that_answers_is_left_as_it_was()
    {
        using var redis = await RedisServer.StartAsync();

        var (error, answer) = await ProbeAsync(redis);

        error.ShouldBeNull();
        answer.ShouldBeGreaterThan(TimeSpan.Zero);
        ((int)await redis.ExecuteAsync("DBSIZE")).ShouldBe(0);
    }

    [Theory]
    [InlineData("", "it wants a password: set cluster.redis.password")]
    [InlineData("wrong", "it refuses cluster.redis.password")]
    [InlineData("right", null)]
    public async Task Its_password_is_tried(string password, string? expected)
    {
        using var redis = await RedisServer.StartAsync("--requirepass", "right");

        (await ProbeAsync(redis, password)).Error.ShouldBe(expected);
    }

    [Fact]
    public async Task One_that_is_not_there_is_told_so()
    {
        using var redis = new RedisServer();

        (await ProbeAsync(redis)).Error.ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public async Task One_that_is_frozen_is_waited_for_no_longer_than_the_settings_say()
    {
        using var redis = await RedisServer.StartAsync();
        redis.Freeze();
        try
        {
            (await ProbeAsync(redis).WaitAsync(Harness.Wait.Deadline, TestContext.Current.CancellationToken)).Error.ShouldNotBeNullOrEmpty();
        }
        finally
        {
            redis.Thaw();
        }
    }

    private static Task<(string? Error, TimeSpan Answer)> ProbeAsync(RedisServer redis, string password = "") => RedisProbe.RunAsync(
        new ClusterSettings
        {
            Map = OriginMapKind.Redis,
            Redis = new RedisSettings
            {
                Endpoint = FormattableString.Invariant($"127.0.0.1:{redis.Port}"),
                Password = new Secret(password),
                ConnectTimeout = TimeSpan.FromSeconds(1),
            },
        },
        TimeProvider.System);
}
