using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Millrace.Node.Relay;

/// <summary>Where an origin is: <c>millrace://host:port</c>.</summary>
internal sealed record OriginAddress(string Host, int Port)
{
    public const string Scheme = "millrace";
    public const int DefaultPort = 9000;

    public static bool TryParse(string text, [NotNullWhen(true)] out OriginAddress? address, [NotNullWhen(false)] out string? error)
    {
        (address, error) = (null, null);
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Host.Length == 0 || uri.PathAndQuery is not ("" or "/") || uri.UserInfo.Length > 0)
            error = $"'{text}' is not an origin: {Scheme}://host or {Scheme}://host:port";
        else if (uri.Scheme != Scheme)
            error = $"'{text}': origins are {Scheme}://host:port";
        else
            address = new OriginAddress(uri.IdnHost, uri.Port > 0 ? uri.Port : DefaultPort);
        return address is not null;
    }

    /// <summary>From the cluster's map, where the stream's name stands behind it.</summary>
    public static bool TryParseMapped(string url, [NotNullWhen(true)] out OriginAddress? address)
    {
        address = Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme == Scheme && uri.Host.Length > 0
            ? new OriginAddress(uri.IdnHost, uri.Port > 0 ? uri.Port : DefaultPort)
            : null;
        return address is not null;
    }

    /// <summary>The addresses of the host. Names are looked up; what cannot be found throws.</summary>
    public async Task<IPEndPoint[]> ResolveAsync(CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(Host.Trim('[', ']'), out var literal))
            return [new IPEndPoint(literal, Port)];
        var found = await Dns.GetHostAddressesAsync(Host, cancellationToken);
        return Array.ConvertAll(found, address => new IPEndPoint(address, Port));
    }

    public override string ToString() => $"{Scheme}://{Host}:{Port}";
}
