namespace Millrace.Node.Settings;

/// <summary>The media port: HTTP-FLV, FLV over WebSocket, the page.</summary>
internal sealed record HttpSettings
{
    /// <summary>Where to listen, in clear text; default every address, port 8080; an empty list turns the port off.</summary>
    public IReadOnlyList<ListenEndpoint> Listen { get; init; } = [new ListenEndpoint(null, 8080)];

    public CorsSettings Cors { get; init; } = new();
}

/// <summary>What pages of other sites may read.</summary>
internal sealed record CorsSettings
{
    /// <summary>Value of Access-Control-Allow-Origin on every media response; default <c>*</c>; empty sends no such header.</summary>
    public string AllowOrigin { get; init; } = "*";
}
