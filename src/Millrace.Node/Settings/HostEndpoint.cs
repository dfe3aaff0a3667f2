using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Millrace.Node.Settings;

/// <summary>Another machine's port: <c>example.org:6379</c>, <c>10.0.0.1:6379</c>, <c>[::1]:6379</c>.</summary>
/// <param name="Host">A name or an address; IPv6 without brackets.</param>
/// <param name="Port">1 to 65,535.</param>
internal readonly record struct HostEndpoint(string Host, int Port)
{
    /// <summary>Longest DNS name (RFC 1035, 2.3.4).</summary>
    private const int MaxHostLength = 255;

    /// <param name="text">What was written.</param>
    /// <param name="defaultPort">Of a text without one; 0: it must have one.</param>
    /// <param name="endpoint">The two parts.</param>
    /// <param name="error">Says what to write; null on success.</param>
    public static bool TryParse(string text, int defaultPort, out HostEndpoint endpoint, [NotNullWhen(false)] out string? error)
    {
        endpoint = default;
        error = null;
        var bracket = text.StartsWith('[') ? text.IndexOf(']', StringComparison.Ordinal) : -1;
        var colon = text.IndexOf(':', bracket + 1);
        var host = bracket > 0 ? text[1..bracket] : colon < 0 ? text : text[..colon];
        var port = defaultPort;
        var hasPort = colon >= 0 && int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port);
        if (!IsHost(host, isAddress: bracket > 0) || (colon >= 0 && !hasPort) || (bracket > 0 && bracket + 1 < text.Length && colon != bracket + 1))
            error = $"'{text}' is not host:port; IPv6 is written in brackets: \"[::1]:6379\"";
        else if (port is < 1 or > 65_535)
            error = hasPort ? $"port {port} is out of range: 1 to 65535" : $"'{text}' has no port: write {text}:PORT";
        else
            endpoint = new HostEndpoint(host, port);
        return error is null;
    }

    public override string ToString() =>
        Host.Contains(':', StringComparison.Ordinal) ? FormattableString.Invariant($"[{Host}]:{Port}") : FormattableString.Invariant($"{Host}:{Port}");

    private static bool IsHost(string host, bool isAddress) => isAddress
        ? System.Net.IPAddress.TryParse(host, out var address) && address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6
        : host.Length is > 0 and <= MaxHostLength && host.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');
}
