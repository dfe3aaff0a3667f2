using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Millrace.Node.Settings;
using Millrace.Node.Shards;
using Millrace.Node.Tls;

namespace Millrace.Node.Relay;

/// <summary>
/// What TLS between nodes, and to foreign servers, needs of <c>relay.tls</c> and <c>edge.tls</c>; a renewal needs no restart
/// (<see cref="PemFiles{T}"/>). Nothing is ever fetched to judge a certificate: no revocation lists, no missing parts of a chain. Any thread, but for <see cref="Look"/>.
/// </summary>
internal sealed class RelayTls
{
    private const SslProtocols Protocols = SslProtocols.Tls12 | SslProtocols.Tls13;

    /// <summary>RFC 5280, 4.2.1.12: id-kp-serverAuth and id-kp-clientAuth.</summary>
    private const string ServerPurpose = "1.3.6.1.5.5.7.3.1";
    private const string ClientPurpose = "1.3.6.1.5.5.7.3.2";

    private readonly PemFiles<LinkTls> _link;
    private readonly PemFiles<X509ChainPolicy> _foreign;

    private RelayTls(PemFiles<LinkTls> link, PemFiles<X509ChainPolicy> foreign) => (_link, _foreign) = (link, foreign);

    /// <summary>Reads the files for the first time; a <see cref="ListenException"/> names the setting that is wrong.</summary>
    /// <param name="settings">Valid.</param>
    /// <param name="logger">For renewals.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    /// <param name="run">Where later looks at the files run; null: on the thread pool.</param>
    public static RelayTls Open(NodeSettings settings, ILogger logger, long now, Action<Action>? run = null)
    {
        var (relay, edge) = (settings.Relay.Tls, settings.Edge.Tls);
        PemFile[] own = relay.HasCertificate ? [new PemFile("relay.tls.certificate", relay.Certificate), new PemFile("relay.tls.key", relay.Key)] : [];
        PemFile[] authority = relay.Authority.Length > 0 ? [new PemFile("relay.tls.authority", relay.Authority)] : [];
        PemFile[] others = edge.Authority.Length > 0 ? [new PemFile("edge.tls.authority", edge.Authority)] : [];
        return new RelayTls(
            PemFiles<LinkTls>.Open([.. own, .. authority], files => LoadLink(files, relay, logger), logger, now, run),
            PemFiles<X509ChainPolicy>.Open(others, LoadForeign, logger, now, run));
    }

    /// <summary>The node's own certificate; null without one.</summary>
    public X509Certificate2? Own => _link.Current.Own?.TargetCertificate;

    /// <summary>Whether other nodes that have the same authority would accept <see cref="Own"/>; otherwise why not.</summary>
    public string? FaultOfOwn()
    {
        var link = _link.Current;
        if (link.Own is not { } own)
            return null;
        using var chain = new X509Chain { ChainPolicy = link.ServerPolicy.Clone() };
        foreach (var certificate in own.IntermediateCertificates)
            chain.ChainPolicy.ExtraStore.Add(certificate);
        return chain.Build(own.TargetCertificate) ? null : PeerCheck.Describe(chain, own.TargetCertificate);
    }

    /// <summary>For nodes that connect; one value for all handshakes with the same files.</summary>
    public SslServerAuthenticationOptions Server => _link.Current.Server;

    /// <summary>To connect to a node, to which the own certificate is shown, or to a foreign server.</summary>
    public SslClientAuthenticationOptions Client(OriginAddress origin)
    {
        var link = origin.Kind == OriginKind.Millrace ? _link.Current : null;
        return new SslClientAuthenticationOptions
        {
            TargetHost = origin.TlsName,
            EnabledSslProtocols = Protocols,
            ClientCertificateContext = link?.Own,
            CertificateChainPolicy = (link?.ServerPolicy ?? _foreign.Current).Clone(),
            AllowRenegotiation = false,
        };
    }

    /// <inheritdoc cref="PemFiles{T}.Look"/>
    public void Look(long now)
    {
        _link.Look(now);
        _foreign.Look(now);
    }

    private static LinkTls LoadLink(PemFile[] files, RelayTlsSettings settings, ILogger logger)
    {
        var own = settings.HasCertificate ? Pem.ReadContext(files[0], files[1], logger) : null;
        var authorities = settings.Authority.Length > 0 ? Pem.ReadCertificates(files[^1]) : null;
        return new LinkTls(own, PolicyFor(ServerPurpose, authorities), new SslServerAuthenticationOptions
        {
            ServerCertificateContext = own,
            EnabledSslProtocols = Protocols,
            ClientCertificateRequired = settings.ClientCertificates,
            CertificateChainPolicy = PolicyFor(ClientPurpose, authorities),
            AllowRenegotiation = false,
        });
    }

    private static X509ChainPolicy LoadForeign(PemFile[] files)
    {
        if (files.Length == 0)
            return PolicyFor(ServerPurpose, authorities: null);
        var authorities = Pem.ReadCertificates(files[0]);
        using var machine = new X509Store(StoreName.Root, StoreLocation.LocalMachine, OpenFlags.ReadOnly);
        authorities.AddRange(machine.Certificates);
        return PolicyFor(ServerPurpose, authorities);
    }

    /// <param name="purpose">What the certificate must be good for.</param>
    /// <param name="authorities">Who may have signed; null: whom the machine trusts.</param>
    private static X509ChainPolicy PolicyFor(string purpose, X509Certificate2Collection? authorities)
    {
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.ApplicationPolicy.Add(new Oid(purpose));
        if (authorities is not null)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(authorities);
        }

        return policy;
    }

    /// <param name="Own">Null without a certificate.</param>
    /// <param name="ServerPolicy">Nodes that this one connects to.</param>
    /// <param name="Server">Nodes that connect.</param>
    private sealed record LinkTls(SslStreamCertificateContext? Own, X509ChainPolicy ServerPolicy, SslServerAuthenticationOptions Server);
}
