using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace Millrace.Node.Tls;

/// <summary>What PEM files hold. A <see cref="PemException"/> says which of them is no good, and why.</summary>
internal static class Pem
{
    /// <summary>A certificate with its key and its chain, ready for handshakes.</summary>
    /// <param name="certificate">The own one first (RFC 8446, 4.4.2), as certbot and all others write it.</param>
    /// <param name="key">Its private key, not encrypted.</param>
    /// <param name="logger">Told whose it is, and whether it has expired.</param>
    public static SslStreamCertificateContext ReadContext(PemFile certificate, PemFile key, ILogger logger)
    {
        var chain = ReadCertificates(certificate);
        using var publicPart = chain[0];
        var leaf = AddKey(publicPart, certificate, key);
        chain.RemoveAt(0);
        logger.LogInformation("TLS certificate of {Subject}, valid until {Until:u}", leaf.Subject, leaf.NotAfter.ToUniversalTime());
        if (leaf.NotAfter < DateTime.Now)
            logger.LogWarning("the TLS certificate of {Subject} has expired", leaf.Subject);
        try
        {
            // Offline: what is sent is what the file holds, and nothing is fetched from elsewhere.
            return SslStreamCertificateContext.Create(leaf, chain, offline: true);
        }
        catch (Exception e) when (e is CryptographicException or NotSupportedException)
        {
            throw certificate.Fault($"cannot be used for TLS: {e.Message}", e);
        }
    }

    /// <summary>At least one.</summary>
    public static X509Certificate2Collection ReadCertificates(PemFile file)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(file.Text);
        }
        catch (CryptographicException e)
        {
            throw file.Fault($"is not a PEM certificate: {e.Message}", e);
        }

        return certificates.Count > 0 ? certificates : throw file.Fault("holds no PEM certificate");
    }

    private static X509Certificate2 AddKey(X509Certificate2 certificate, PemFile file, PemFile key)
    {
        if (key.Text.Contains("ENCRYPTED", StringComparison.Ordinal))
            throw key.Fault("is encrypted: store the key without a passphrase");
        try
        {
            return X509Certificate2.CreateFromPem(certificate.ExportCertificatePem(), key.Text);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or NotSupportedException)
        {
            throw key.Fault(key.Text.Contains("PRIVATE KEY-----", StringComparison.Ordinal) ? $"is not the private key of {file.Path}" : "holds no PEM private key", e);
        }
    }
}
