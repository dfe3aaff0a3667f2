using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Millrace.Node.Settings;

namespace Millrace.Node.Tests.Harness;

/// <summary>PEM files of a certificate for localhost, made at run time, in a folder of their own.</summary>
internal sealed class TestCertificate : IDisposable
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UtcNow.AddDays(-1);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("millrace-tls-");

    public TestCertificate() => Issue();

    public string CertificatePath => Path.Combine(_folder.FullName, "fullchain.pem");

    public string KeyPath => Path.Combine(_folder.FullName, "privkey.pem");

    /// <summary>Of the certificate that was issued last.</summary>
    public string Thumbprint { get; private set; } = "";

    public TlsSettings Settings => new() { Listen = [new ListenEndpoint(IPAddress.Loopback, 0)], Certificate = CertificatePath, Key = KeyPath };

    /// <summary>A self-signed certificate in place of the one that is there: a renewal.</summary>
    public void Issue()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = Request("localhost", key, isAuthority: false).CreateSelfSigned(Start, Start.AddDays(30));
        Write(certificate.ExportCertificatePem(), key);
        Thumbprint = certificate.Thumbprint;
    }

    /// <summary>A certificate that an intermediate authority signed, which stands behind it in the file.</summary>
    /// <returns>The root, which is not in the file.</returns>
    public X509Certificate2 IssueChain()
    {
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var root = Request("root", rootKey, isAuthority: true).CreateSelfSigned(Start, Start.AddDays(30));
        using var middleKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var signed = Request("intermediate", middleKey, isAuthority: true).Create(root, Start, Start.AddDays(29), [1]);
        using var middle = signed.CopyWithPrivateKey(middleKey);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var leaf = Request("localhost", key, isAuthority: false).Create(middle, Start, Start.AddDays(28), [2]);
        Write(leaf.ExportCertificatePem() + "\n" + middle.ExportCertificatePem(), key);
        Thumbprint = leaf.Thumbprint;
        return root;
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static CertificateRequest Request(string name, ECDsa key, bool isAuthority)
    {
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        return request;
    }

    private void Write(string certificates, ECDsa key)
    {
        File.WriteAllText(CertificatePath, certificates);
        File.WriteAllText(KeyPath, key.ExportPkcs8PrivateKeyPem());
    }
}
