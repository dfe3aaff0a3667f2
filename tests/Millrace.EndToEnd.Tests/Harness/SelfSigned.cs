using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Millrace.EndToEnd.Harness;

/// <summary>A self-signed certificate for the loopback address, as PEM files, and the settings that open a port with it.</summary>
internal sealed class SelfSigned : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var now = DateTimeOffset.UtcNow;
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        Settings = new Dictionary<string, string>
        {
            ["MILLRACE__HTTP__TLS__LISTEN"] = $"127.0.0.1:{Port}",
            ["MILLRACE__HTTP__TLS__CERTIFICATE"] = _folder.Write("fullchain.pem", certificate.ExportCertificatePem()),
            ["MILLRACE__HTTP__TLS__KEY"] = _folder.Write("privkey.pem", key.ExportPkcs8PrivateKeyPem()),
        };
    }

    /// <summary>The media port with TLS.</summary>
    public int Port { get; } = Ports.Free();

    /// <summary>The server's environment.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; }

    public string Https(string pathAndQuery) => $"https://127.0.0.1:{Port}/{pathAndQuery}";

    public void Dispose() => _folder.Dispose();
}
