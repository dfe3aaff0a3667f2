using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Node;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;

namespace Millrace.Tests.Doctor;

/// <summary>What millrace doctor says of certificates, and of origins behind TLS.</summary>
public sealed class DoctorTlsTests : IDisposable
{
    private readonly TestAuthority _authority = new();

    public void Dispose() => _authority.Dispose();

    [Fact]
    public async Task A_node_with_a_good_certificate_is_let_in_and_sees_the_others()
    {
        await using var node = await StartAsync(_authority.Sign("origin", days: 99));
        var (code, output) = await DoctorAsync(node, _authority.Sign("edge", days: 50));

        code.ShouldBe(0, output);
        output.ShouldMatch(@"ok    relay\.tls\.certificate +the certificate of CN=edge is valid until 20\d\d-");
        output.ShouldMatch($"ok    origin millraces://localhost:{node.RelayTlsPort} +node origin-1 lets this one in over TLS; round trip ");
        output.ShouldMatch($"ok    certificate millraces://localhost:{node.RelayTlsPort} +the certificate of node origin-1 is valid until 20\\d\\d-");
    }

    [Theory]
    [InlineData("expired", "the certificate of CN=edge has expired")]
    [InlineData("stranger", "nodes with the same relay.tls.authority would refuse this one: its certificate (CN=edge, of CN=authority of a test) is not of an authority that is trusted here")]
    [InlineData("missing", "relay.tls.certificate: /none.pem cannot be read: there is no such file")]
    public async Task A_certificate_that_others_would_refuse_is_a_failure(string what, string finding)
    {
        using var other = new TestAuthority();
        await using var node = await StartAsync(_authority.Sign("origin"));
        var own = what switch
        {
            "expired" => _authority.Sign("edge", days: -1),
            "stranger" => other.Sign("edge"),
            _ => ("/none.pem", "/none.key"),
        };
        var (code, output) = await DoctorAsync(node, own);

        code.ShouldBe(1);
        output.ShouldContain(finding);
        output.ShouldMatch($"fail  origin millraces://localhost:{node.RelayTlsPort} +there is no TLS connection: ");
    }

    [Fact]
    public async Task An_origin_with_another_name_is_a_failure_that_says_both()
    {
        await using var node = await StartAsync(_authority.Sign("origin", host: "a.example"));
        var (code, output) = await DoctorAsync(node, _authority.Sign("edge"));

        code.ShouldBe(1);
        output.ShouldMatch("there is no TLS connection: its certificate is not for localhost but for a\\.example\n");
    }

    [Fact]
    public async Task A_port_without_TLS_beside_it_is_pointed_out()
    {
        await using var node = await StartAsync(_authority.Sign("origin"));
        var (code, output) = await DoctorAsync(node, _authority.Sign("edge"), plain: "\"127.0.0.1:0\"");

        code.ShouldBe(0, output);
        output.ShouldMatch("warn  relay\\.listen +nodes can connect without TLS too\n");
    }

    /// <summary>A node that asks for certificates.</summary>
    private async Task<MediaNode> StartAsync((string Certificate, string Key) own)
    {
        var loopback = new ListenEndpoint(IPAddress.Loopback, 0);
        var node = new MediaNode(
            new NodeSettings
            {
                Cluster = new ClusterSettings { Node = "origin-1" },
                Rtmp = new RtmpSettings { Listen = [loopback] },
                Http = new HttpSettings { Listen = [] },
                Relay = new RelaySettings
                {
                    Listen = [],
                    Tls = new RelayTlsSettings { Listen = [loopback], Certificate = own.Certificate, Key = own.Key, Authority = _authority.Path, ClientCertificates = true },
                },
                Api = new ApiSettings { Listen = [] },
                Shards = new ShardSettings { Count = 1 },
                Shutdown = new ShutdownSettings { Deadline = TimeSpan.FromSeconds(5) },
            },
            NullLoggerFactory.Instance);
        await node.StartAsync(TestContext.Current.CancellationToken);
        return node;
    }

    private async Task<(int Code, string Output)> DoctorAsync(MediaNode origin, (string Certificate, string Key) own, string plain = "")
    {
        var file = _authority.File("millrace.yml");
        await File.WriteAllTextAsync(file, $$"""
            rtmp: { listen: ["127.0.0.1:0"] }
            http: { listen: [] }
            api: { listen: [] }
            limits: { connections: 100 }
            edge: { connect_timeout: 10s }
            relay:
              listen: [{{plain}}]
              tls: { listen: ["127.0.0.1:0"], certificate: "{{own.Certificate}}", key: "{{own.Key}}", authority: "{{_authority.Path}}" }
            vhosts: [ { name: default, mode: remote, origin: "millraces://localhost:{{origin.RelayTlsPort}}" } ]
            """, TestContext.Current.CancellationToken);
        using var output = new StringWriter();
        var context = new CommandContext(output, output, new Dictionary<string, string>(), (_, _) => throw new InvalidOperationException("must not run"));
        var code = await CommandLine.InvokeAsync(["doctor", "--config", file], context, TestContext.Current.CancellationToken);
        return (code, output.ToString());
    }
}
