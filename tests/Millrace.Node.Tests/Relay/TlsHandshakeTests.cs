using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;

namespace Millrace.Node.Tests.Relay;

/// <summary>Handshakes that must fail: what each side says of it, and that nobody else hears of it.</summary>
public sealed class TlsHandshakeTests : IDisposable
{
    private readonly TestAuthority _authority = new();
    private readonly TestAuthority _other = new();

    public void Dispose()
    {
        _authority.Dispose();
        _other.Dispose();
    }

    [Theory]
    [InlineData("authority", "is not of an authority that is trusted here")]
    [InlineData("name", "its certificate is not for localhost but for elsewhere.example")]
    [InlineData("expired", "its certificate has expired, at ")]
    public async Task A_node_whose_certificate_is_not_good_is_not_spoken_to(string what, string fault)
    {
        var server = what switch
        {
            "authority" => _other.Sign("origin"),
            "name" => _authority.Sign("origin", host: "elsewhere.example"),
            _ => _authority.Sign("origin", days: -1),
        };
        using var rig = new TunnelRig(TunnelRig.Settings(_authority, _authority.Sign("edge")), TunnelRig.Settings(_authority, server));

        var end = rig.Open();
        end.ReadToEnd().ShouldBeEmpty();

        end.Fault!.ShouldContain(fault);
        await Wait.Until(() => rig.Server.Count == 0, "the other side has gone too");
    }

    [Theory]
    [InlineData("none", "it shows no certificate")]
    [InlineData("authority", "is not of an authority that is trusted here")]
    [InlineData("expired", "its certificate has expired, at ")]
    public async Task A_node_must_show_a_certificate_where_one_is_asked_for(string what, string reason)
    {
        var client = what switch
        {
            "none" => new RelayTlsSettings { Authority = _authority.Path },
            "authority" => TunnelRig.Settings(_authority, _other.Sign("edge")),
            _ => TunnelRig.Settings(_authority, _authority.Sign("edge", days: -1)),
        };
        using var rig = new TunnelRig(client, TunnelRig.Settings(_authority, _authority.Sign("origin"), requires: true));

        var end = rig.Open();
        end.ReadToEnd().ShouldBeEmpty();

        await Wait.Until(() => rig.Server.Count == 0, "it is over");
        rig.ServerLog.Containing(reason).ShouldHaveSingleItem().ShouldContain("refused 1 connection(s), the last from 127.0.0.1:");
        end.Fault!.ShouldContain("does it ask for a certificate, and accept this node's?");
    }

    [Fact]
    public async Task A_certificate_that_is_not_asked_for_is_not_needed()
    {
        using var rig = new TunnelRig(new RelayTlsSettings { Authority = _authority.Path }, TunnelRig.Settings(_authority, _authority.Sign("origin")));

        var (client, server) = await rig.ConnectAsync();
        client.Socket.Send("x"u8);
        server.Socket.Receive(new byte[1]).ShouldBe(1);
    }

    [Fact]
    public async Task An_address_is_a_name_too()
    {
        using var rig = new TunnelRig(new RelayTlsSettings { Authority = _authority.Path }, TunnelRig.Settings(_authority, _authority.Sign("origin")));
        var end = rig.Open(host: "127.0.0.1");
        await Wait.Until(() => rig.Server.Count == 1, "it is accepted");
        end.Close();
        await Wait.Until(() => rig.Server.Count == 0, "it has gone");
        end.Fault.ShouldBeNull();
    }

    [Fact]
    public async Task Who_does_not_speak_TLS_is_told_so_in_its_words_and_closed_at_once()
    {
        using var rig = new TunnelRig(new RelayTlsSettings(), TunnelRig.Settings(_authority, _authority.Sign("origin")));
        var socket = rig.OpenPlain();
        socket.Send([1, 20, .. "MLRC"u8]);
        var alert = new byte[8];

        // RFC 8446, 6: a fatal alert, unexpected_message.
        alert[..socket.Receive(alert)].ShouldBe([21, 3, 3, 0, 2, 2, 10]);
        socket.Receive(alert).ShouldBe(0);
        rig.ServerLog.Containing("it does not speak TLS, which this port is for: nodes connect to it by millraces://").Count.ShouldBe(1);
        socket.Dispose();
        await Wait.Until(() => rig.Server.Count == 0, "it has gone");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_port_without_TLS_is_told_from_a_refusal(bool answers)
    {
        using var rig = new TunnelRig(new RelayTlsSettings { Authority = _authority.Path }, new RelayTlsSettings());
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var end = rig.Open(((IPEndPoint)listener.LocalEndpoint).Port);
        using (var accepted = await listener.AcceptSocketAsync(TestContext.Current.CancellationToken))
        {
            accepted.Receive(new byte[1]);
            if (answers)
                accepted.Send("RTSP/1.0 400 Bad Request\r\n\r\n"u8);
        }

        end.ReadToEnd().ShouldBeEmpty();
        end.Fault!.ShouldContain("TLS");
    }

    [Fact]
    public async Task A_handshake_that_stalls_is_given_up_and_keeps_nobody_from_his()
    {
        const int Stalled = 100;
        using var rig = new TunnelRig(
            TunnelRig.Settings(_authority, _authority.Sign("edge")), TunnelRig.Settings(_authority, _authority.Sign("origin"), requires: true), TimeSpan.FromSeconds(2));
        var sockets = Enumerable.Range(0, Stalled).Select(_ => rig.OpenPlain()).ToList();
        for (var i = 0; i < Stalled; i++)
            sockets[i].Send(i % 3 == 0 ? [] : i % 3 == 1 ? [22, 3, 1] : ClientHello(), SocketFlags.None);
        // They have been answered, and say nothing more.
        sockets[2].Receive(new byte[1]).ShouldBe(1);

        var (client, server) = await rig.ConnectAsync();
        client.Socket.Send("x"u8);
        server.Socket.Receive(new byte[1]).ShouldBe(1);
        rig.Server.Count.ShouldBe(Stalled + 1, "they stall still");

        await Wait.Until(() => rig.Server.Count == 1, "they are given up");
        rig.ServerLog.Containing("no TLS connection in time").ShouldNotBeEmpty();
        server.Socket.Send("y"u8);
        client.Socket.Receive(new byte[1]).ShouldBe(1);
    }

    [Fact]
    public async Task What_is_newest_and_at_least_TLS_1_2_is_spoken()
    {
        using var rig = new TunnelRig(new RelayTlsSettings(), TunnelRig.Settings(_authority, _authority.Sign("origin")));
        (await ProtocolAsync(SslProtocols.Tls12 | SslProtocols.Tls13)).ShouldBe(SslProtocols.Tls13);
        (await ProtocolAsync(SslProtocols.Tls12)).ShouldBe(SslProtocols.Tls12);

        async Task<SslProtocols> ProtocolAsync(SslProtocols offered)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.Add(X509CertificateLoader.LoadCertificateFromFile(_authority.Path));
            await using var secure = new SslStream(new NetworkStream(rig.OpenPlain()));
            await secure.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions { TargetHost = "localhost", EnabledSslProtocols = offered, CertificateChainPolicy = policy }, TestContext.Current.CancellationToken);
            return secure.SslProtocol;
        }
    }

    /// <summary>A whole one, as OpenSSL would send it: what SslStream sends first to a peer that only listens.</summary>
    private static byte[] ClientHello()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var client = new TcpClient("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port);
        using var accepted = listener.AcceptSocket();
        using var secure = new SslStream(client.GetStream());
        _ = secure.AuthenticateAsClientAsync("localhost");
        var hello = new byte[4096];
        return hello[..accepted.Receive(hello)];
    }
}
