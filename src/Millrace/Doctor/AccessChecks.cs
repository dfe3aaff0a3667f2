using Millrace.Node.Access;
using Millrace.Node.Settings;

namespace Millrace.Doctor;

/// <summary>Whether what viewers need a token for can be had without one.</summary>
internal static class AccessChecks
{
    /// <param name="settings">Valid settings.</param>
    public static IEnumerable<DoctorCheck> Run(NodeSettings settings)
    {
        if (OpenRelay.Listeners(settings) is { Count: > 0 } open)
        {
            yield return DoctorCheck.Warn(
                "access", $"not everybody may play, but any node that reaches {string.Join(", ", open)} may fetch",
                "set relay.secret on all nodes; or keep relay.listen on loopback or empty and set relay.tls.client_certificates");
        }
    }
}
