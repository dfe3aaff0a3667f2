using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Millrace.Node.Tls;

/// <summary>One handshake's judgement of the peer's certificate, and what a handshake that failed is to be called.</summary>
/// <param name="host">What the certificate must be for; null: the peer has connected, and its name is not looked at.</param>
/// <param name="isRequired">Whether there must be one.</param>
internal sealed class PeerCheck(string? host, bool isRequired = true)
{
    /// <summary>What is wrong with the peer's certificate; null when nothing is, or none was looked at.</summary>
    public string? Fault { get; private set; }

    /// <summary>When the peer's certificate expires; null when it showed none.</summary>
    public DateTime? ValidUntil { get; private set; }

    /// <summary>For <see cref="SslStream"/>, which has checked name and chain.</summary>
    public bool Accept(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        var peer = certificate as X509Certificate2;
        ValidUntil = peer?.NotAfter.ToUniversalTime();
        if (peer is null)
            Fault = isRequired ? "it shows no certificate" : null;
        else if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors))
            Fault = Describe(chain, peer);
        else if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) && host is not null)
            Fault = $"its certificate is not for {host} but for {NamesOf(peer)}";
        return Fault is null;
    }

    /// <summary>What is wrong with a chain.</summary>
    public static string Describe(X509Chain? chain, X509Certificate2 certificate)
    {
        var status = chain?.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, static (all, one) => all | one.Status) ?? X509ChainStatusFlags.NoError;
        // The last one: of an authority that has only the name of one that is trusted.
        if ((status & (X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.NotSignatureValid)) != X509ChainStatusFlags.NoError)
            return $"its certificate ({certificate.Subject}, of {certificate.Issuer}) is not of an authority that is trusted here";
        if (status.HasFlag(X509ChainStatusFlags.NotTimeValid) && certificate.NotAfter < DateTime.Now)
            return string.Create(CultureInfo.InvariantCulture, $"its certificate has expired, at {certificate.NotAfter.ToUniversalTime():u}");
        return $"its certificate ({certificate.Subject}) is not good: {status}";
    }

    /// <summary>One line for a connection that has not come about.</summary>
    /// <param name="error">Of the connection, or of its handshake.</param>
    /// <param name="isHandshake">The connection itself was there.</param>
    public string DescribeFailure(Exception error, bool isHandshake) => error switch
    {
        _ when Fault is { } fault => fault,
        OperationCanceledException => isHandshake ? "no TLS connection in time" : "no connection in time",
        IOException when isHandshake => "the peer ended the connection in the TLS handshake: does it speak TLS there?",
        _ when isHandshake => $"TLS: {Innermost(error)}",
        _ => error.Message,
    };

    /// <summary>One line for a connection that has ended; null where there is nothing to add to that.</summary>
    /// <param name="error">What it ended of; null: the peer closed it.</param>
    /// <param name="hasReceived">Something has come.</param>
    public string? DescribeEnd(Exception? error, bool hasReceived)
    {
        // With TLS 1.3 who connects hears of a refusal only behind the handshake, if at all.
        if (host is not null && !hasReceived)
            return "the peer ended the connection right after the TLS handshake: does it ask for a certificate, and accept this node's?";
        return error is null or ObjectDisposedException ? null : Innermost(error);
    }

    private static string Innermost(Exception error)
    {
        while (error.InnerException is { } inner)
            error = inner;
        return error.Message;
    }

    private static string NamesOf(X509Certificate2 certificate)
    {
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(static extension => extension.EnumerateDnsNames().Concat(extension.EnumerateIPAddresses().Select(static address => address.ToString())));
        var text = string.Join(", ", names.Take(5));
        return text.Length > 0 ? text : certificate.Subject;
    }
}
