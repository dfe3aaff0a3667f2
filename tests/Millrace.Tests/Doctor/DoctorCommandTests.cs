using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Node;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;

namespace Millrace.Tests.Doctor;

/// <summary>millrace doctor as it is called.</summary>
public sealed class DoctorCommandTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    [Fact]
    public async Task Without_anything_that_fails_it_exits_with_0()
    {
        int[] ports = [TestPorts.Free(), TestPorts.Free(), TestPorts.Free()];
        Write($$"""
            rtmp: { listen: ["127.0.0.1:{{ports[0]}}"] }
            http: { listen: ["127.0.0.1:{{ports[1]}}"] }
            relay: { listen: [] }
            api: { listen: ["127.0.0.1:{{ports[2]}}"] }
            limits: { connections: 100 }
            """);
        var (code, output) = await DoctorAsync();
        code.ShouldBe(0, output);
        var lines = output.Split('\n');
        lines[0].ShouldMatch("^ok    configuration +it is valid$");
        lines[1].ShouldMatch($"^ok    rtmp\\.listen\\[0\\] +127\\.0\\.0\\.1:{ports[0]} is free$");
        output.ShouldMatch(@"\d+ ok, \d warn, 0 fail\n$");
        output.ShouldNotContain("relay.listen");
        output.ShouldNotContain("cluster.redis");
    }

    [Fact]
    public async Task A_wrong_configuration_is_all_that_it_says()
    {
        Write("rtmp:\n  chunk_size: 1\nlog:\n  level: loud\n");
        var (code, output) = await DoctorAsync();
        code.ShouldBe(1);
        output.ShouldContain(":2: rtmp.chunk_size: 1 is out of range: 128 to 65536\n");
        output.ShouldContain(":4: log.level: 'loud' is not one of");
        output.ShouldEndWith("0 ok, 0 warn, 2 fail\n");
    }

    [Fact]
    public async Task A_port_that_another_process_has_is_a_failure_that_names_it()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        Write($$"""
            rtmp: { listen: ["127.0.0.1:{{port}}"] }
            http: { listen: [] }
            relay: { listen: [] }
            api: { listen: [] }
            """);
        var (code, output) = await DoctorAsync("--json");
        code.ShouldBe(1);
        using var report = JsonDocument.Parse(output);
        report.RootElement.GetProperty("result").GetString().ShouldBe("fail");
        var check = report.RootElement.GetProperty("checks").EnumerateArray().Single(check => check.GetProperty("result").GetString() == "fail");
        check.GetProperty("name").GetString().ShouldBe("rtmp.listen[0]");
        check.GetProperty("finding").GetString()!.ShouldStartWith($"127.0.0.1:{port} is taken by process {Environment.ProcessId} (");
        check.GetProperty("advice").GetString().ShouldBe("stop that process, or give rtmp.listen[0] another port");
    }

    [Fact]
    public async Task Ports_of_the_node_that_runs_are_its_own_and_it_lets_edges_in()
    {
        await using var node = await StartAsync("origin-1", "sixteen-or-more-s");
        Write($$"""
            cluster: { node: edge-1 }
            rtmp: { listen: ["127.0.0.1:{{node.RtmpPort}}"] }
            http: { listen: [] }
            relay: { listen: ["127.0.0.1:{{node.RelayPort}}"], secret: sixteen-or-more-s }
            api: { listen: ["127.0.0.1:{{node.ApiPort}}"] }
            limits: { connections: 100 }
            edge: { connect_timeout: 10s }
            vhosts: [ { name: default, mode: remote, origin: "millrace://127.0.0.1:{{node.RelayPort}}" } ]
            """);
        var (code, output) = await DoctorAsync();
        code.ShouldBe(0, output);
        output.ShouldMatch($"ok    rtmp\\.listen\\[0\\] +127\\.0\\.0\\.1:{node.RtmpPort} belongs to the running node origin-1, process {Environment.ProcessId} ");
        output.ShouldMatch($"ok    relay\\.listen\\[0\\] +127\\.0\\.0\\.1:{node.RelayPort} belongs to the running node origin-1");
        output.ShouldMatch($"ok    origin millrace://127\\.0\\.0\\.1:{node.RelayPort} +node origin-1 lets this one in; round trip ");
        output.ShouldMatch($"ok    clock millrace://127\\.0\\.0\\.1:{node.RelayPort} +the clock of node origin-1 is ");
    }

    [Fact]
    public async Task An_origin_with_another_secret_is_a_failure()
    {
        await using var node = await StartAsync("origin-1", "theirs");
        Write($$"""
            rtmp: { listen: ["127.0.0.1:0"] }
            http: { listen: [] }
            relay: { listen: [], secret: ours-of-sixteen-or-more }
            api: { listen: [] }
            vhosts: [ { name: default, mode: remote, origin: "millrace://127.0.0.1:{{node.RelayPort}}" } ]
            """);
        var (code, output) = await DoctorAsync();
        code.ShouldBe(1);
        output.ShouldMatch($"fail  origin millrace://127\\.0\\.0\\.1:{node.RelayPort} +the secrets do not match: .+\n +-> relay\\.secret must be the same on all nodes\n");
        output.ShouldNotContain("ours");
        output.ShouldNotContain("theirs");
    }

    [Fact]
    public async Task A_Redis_that_is_not_there_is_a_failure_only_where_it_is_used()
    {
        var port = TestPorts.Free();
        const string Quiet = "rtmp: { listen: [\"127.0.0.1:0\"] }\nhttp: { listen: [] }\nrelay: { listen: [] }\napi: { listen: [] }\nlimits: { connections: 100 }\n";
        Write($$"""{{Quiet}}cluster: { redis: { endpoint: "127.0.0.1:{{port}}" } }""");
        var (code, output) = await DoctorAsync();
        code.ShouldBe(0, output);
        Write($$"""{{Quiet}}cluster: { map: redis, redis: { endpoint: "127.0.0.1:{{port}}" } }""");
        (code, output) = await DoctorAsync();
        code.ShouldBe(1);
        output.ShouldMatch($"fail  cluster\\.redis +127\\.0\\.0\\.1:{port}: ");
    }

    [Theory]
    [InlineData("relay: { listen: [\":0\"] }", "relay.listen[0]")]
    [InlineData("relay: { listen: [\"0.0.0.0:0\", \"127.0.0.1:0\", \"[::]:0\"] }", "relay.listen[0], relay.listen[2]")]
    [InlineData("relay: { listen: [\"127.0.0.1:0\", \"[::1]:0\"] }", null)]
    [InlineData("relay: { listen: [\":0\"], secret: sixteen-or-more-s }", null)]
    [InlineData("relay: { listen: [] }", null)]
    public async Task A_relay_that_lets_any_node_fetch_what_viewers_need_a_token_for_is_warned_of(string relay, string? listeners)
    {
        const string Quiet = "rtmp: { listen: [\"127.0.0.1:0\"] }\nhttp: { listen: [] }\napi: { listen: [] }\nlimits: { connections: 100 }\n";
        Write($"{Quiet}{relay}\n");
        (await DoctorAsync()).Output.ShouldNotContain("access", Case.Sensitive, "everybody may play");
        Write($$"""{{Quiet}}{{relay}}{{"\n"}}vhosts: [ { name: default, apps: [ { name: closed, access: { play: token, play_tokens: [t] } } ] } ]""");
        var (code, output) = await DoctorAsync();
        code.ShouldBe(0, output);
        if (listeners is null)
            output.ShouldNotContain("warn  access");
        else
            output.ShouldContain($"not everybody may play, but any node that reaches {listeners} may fetch");
    }

    [Fact]
    public async Task A_stream_that_is_asked_for_and_is_nowhere_is_a_failure()
    {
        await using var node = await StartAsync("origin-1", "sixteen-or-more-s");
        Write($$"""
            cluster: { node: edge-1 }
            rtmp: { listen: ["127.0.0.1:0"] }
            http: { listen: [] }
            relay: { listen: [], secret: sixteen-or-more-s }
            api: { listen: [] }
            limits: { connections: 100 }
            edge: { connect_timeout: 10s }
            vhosts: [ { name: default, mode: remote, origin: "millrace://127.0.0.1:{{node.RelayPort}}" } ]
            """);
        var (code, output) = await DoctorAsync("--stream", "default/live/x");
        code.ShouldBe(1);
        output.ShouldMatch($"warn  stream default/live/x at millrace://127\\.0\\.0\\.1:{node.RelayPort} +node origin-1 does not have it: live/x is not live\n");
        output.ShouldMatch("fail  stream default/live/x +no node that was asked has it\n");
        (code, output) = await DoctorAsync();
        code.ShouldBe(0, output);
        (await DoctorAsync("--stream", "x")).Output.ShouldMatch("fail  stream x +that is no stream's name\n +-> write vhost/app/name");
    }

    public void Dispose() => File.Delete(_file);

    private static async Task<MediaNode> StartAsync(string id, string secret)
    {
        var loopback = new ListenEndpoint(IPAddress.Loopback, 0);
        var node = new MediaNode(
            new NodeSettings
            {
                Cluster = new ClusterSettings { Node = id },
                Rtmp = new RtmpSettings { Listen = [loopback] },
                Http = new HttpSettings { Listen = [] },
                Relay = new RelaySettings { Listen = [loopback], Secret = new Secret(secret) },
                Api = new ApiSettings { Listen = [loopback] },
                Shards = new ShardSettings { Count = 1 },
                Shutdown = new ShutdownSettings { Deadline = TimeSpan.FromSeconds(5) },
            },
            NullLoggerFactory.Instance);
        await node.StartAsync(TestContext.Current.CancellationToken);
        return node;
    }

    private void Write(string yaml) => File.WriteAllText(_file, yaml);

    private async Task<(int Code, string Output)> DoctorAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        var context = new CommandContext(output, output, new Dictionary<string, string>(), (_, _) => throw new InvalidOperationException("must not run"));
        var code = await CommandLine.InvokeAsync(["doctor", "--config", _file, .. arguments], context, TestContext.Current.CancellationToken);
        return (code, output.ToString());
    }
}
