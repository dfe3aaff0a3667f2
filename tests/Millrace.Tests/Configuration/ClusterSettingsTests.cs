using Millrace.Node.Settings;

namespace Millrace.Tests.Configuration;

public sealed class ClusterSettingsTests
{
    [Fact]
    public void A_node_is_alone_and_has_the_machines_name_unless_told_otherwise()
    {
        var cluster = Loading.Load().Valid().Cluster;
        cluster.Map.ShouldBe(OriginMapKind.Memory);
        cluster.NodeId.ShouldBe(Environment.MachineName);
        Loading.Load("cluster: {node: edge-1}").Valid().Cluster.NodeId.ShouldBe("edge-1");
    }

    [Theory]
    [InlineData("cluster: {advertise: 'h:1'}", "millrace://h:1")]
    [InlineData("cluster: {advertise: 'millraces://h:1'}", "millraces://h:1")]
    [InlineData("cluster: {advertise: 'millrace://[::1]:1'}\nrelay: {listen: [], tls: {certificate: a, key: b}}", "millrace://[::1]:1")]
    [InlineData("cluster: {advertise: 'h:1'}\nrelay: {tls: {certificate: a, key: b}}", "millrace://h:1")]
    [InlineData("cluster: {advertise: 'h:1'}\nrelay: {listen: [], tls: {certificate: a, key: b}}", "millraces://h:1")]
    [InlineData("cluster: {advertise: 'h:1'}\nrelay: {listen: [], tls: {authority: a}}", "millrace://h:1")]
    [InlineData("", "")]
    public void A_node_is_reached_by_the_scheme_that_is_written_or_by_TLS_where_there_is_nothing_else(string yaml, string url) =>
        Loading.Load(yaml).Valid().AdvertisedUrl().ShouldBe(url);

    [Theory]
    [InlineData("cluster: {advertise: h}", "millrace://h:9000")]
    [InlineData("cluster: {advertise: h}\nrelay: {listen: [':9001', ':9002']}", "millrace://h:9001")]
    [InlineData("cluster: {advertise: '[::1]'}\nrelay: {listen: [':9001']}", "millrace://[::1]:9001")]
    [InlineData("cluster: {advertise: h}\nrelay: {listen: [], tls: {listen: [':9444'], certificate: a, key: b}}", "millraces://h:9444")]
    [InlineData("cluster: {advertise: 'millraces://h'}\nrelay: {listen: [':9001'], tls: {certificate: a, key: b}}", "millraces://h:9443")]
    [InlineData("cluster: {advertise: 'millrace://h'}\nrelay: {listen: [':9001'], tls: {certificate: a, key: b}}", "millrace://h:9001")]
    public void Without_a_port_it_is_reached_by_the_one_that_its_relay_listens_on(string yaml, string url) =>
        Loading.Load(yaml).Valid().AdvertisedUrl().ShouldBe(url);

    [Theory]
    [InlineData("cluster: {node: a/b}", "cluster.node")]
    [InlineData("cluster: {node: '0123456789012345678901234567890123456789012345678901234567890123'}", "cluster.node")]
    [InlineData("cluster: {advertise: example.org}\nrelay: {listen: []}", "cluster.advertise")]
    [InlineData("cluster: {advertise: example.org}\nrelay: {listen: ['127.0.0.1:0']}", "cluster.advertise")]
    [InlineData("cluster: {advertise: ':9000'}", "cluster.advertise")]
    [InlineData("cluster: {advertise: 'example.org:0'}", "cluster.advertise")]
    [InlineData("cluster: {advertise: '::1:9000'}", "cluster.advertise")]
    [InlineData("cluster: {advertise: 'rtmp://example.org:9000'}", "cluster.advertise")]
    [InlineData("cluster: {advertise: 'millraces://'}", "cluster.advertise")]
    [InlineData("cluster: {map: etcd}", "cluster.map")]
    [InlineData("cluster: {heartbeat: 99ms}", "cluster.heartbeat")]
    [InlineData("cluster: {heartbeat: 6s}", "cluster.expiry")]
    [InlineData("cluster: {expiry: 11m}", "cluster.expiry")]
    [InlineData("cluster: {lookup_timeout: 0}", "cluster.lookup_timeout")]
    [InlineData("cluster: {elsewhere: forward}", "cluster.elsewhere")]
    [InlineData("cluster: {public: {rtmp: 'origin.example:1935'}}", "cluster.public.rtmp")]
    [InlineData("cluster: {public: {rtmp: 'http://origin.example'}}", "cluster.public.rtmp")]
    [InlineData("cluster: {public: {http: 'https://origin.example'}}", "cluster.public.http")]
    [InlineData("cluster: {public: {http: 'http://origin.example/media'}}", "cluster.public.http")]
    [InlineData("cluster: {public: {https: 'https://origin.example?a=b'}}", "cluster.public.https")]
    [InlineData("cluster: {redis: {endpoint: ''}}", "cluster.redis.endpoint")]
    [InlineData("cluster: {redis: {endpoint: 'redis:70000'}}", "cluster.redis.endpoint")]
    [InlineData("cluster: {redis: {endpoint: 'redis:'}}", "cluster.redis.endpoint")]
    [InlineData("cluster: {redis: {endpoint: 'redis://redis'}}", "cluster.redis.endpoint")]
    [InlineData("cluster: {redis: {endpoint: '[::1'}}", "cluster.redis.endpoint")]
    [InlineData("cluster: {redis: {endpoint: '[::1]6379'}}", "cluster.redis.endpoint")]
    [InlineData("cluster: {redis: {endpoint: '[redis]:6379'}}", "cluster.redis.endpoint")]
    [InlineData("cluster: {redis: {database: 70000}}", "cluster.redis.database")]
    [InlineData("cluster: {redis: {prefix: 'a b'}}", "cluster.redis.prefix")]
    [InlineData("cluster: {redis: {password: \"a\\nb\"}}", "cluster.redis.password")]
    [InlineData("cluster: {redis: {connect_timeout: 0}}", "cluster.redis.connect_timeout")]
    public void A_value_out_of_its_range_is_refused(string yaml, string path) =>
        Loading.Load(yaml).Errors.ShouldHaveSingleItem().Path.ShouldBe(path);

    [Theory]
    [InlineData("cluster: {node: Edge_1.example-2, advertise: '[2001:db8::1]:9000', map: redis}")]
    [InlineData("cluster: {heartbeat: 5s, expiry: 10s, lookup_timeout: 10s}")]
    [InlineData("cluster: {redis: {endpoint: redis, password: 'with space', prefix: 'millrace:', database: 15, tls: true}}")]
    [InlineData("cluster: {redis: {endpoint: '[::1]'}}")]
    [InlineData("cluster: {elsewhere: redirect, public: {rtmp: 'rtmp://origin.example:1936', http: 'http://[2001:db8::1]:8080', https: none}}")]
    public void The_ends_of_the_ranges_are_allowed(string yaml) => Loading.Load(yaml).Valid();

    [Theory]
    [InlineData("REDIS_HOST", "redis", "redis:6379", 0, "", false)]
    [InlineData("REDIS_HOST", "10.0.0.1:6380", "10.0.0.1:6380", 0, "", false)]
    [InlineData("REDIS_HOST", "[::1]:6380", "[::1]:6380", 0, "", false)]
    [InlineData("REDIS_URL", "redis://redis", "redis:6379", 0, "", false)]
    [InlineData("REDIS_URL", "redis://redis:6379", "redis:6379", 0, "", false)]
    [InlineData("REDIS_URL", "redis://:geheim@redis:6380/2", "redis:6380", 2, "geheim", false)]
    [InlineData("REDIS_URL", "redis://default:p%40ss%3Aword@redis/", "redis:6379", 0, "p@ss:word", false)]
    [InlineData("REDIS_URL", "rediss://:geheim@[2001:db8::1]:6380", "[2001:db8::1]:6380", 0, "geheim", true)]
    public void A_variable_of_Redis_selects_it(string name, string value, string endpoint, int database, string password, bool tls)
    {
        var cluster = Loading.Load(null, null, (name, value)).Valid().Cluster;
        cluster.Map.ShouldBe(OriginMapKind.Redis);
        cluster.Redis.ShouldBe(new RedisSettings { Endpoint = endpoint, Database = database, Password = password.Length > 0 ? new Secret(password) : default, Tls = tls });
    }

    [Theory]
    [InlineData("REDIS_HOST", "redis:0", "REDIS_HOST: cluster.redis.endpoint: port 0 is out of range: 1 to 65535")]
    [InlineData("REDIS_URL", "http://:geheim@redis", "REDIS_URL: cluster.redis: is not redis://[:password@]host[:port][/database], or rediss:// for TLS")]
    [InlineData("REDIS_URL", "redis:6379", "REDIS_URL: cluster.redis: is not redis://[:password@]host[:port][/database], or rediss:// for TLS")]
    [InlineData("REDIS_URL", "redis://:geheim@redis/main", "REDIS_URL: cluster.redis: is not redis://[:password@]host[:port][/database], or rediss:// for TLS")]
    [InlineData("REDIS_URL", "redis://anna:geheim@redis", "REDIS_URL: cluster.redis: only the user 'default' is supported: write redis://:password@host")]
    [InlineData("REDIS_URL", "redis://:geheim@redis/70000", "REDIS_URL: cluster.redis.database: 70000 is out of range: 0 to 65535")]
    public void A_wrong_variable_of_Redis_is_named_without_its_password(string name, string value, string message) =>
        Loading.Load(null, null, (name, value)).ErrorLines().ShouldHaveSingleItem().ShouldBe(message);

    [Fact]
    public void Two_variables_of_Redis_must_agree()
    {
        Loading.Load(null, null, ("REDIS_HOST", "redis"), ("REDIS_URL", "redis://:geheim@redis:6380/1")).Valid()
            .Cluster.Redis.ShouldBe(new RedisSettings { Endpoint = "redis:6380", Database = 1, Password = new Secret("geheim") });
        Loading.Load(null, null, ("REDIS_HOST", "redis"), ("REDIS_URL", "redis://other")).ErrorLines()
            .ShouldHaveSingleItem().ShouldBe("REDIS_HOST: cluster.redis.endpoint: contradicts REDIS_URL: set one of them");
    }

    [Fact]
    public void A_variable_of_Redis_beats_the_file_and_our_own_beats_it()
    {
        const string yaml = "cluster: {map: memory, redis: {endpoint: 'file:1', prefix: 'm:'}}";
        Loading.Load(yaml, null, ("REDIS_HOST", "")).Valid().Cluster.Map.ShouldBe(OriginMapKind.Memory);
        var redis = Loading.Load(yaml, null, ("REDIS_HOST", "variable")).Valid().Cluster.Redis;
        redis.ShouldBe(new RedisSettings { Endpoint = "variable:6379", Prefix = "m:" });
        Loading.Load(yaml, null, ("REDIS_HOST", "variable"), ("MILLRACE__CLUSTER__MAP", "memory")).Valid().Cluster.Map.ShouldBe(OriginMapKind.Memory);
    }

    [Fact]
    public void The_password_is_never_printed() =>
        Millrace.Configuration.SettingsWriter.Write(Loading.Load(null, null, ("REDIS_URL", "redis://:geheim@redis")).Valid()).ShouldNotContain("geheim");
}
