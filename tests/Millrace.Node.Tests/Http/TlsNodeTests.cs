using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;
using Millrace.Node.Settings;
using Millrace.Node.Shards;
using Millrace.Node.Tests.Harness;

namespace Millrace.Node.Tests.Http;

/// <summary>The media port with TLS, as its clients see it.</summary>
public sealed class TlsNodeTests : IDisposable
{
    private readonly TestCertificate _files = new();

    public void Dispose() => _files.Dispose();

    [Theory]
    [InlineData("h2")]
    [InlineData("http/1.1")]
    public async Task The_protocol_is_negotiated(string protocol)
    {
        await using var node = await StartAsync();
        await using var tls = await HandshakeAsync(node, new SslApplicationProtocol(protocol));

        tls.NegotiatedApplicationProtocol.ToString().ShouldBe(protocol);
        tls.RemoteCertificate!.GetCertHashString().ShouldBe(_files.Thumbprint);
    }

    [Theory]
    [InlineData(2, 21)]
    [InlineData(3, 22)]
    public async Task TLS_1_1_is_refused_with_an_alert_and_1_2_is_answered(byte minorVersion, byte recordType)
    {
        await using var node = await StartAsync();
        var socket = node.OpenSocket(node.Node.HttpsPort);
        socket.ReceiveTimeout = (int)Wait.Deadline.TotalMilliseconds;
        socket.Send(ClientHello(minorVersion));
        var record = new byte[7];
        for (var received = 0; received < record.Length;)
        {
            var count = socket.Receive(record, received, record.Length - received, SocketFlags.None);
            count.ShouldBeGreaterThan(0);
            received += count;
        }

        // RFC 5246, 6.2.1: alert is 21, handshake 22; 7.2: fatal is 2, protocol_version 70.
        record[0].ShouldBe(recordType);
        if (recordType == 21)
            record[5..].ShouldBe([2, 70]);
    }

    /// <summary>Where nobody has connected for days the first handshake would be with what the files held before.</summary>
    [Fact]
    public async Task The_files_are_looked_at_without_a_handshake_too()
    {
        await using var node = await StartAsync();
        File.WriteAllText(_files.CertificatePath, "not a certificate");

        await Wait.Until(() => node.Log.Containing("the certificate in force stays").Count == 1, "the look");
    }

    [Fact]
    public async Task The_chain_in_the_file_is_sent()
    {
        using var root = _files.IssueChain();
        await using var node = await StartAsync();
        var sent = new List<string>();
        await using var tls = await HandshakeAsync(node, SslApplicationProtocol.Http11, chain => sent.AddRange(chain.ChainPolicy.ExtraStore.Select(c => c.Subject)));

        sent.ShouldContain("CN=intermediate");
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task FLV_plays_over_every_version_of_HTTP(string version)
    {
        await using var node = await StartAsync();
        (await node.PublishAsync()).SendClip();
        await UntilLive(node);
        using var client = OpenClient(node, version);
        using var answer = await client.GetAsync("/live/x.flv", HttpCompletionOption.ResponseHeadersRead);

        answer.Version.ToString().ShouldBe(version);
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("video/x-flv");
        await using var body = await answer.Content.ReadAsStreamAsync();
        var flv = new byte[30_000];
        await body.ReadExactlyAsync(flv);
        TestClip.Parse(flv).ShouldContain(tag => tag.IsVideoKey);
        node.Node.Context.Sessions.All.Count(session => session.Protocol == "http-flv").ShouldBe(1);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task A_WebSocket_plays_over_every_version_of_HTTP(string version)
    {
        await using var node = await StartAsync();
        (await node.PublishAsync()).SendClip();
        await UntilLive(node);
        using var http = OpenClient(node, version);
        using var client = new ClientWebSocket();
        client.Options.HttpVersion = Version.Parse(version);
        client.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        await client.ConnectAsync(new Uri($"wss://127.0.0.1:{node.Node.HttpsPort}/live/x.flv"), http, TestContext.Current.CancellationToken);
        var flv = new List<byte>();
        var buffer = new byte[256 * 1024];
        for (var messages = 0; messages < 20; messages++)
        {
            var received = await client.ReceiveAsync(buffer.AsMemory(), TestContext.Current.CancellationToken);
            received.EndOfMessage.ShouldBeTrue();
            flv.AddRange(buffer.AsSpan(0, received.Count));
        }

        TestClip.Parse([.. flv]).ShouldContain(tag => tag.IsVideoKey);
        node.Node.Context.Sessions.All.Count(session => session.Protocol == "ws-flv").ShouldBe(1);
    }

    [Fact]
    public async Task A_connection_is_kept_for_the_next_request()
    {
        await using var node = await StartAsync();
        using var client = OpenClient(node, "1.1");
        for (var i = 0; i < 3; i++)
        {
            using var answer = await client.GetAsync("/~/clock");
            answer.IsSuccessStatusCode.ShouldBeTrue();
            answer.Headers.ConnectionClose.ShouldNotBe(true);
        }

        node.Node.Connections.Total.ShouldBe(1);
    }

    [Fact]
    public async Task Connections_count_against_the_limits_and_give_their_places_back()
    {
        await using var node = await StartAsync(settings => settings with { Limits = new LimitSettings { ConnectionsPerIp = 2 } });
        var tls = await HandshakeAsync(node, SslApplicationProtocol.Http11);
        _ = node.OpenSocket(node.Node.RtmpPort);
        await Wait.Until(() => node.Node.Connections.Total == 2, "two places are taken");

        await Should.ThrowAsync<IOException>(() => HandshakeAsync(node, SslApplicationProtocol.Http11));

        await Wait.Until(() => node.Log.Containing("limits.connections_per_ip is reached").Count == 1, "the refusal is logged");
        await tls.DisposeAsync();
        await Wait.Until(() => node.Node.Connections.Total == 1, "a place is free");
        await using var next = await HandshakeAsync(node, SslApplicationProtocol.Http11);
    }

    [Fact]
    public async Task New_connections_get_a_renewed_certificate_without_a_restart()
    {
        await using var node = await StartAsync();
        await using var before = await HandshakeAsync(node, SslApplicationProtocol.Http11);
        _files.Issue();
        var thumbprint = "";
        while (thumbprint != _files.Thumbprint)
        {
            await using var after = await HandshakeAsync(node, SslApplicationProtocol.Http11);
            thumbprint = after.RemoteCertificate!.GetCertHashString();
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
        }

        before.RemoteCertificate!.GetCertHashString().ShouldNotBe(thumbprint);
    }

    [Fact]
    public async Task Without_a_certificate_no_port_is_open_and_with_one_it_is_announced()
    {
        await using var without = await TestNode.StartAsync(settings => settings with { Http = settings.Http with { Tls = new TlsSettings { Listen = _files.Settings.Listen } } });
        without.Node.HttpsPort.ShouldBe(0);
        without.Node.Describe().ShouldNotContain(line => line.StartsWith("HTTPS"));
        await using var with = await StartAsync();
        with.Node.Describe().ShouldContain($"HTTPS    127.0.0.1:{with.Node.HttpsPort}");
        with.Node.Describe().ShouldContain($"open     https://127.0.0.1:{with.Node.HttpsPort}/");
    }

    [Fact]
    public async Task TLS_alone_serves_the_media_port()
    {
        await using var node = await StartAsync(settings => settings with { Http = settings.Http with { Listen = [] } });
        using var client = OpenClient(node, "2.0");

        (await client.GetAsync("/live/none.flv")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        node.Node.HttpPort.ShouldBe(0);
    }

    [Fact]
    public async Task A_port_that_is_taken_and_a_file_that_is_missing_are_named_with_their_setting()
    {
        await using var node = await StartAsync();
        var taken = _files.Settings with { Listen = [new ListenEndpoint(IPAddress.Loopback, node.Node.HttpsPort)] };
        var missing = _files.Settings with { Key = "/none.pem" };

        (await Should.ThrowAsync<ListenException>(() => TestNode.StartAsync(With(taken)))).Message.ShouldStartWith("http.tls.listen[0]: ");
        (await Should.ThrowAsync<ListenException>(() => TestNode.StartAsync(With(missing)))).Message.ShouldStartWith("http.tls.key: /none.pem");
    }

    private static Func<NodeSettings, NodeSettings> With(TlsSettings tls) => settings => settings with { Http = settings.Http with { Tls = tls } };

    private Task<TestNode> StartAsync(Func<NodeSettings, NodeSettings>? change = null) =>
        TestNode.StartAsync(settings => With(_files.Settings)(change is null ? settings : change(settings)));

    private static HttpClient OpenClient(TestNode node, string version)
    {
        var handler = new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => IsOurs(certificate) } };
        return node.Keep(new HttpClient(handler)
        {
            BaseAddress = new Uri($"https://127.0.0.1:{node.Node.HttpsPort}"),
            DefaultRequestVersion = Version.Parse(version),
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        });
    }

    private static async Task<SslStream> HandshakeAsync(TestNode node, SslApplicationProtocol protocol, Action<X509Chain>? onChain = null)
    {
        var tls = new SslStream(new NetworkStream(node.OpenSocket(node.Node.HttpsPort), ownsSocket: true));
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            ApplicationProtocols = [protocol],
            RemoteCertificateValidationCallback = (_, certificate, chain, _) =>
            {
                onChain?.Invoke(chain!);
                return IsOurs(certificate);
            },
        });
        return tls;
    }

    private static bool IsOurs(X509Certificate? certificate) => certificate?.Subject == "CN=localhost";

    /// <summary>RFC 5246, 7.4.1.2: a hello that any server of its version can answer.</summary>
    private static byte[] ClientHello(byte minorVersion)
    {
        byte[] extensions =
        [
            // supported_groups: secp256r1; ec_point_formats: uncompressed; signature_algorithms: ecdsa_secp256r1_sha256.
            0, 10, 0, 4, 0, 2, 0, 23, 0, 11, 0, 2, 1, 0, 0, 13, 0, 4, 0, 2, 4, 3,
        ];
        byte[] body =
        [
            3, minorVersion, .. Enumerable.Repeat((byte)7, 32), 0,
            // ECDHE_ECDSA with AES_128_GCM_SHA256 (1.2) and with AES_128_CBC_SHA (1.0 to 1.2); no compression.
            0, 4, 0xc0, 0x2b, 0xc0, 0x09, 1, 0,
            0, (byte)extensions.Length, .. extensions,
        ];
        return [22, 3, 1, 0, (byte)(body.Length + 4), 1, 0, 0, (byte)body.Length, .. body];
    }

    private static Task UntilLive(TestNode node) =>
        Wait.Until(() => node.Node.Context.Registry.Streams.Any(stream => !stream.IsWaiting && stream.Timeline.Era!.Tracks.Length > 2), "the stream is live");
}
