using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Millrace.Node.Tests.Harness;

/// <summary>An authority of one test, of the same name as all others, and the PEM files of what it has signed, in a folder of their own.</summary>
internal sealed class TestAuthority : IDisposable
{
    private const string ServerPurpose = "1.3.6.1.5.5.7.3.1";
    private const string ClientPurpose = "1.3.6.1.5.5.7.3.2";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("millrace-authority-");
    private readonly X509Certificate2 _root;

    public TestAuthority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=authority of a test", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        _root = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-10), DateTimeOffset.UtcNow.AddDays(100));
        System.IO.File.WriteAllText(Path, _root.ExportCertificatePem());
    }

    /// <summary>Of its own certificate.</summary>
    public string Path => File("ca.pem");

    public string File(string name) => System.IO.Path.Combine(_folder.FullName, name);

    /// <summary>Signs a certificate for localhost and 127.0.0.1, or in place of these for another name.</summary>
    /// <param name="name">Of its files, and its subject.</param>
    /// <param name="host">What it is for instead.</param>
    /// <param name="days">How long it is good for; less than 0: so long ago it expired.</param>
    /// <returns>Its file and its key's.</returns>
    public (string Certificate, string Key) Sign(string name, string? host = null, double days = 30)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerPurpose), new Oid(ClientPurpose)], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_root, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host ?? "localhost");
        if (host is null)
            names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(_root, DateTimeOffset.UtcNow.AddDays(-9), DateTimeOffset.UtcNow.AddDays(days), RandomNumberGenerator.GetBytes(8));
        var paths = (File($"{name}.pem"), File($"{name}.key"));
        System.IO.File.WriteAllText(paths.Item1, certificate.ExportCertificatePem());
        System.IO.File.WriteAllText(paths.Item2, key.ExportPkcs8PrivateKeyPem());
        return paths;
    }

    public void Dispose()
    {
        _root.Dispose();
        _folder.Delete(recursive: true);
    }
}
