using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Node;
using Millrace.Node.Http;
using Millrace.Node.Relay;
using Millrace.Node.Settings;
using Millrace.Node.Shards;

namespace Millrace.Doctor;

/// <summary>The node's own certificates: whether their files are good, for how long, and whether other nodes would accept them.</summary>
internal static class CertificateChecks
{
    /// <summary>What renews certificates does it earlier: Let's Encrypt's clients when a third of 90 days is left.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromDays(14);

    public static IEnumerable<DoctorCheck> Run(NodeSettings settings)
    {
        if (settings.Http.Tls.IsEnabled)
            yield return Check("http.tls.certificate", () => OfHttp(settings.Http.Tls));
        if (settings.Relay.Tls.HasCertificate || settings.Relay.Tls.Authority.Length > 0 || settings.Edge.Tls.Authority.Length > 0)
            yield return Check("relay.tls", () => OfRelay(settings));
        if (settings.Relay is { Listen.Count: > 0, Tls.IsEnabled: true })
            yield return DoctorCheck.Warn("relay.listen", "nodes can connect without TLS too", "write relay.listen: [] once all of them connect by millraces://");
    }

    /// <summary>How long a certificate is good for yet.</summary>
    /// <param name="name">What is looked at.</param>
    /// <param name="whose">Begins the sentence.</param>
    /// <param name="until">When it expires.</param>
    public static DoctorCheck OfTime(string name, string whose, DateTime until)
    {
        var time = until.ToUniversalTime();
        var left = time - DateTime.UtcNow;
        var finding = string.Create(CultureInfo.InvariantCulture, $"{whose} {(left < TimeSpan.Zero ? "has expired" : "is valid until")} {time:u}");
        return left < TimeSpan.Zero ? DoctorCheck.Fail(name, finding, "renew it; the node takes new files without a restart")
            : left < Soon ? DoctorCheck.Warn(name, finding, "renew it; the node takes new files without a restart")
            : DoctorCheck.Ok(name, finding);
    }

    private static DoctorCheck Check(string name, Func<DoctorCheck> check)
    {
        try
        {
            return check();
        }
        catch (ListenException e)
        {
            return DoctorCheck.Fail(name, e.Message, "correct the setting, or the file; PEM, and readable for this user");
        }
    }

    private static DoctorCheck OfHttp(TlsSettings settings)
    {
        var now = NodeClock.Micros;
        var certificate = TlsCertificate.Open(settings, NullLogger.Instance, now).Current.ServerCertificateContext!.TargetCertificate;
        return OfTime("http.tls.certificate", $"the certificate of {certificate.Subject}", certificate.NotAfter);
    }

    private static DoctorCheck OfRelay(NodeSettings settings)
    {
        const string Name = "relay.tls.certificate";
        var now = NodeClock.Micros;
        var tls = RelayTls.Open(settings, NullLogger.Instance, now);
        if (tls.Own is not { } own)
            return DoctorCheck.Ok("relay.tls", "its files are good; this node has no certificate of its own");
        var time = OfTime(Name, $"the certificate of {own.Subject}", own.NotAfter);
        return time.Result != CheckResult.Fail && tls.FaultOfOwn() is { } fault
            ? DoctorCheck.Fail(
                Name, $"nodes with the same relay.tls.authority would refuse this one: {fault}", "have the certificate signed by that authority, for serverAuth and clientAuth")
            : time;
    }
}
