namespace Millrace.Node.Settings;

/// <summary>The media port: HTTP-FLV, FLV over WebSocket, the page.</summary>
internal sealed record HttpSettings
{
    /// <summary>Where to listen, in clear text; default every address, port 8080; an empty list turns the port off.</summary>
    public IReadOnlyList<ListenEndpoint> Listen { get; init; } = [new ListenEndpoint(null, 8080)];

    public TlsSettings Tls { get; init; } = new();

    public CorsSettings Cors { get; init; } = new();
}

/// <summary>The media port with TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1. It opens when there is a certificate.</summary>
internal sealed record TlsSettings
{
    /// <summary>Where to listen; default every address, port 8443; an empty list turns it off.</summary>
    public IReadOnlyList<ListenEndpoint> Listen { get; init; } = [new ListenEndpoint(null, 8443)];

    /// <summary>PEM file of the certificate, those of the chain behind it; default none. Read again when it changes.</summary>
    public string Certificate { get; init; } = "";

    /// <summary>PEM file of the certificate's private key, not encrypted; default none. Read again when it changes.</summary>
    public string Key { get; init; } = "";

    public bool IsEnabled => Listen.Count > 0 && Certificate.Length > 0 && Key.Length > 0;
}

/// <summary>What pages of other sites may read.</summary>
internal sealed record CorsSettings
{
    /// <summary>Value of Access-Control-Allow-Origin on every media response; default <c>*</c>; empty sends no such header.</summary>
    public string AllowOrigin { get; init; } = "*";
}
