using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Millrace.Node.Relay;
using Millrace.Node.Settings;
using Millrace.Node.Shards;
using Millrace.Node.Tests.Harness;

namespace Millrace.Node.Tests.Relay;

/// <summary>The files of <c>relay.tls</c> and <c>edge.tls</c>, in virtual time.</summary>
public sealed class RelayTlsTests : IDisposable
{
    private const long Second = 1_000_000;

    private readonly TestAuthority _authority = new();
    private readonly TestAuthority _other = new();
    private readonly LogLines _log = new();

    public void Dispose()
    {
        _authority.Dispose();
        _other.Dispose();
    }

    [Fact]
    public async Task A_new_authority_holds_within_two_seconds_for_both_directions()
    {
        var tls = Open(new NodeSettings { Relay = new RelaySettings { Tls = TunnelRig.Settings(_authority, _authority.Sign("own"), requires: true) } });
        var peer = Open(new NodeSettings { Relay = new RelaySettings { Tls = TunnelRig.Settings(_other, _other.Sign("peer"), requires: true) } });
        (await TrustsAsync(client: tls, 0, server: peer, OriginKind.Millrace)).ShouldBeFalse();
        (await TrustsAsync(client: tls, 0, server: tls, OriginKind.Millrace)).ShouldBeTrue();

        // Both, while the nodes get certificates of the new one.
        foreach (var authority in (TestAuthority[])[_authority, _other])
            File.AppendAllText(authority.Path, "\n" + File.ReadAllText((authority == _authority ? _other : _authority).Path));
        (await TrustsAsync(client: tls, Second, server: peer, OriginKind.Millrace)).ShouldBeFalse();
        (await TrustsAsync(client: tls, 3 * Second, server: peer, OriginKind.Millrace)).ShouldBeTrue();
        (await TrustsAsync(client: peer, 3 * Second, server: tls, OriginKind.Millrace)).ShouldBeTrue();
    }

    [Fact]
    public async Task Foreign_servers_are_trusted_by_a_setting_of_their_own()
    {
        var server = Open(new NodeSettings { Relay = new RelaySettings { Tls = TunnelRig.Settings(_authority, _authority.Sign("server")) } });
        var relay = Open(new NodeSettings { Relay = new RelaySettings { Tls = new RelayTlsSettings { Authority = _authority.Path } } });
        var edge = Open(new NodeSettings { Edge = new EdgeSettings { Tls = new EdgeTlsSettings { Authority = _authority.Path } } });

        (await TrustsAsync(relay, 0, server, OriginKind.Millrace)).ShouldBeTrue();
        (await TrustsAsync(relay, 0, server, OriginKind.Rtmp)).ShouldBeFalse();
        (await TrustsAsync(edge, 0, server, OriginKind.Millrace)).ShouldBeFalse();
        (await TrustsAsync(edge, 0, server, OriginKind.Rtmp)).ShouldBeTrue();
        (await TrustsAsync(edge, 0, server, OriginKind.Flv)).ShouldBeTrue();
    }

    [Fact]
    public void The_own_certificate_is_shown_to_nodes_alone()
    {
        var tls = Open(new NodeSettings { Relay = new RelaySettings { Tls = TunnelRig.Settings(_authority, _authority.Sign("own")) } });

        tls.Client(new OriginAddress(OriginKind.Millrace, "h", 1) { IsTls = true }).ClientCertificateContext!.TargetCertificate.Subject.ShouldBe("CN=own");
        tls.Client(new OriginAddress(OriginKind.Rtmp, "h", 1) { IsTls = true }).ClientCertificateContext.ShouldBeNull();
    }

    [Fact]
    public void Handshakes_with_the_same_files_share_one_value()
    {
        var tls = Open(new NodeSettings { Relay = new RelaySettings { Tls = TunnelRig.Settings(_authority, _authority.Sign("own")) } });

        var first = tls.Server;

        tls.Look(10 * Second);
        tls.Server.ShouldBeSameAs(first);
        _log.Containing("TLS certificate of CN=own, valid until ").Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_handshake_leaves_nothing_behind_in_what_the_next_one_needs()
    {
        var own = _authority.Sign("own");
        // A chain, which is looked at with the others.
        File.AppendAllText(own.Certificate, "\n" + File.ReadAllText(_authority.Path));
        var tls = Open(new NodeSettings { Relay = new RelaySettings { Tls = TunnelRig.Settings(_authority, own, requires: true) } });
        (await TrustsAsync(tls, 0, tls, OriginKind.Millrace)).ShouldBeTrue();

        var policy = tls.Server.CertificateChainPolicy!;
        (policy.ExtraStore.Count, policy.CustomTrustStore.Count, policy.ApplicationPolicy.Count).ShouldBe((0, 1, 1));
    }

    [Fact]
    public void Files_that_are_no_good_are_named_with_their_setting_at_the_start()
    {
        var (certificate, key) = _authority.Sign("own");
        Message(new RelayTlsSettings { Certificate = "/none.pem", Key = key }).ShouldBe("relay.tls.certificate: /none.pem cannot be read: there is no such file");
        Message(new RelayTlsSettings { Certificate = certificate, Key = _authority.Path }).ShouldBe($"relay.tls.key: {_authority.Path} holds no PEM private key");
        Message(new RelayTlsSettings { Authority = key }).ShouldBe($"relay.tls.authority: {key} holds no PEM certificate");
        Should.Throw<ListenException>(() => Open(new NodeSettings { Edge = new EdgeSettings { Tls = new EdgeTlsSettings { Authority = "/none.pem" } } }))
            .Message.ShouldBe("edge.tls.authority: /none.pem cannot be read: there is no such file");
    }

    private RelayTls Open(NodeSettings settings) => RelayTls.Open(settings, _log.CreateLogger("Tls"), 0, static look => look());

    private string Message(RelayTlsSettings settings) =>
        Should.Throw<ListenException>(() => Open(new NodeSettings { Relay = new RelaySettings { Tls = settings } })).Message;

    /// <summary>Whether a handshake of the two comes to a good end on both sides.</summary>
    private static async Task<bool> TrustsAsync(RelayTls client, long now, RelayTls server, OriginKind kind)
    {
        client.Look(now);
        server.Look(now);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var connecting = new TcpClient("localhost", ((IPEndPoint)listener.LocalEndpoint).Port);
        using var accepted = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        await using var one = new SslStream(connecting.GetStream());
        await using var other = new SslStream(accepted.GetStream());
        var token = TestContext.Current.CancellationToken;
        Task[] both =
        [
            EndAsync(one.AuthenticateAsClientAsync(client.Client(new OriginAddress(kind, "localhost", 1) { IsTls = true }), token), connecting),
            EndAsync(other.AuthenticateAsServerAsync(server.Server, token), accepted),
        ];
        await Task.WhenAll(both).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return Array.TrueForAll(both, static side => side.IsCompletedSuccessfully);
    }

    /// <summary>A side that fails ends the connection, so that the other does not wait for it.</summary>
    private static async Task EndAsync(Task handshake, TcpClient connection)
    {
        await handshake.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!handshake.IsCompletedSuccessfully)
            connection.Close();
        await handshake;
    }
}
