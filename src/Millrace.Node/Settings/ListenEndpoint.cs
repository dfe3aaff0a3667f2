using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Millrace.Node.Settings;

/// <summary>
/// Where to listen. <c>:1935</c>, <c>*:1935</c> and <c>1935</c> are every address of the machine, IPv4 and IPv6;
/// <c>127.0.0.1:1935</c> and <c>[::1]:1935</c> are one; <c>0.0.0.0</c> is every IPv4 and <c>[::]</c> every IPv6 address.
/// </summary>
/// <param name="Address">Null is every address of both families.</param>
/// <param name="Port">1 to 65,535; 0 is any free port, for tests.</param>
internal readonly record struct ListenEndpoint(IPAddress? Address, int Port)
{
    public static bool TryParse(string text, out ListenEndpoint endpoint, [NotNullWhen(false)] out string? error)
    {
        endpoint = default;
        var colon = text.LastIndexOf(':');
        var host = colon < 0 ? "" : text[..colon];
        if (!int.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port))
        {
            error = $"'{text}' is not an address to listen on: write \":1935\", \"127.0.0.1:1935\" or \"[::1]:1935\"";
            return false;
        }

        if (port > 65_535)
        {
            error = $"port {port} is out of range: 1 to 65535";
            return false;
        }

        if (!TryParseHost(host, out var address))
        {
            error = $"'{host}' is not an IP address; IPv6 is written in brackets: \"[::1]:1935\"";
            return false;
        }

        endpoint = new ListenEndpoint(address, port);
        error = null;
        return true;
    }

    /// <summary>Whether two listeners cannot both be opened.</summary>
    public bool Collides(ListenEndpoint other)
    {
        if (Port != other.Port || Port == 0)
            return false;
        if (Address is null || other.Address is null || Address.Equals(other.Address))
            return true;
        return Address.AddressFamily == other.Address.AddressFamily && (IsWildcard(Address) || IsWildcard(other.Address));
    }

    public override string ToString() => Address switch
    {
        null => FormattableString.Invariant($":{Port}"),
        { AddressFamily: AddressFamily.InterNetworkV6 } => FormattableString.Invariant($"[{Address}]:{Port}"),
        _ => FormattableString.Invariant($"{Address}:{Port}"),
    };

    private static bool IsWildcard(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    private static bool TryParseHost(string host, out IPAddress? address)
    {
        address = null;
        if (host is "" or "*")
            return true;
        if (host == "localhost")
        {
            address = IPAddress.Loopback;
            return true;
        }

        var bracketed = host.StartsWith('[') && host.EndsWith(']');
        return IPAddress.TryParse(bracketed ? host[1..^1] : host, out address)
            && bracketed == (address.AddressFamily == AddressFamily.InterNetworkV6)
            && (bracketed || host.Count(c => c == '.') == 3);
    }
}
