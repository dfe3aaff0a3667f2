using System.Net.Security;
using System.Security.Authentication;
using Microsoft.Extensions.Logging;
using Millrace.Node.Settings;
using Millrace.Node.Shards;
using Millrace.Node.Tls;

namespace Millrace.Node.Http;

/// <summary>The certificate of <c>http.tls</c>; a renewal needs no restart (<see cref="PemFiles{T}"/>).</summary>
internal sealed class TlsCertificate
{
    private readonly PemFiles<SslServerAuthenticationOptions> _files;

    private TlsCertificate(PemFiles<SslServerAuthenticationOptions> files) => _files = files;

    /// <summary>Reads the files for the first time; a <see cref="ListenException"/> names the setting that is wrong.</summary>
    /// <param name="settings">With both files named.</param>
    /// <param name="logger">For renewals.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    /// <param name="run">Where later looks at the files run; null: on the thread pool.</param>
    public static TlsCertificate Open(TlsSettings settings, ILogger logger, long now, Action<Action>? run = null) =>
        new(PemFiles<SslServerAuthenticationOptions>.Open(
            [new PemFile("http.tls.certificate", settings.Certificate), new PemFile("http.tls.key", settings.Key)], files => Load(files[0], files[1], logger), logger, now, run));

    /// <summary>What a handshake needs; one value for all handshakes with one certificate, for sessions are resumed by it.</summary>
    public SslServerAuthenticationOptions Current => _files.Current;

    /// <inheritdoc cref="PemFiles{T}.Look"/>
    public void Look(long now) => _files.Look(now);

    private static SslServerAuthenticationOptions Load(PemFile certificate, PemFile key, ILogger logger) => new()
    {
        ServerCertificateContext = Pem.ReadContext(certificate, key, logger),
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
        AllowRenegotiation = false,
    };
}
