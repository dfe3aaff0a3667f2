using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Logging;
using Millrace.Node.Settings;
using Millrace.Node.Shards;

namespace Millrace.Node.Http;

/// <summary>
/// The certificate of <c>http.tls</c>. Handshakes have its files looked at again, so that a renewal needs no restart, but never
/// wait for that: until the look is over, and where the files are no longer good, the last good certificate is in force.
/// </summary>
internal sealed class TlsCertificate
{
    /// <summary>Between two looks at the files: two small reads, and no handshake storm can make them more.</summary>
    private const long CheckMicros = 2_000_000;

    private readonly TlsSettings _settings;
    private readonly ILogger _logger;
    private readonly Action<Action> _run;
    private SslServerAuthenticationOptions _options;
    private string _seen;
    private long _nextCheck;
    private bool _isChecking;

    private TlsCertificate(TlsSettings settings, ILogger logger, long now, Action<Action> run)
    {
        _settings = settings;
        _logger = logger;
        _run = run;
        _nextCheck = now + CheckMicros;
        var files = ReadFiles();
        _seen = DigestOf(files);
        _options = Load(files, _seen);
    }

    /// <summary>Reads the files for the first time; a <see cref="ListenException"/> names the setting that is wrong.</summary>
    /// <param name="settings">With both files named.</param>
    /// <param name="logger">For renewals.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    /// <param name="run">Where later looks at the files run; null: on the thread pool.</param>
    public static TlsCertificate Open(TlsSettings settings, ILogger logger, long now, Action<Action>? run = null)
    {
        try
        {
            return new TlsCertificate(settings, logger, now, run ?? (static check => ThreadPool.UnsafeQueueUserWorkItem(static check => check(), check, preferLocal: false)));
        }
        catch (TlsFileException e)
        {
            throw new ListenException(e.Message, e);
        }
    }

    /// <summary>What a handshake needs; one value for all handshakes with one certificate, for sessions are resumed by it.</summary>
    /// <param name="now">Monotonic time, microseconds.</param>
    public SslServerAuthenticationOptions Current(long now)
    {
        if (now >= Volatile.Read(ref _nextCheck) && !Interlocked.Exchange(ref _isChecking, true))
        {
            Volatile.Write(ref _nextCheck, now + CheckMicros);
            _run(Check);
        }

        return Volatile.Read(ref _options);
    }

    /// <summary>One at a time: a file system that hangs holds up this look, and with it only the next.</summary>
    private void Check()
    {
        try
        {
            var files = ReadFiles();
            var digest = DigestOf(files);
            if (digest != _seen)
            {
                Volatile.Write(ref _options, Load(files, digest));
                _seen = digest;
            }
        }
        catch (TlsFileException e)
        {
            LogOnce(e);
        }
        finally
        {
            Volatile.Write(ref _isChecking, false);
        }
    }

    /// <summary>Files may stay broken for long: that is one line, until they change.</summary>
    private void LogOnce(TlsFileException error)
    {
        if (error.Digest == _seen)
            return;
        _seen = error.Digest;
        _logger.LogError("{Error}; the certificate in force stays", error.Message);
    }

    private (string Certificate, string Key) ReadFiles() =>
        (Read("http.tls.certificate", _settings.Certificate), Read("http.tls.key", _settings.Key));

    private static string Read(string setting, string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            var reason = e is FileNotFoundException or DirectoryNotFoundException ? "there is no such file" : e.Message;
            throw new TlsFileException($"{setting}: {path} cannot be read: {reason}", $"{setting} {reason}", e);
        }
    }

    private static string DigestOf((string Certificate, string Key) files) =>
        Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(files.Certificate + "\n" + files.Key)));

    private SslServerAuthenticationOptions Load((string Certificate, string Key) files, string digest)
    {
        var chain = ReadChain(files.Certificate, digest);
        using var publicPart = chain[0];
        var leaf = AddKey(publicPart, files, digest);
        chain.RemoveAt(0);
        _logger.LogInformation("TLS certificate of {Subject}, valid until {Until:u}", leaf.Subject, leaf.NotAfter.ToUniversalTime());
        if (leaf.NotAfter < DateTime.Now)
            _logger.LogWarning("the TLS certificate of {Subject} has expired", leaf.Subject);
        return new SslServerAuthenticationOptions
        {
            ServerCertificateContext = ContextOf(leaf, chain, digest),
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
            AllowRenegotiation = false,
        };
    }

    private SslStreamCertificateContext ContextOf(X509Certificate2 leaf, X509Certificate2Collection chain, string digest)
    {
        try
        {
            // Offline: what is sent is what the file holds, and nothing is fetched from elsewhere.
            return SslStreamCertificateContext.Create(leaf, chain, offline: true);
        }
        catch (Exception e) when (e is CryptographicException or NotSupportedException)
        {
            throw new TlsFileException($"http.tls.certificate: {_settings.Certificate} cannot be used for TLS: {e.Message}", digest, e);
        }
    }

    /// <summary>The server's own certificate first (RFC 8446, 4.4.2), as certbot and all others write it.</summary>
    private X509Certificate2Collection ReadChain(string pem, string digest)
    {
        var chain = new X509Certificate2Collection();
        try
        {
            chain.ImportFromPem(pem);
        }
        catch (CryptographicException e)
        {
            throw new TlsFileException($"http.tls.certificate: {_settings.Certificate} is not a PEM certificate: {e.Message}", digest, e);
        }

        return chain.Count > 0
            ? chain
            : throw new TlsFileException($"http.tls.certificate: {_settings.Certificate} holds no PEM certificate", digest);
    }

    private X509Certificate2 AddKey(X509Certificate2 certificate, (string Certificate, string Key) files, string digest)
    {
        if (files.Key.Contains("ENCRYPTED", StringComparison.Ordinal))
            throw new TlsFileException($"http.tls.key: {_settings.Key} is encrypted: store the key without a passphrase", digest);
        try
        {
            return X509Certificate2.CreateFromPem(certificate.ExportCertificatePem(), files.Key);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or NotSupportedException)
        {
            var what = files.Key.Contains("PRIVATE KEY-----", StringComparison.Ordinal)
                ? $"is not the private key of {_settings.Certificate}"
                : "holds no PEM private key";
            throw new TlsFileException($"http.tls.key: {_settings.Key} {what}", digest, e);
        }
    }

    /// <summary>A file of the certificate is no good; the message names its setting.</summary>
    private sealed class TlsFileException(string message, string digest, Exception? inner = null) : Exception(message, inner)
    {
        /// <summary>The same for the same state of the files.</summary>
        public string Digest { get; } = digest;
    }
}
