using System.Text;

namespace Millrace.Node.Http;

/// <summary>What of a request for FLV outlives its bytes.</summary>
internal sealed record FlvRequest(string Host, string Path, string Query, string Agent, bool IsHead, bool IsVersion11)
{
    /// <summary>A handshake of RFC 6455, right or wrong.</summary>
    public bool IsWebSocket { get; private init; }

    public string WebSocketKey { get; private init; } = "";

    public bool HasWebSocketVersion { get; private init; }

    /// <summary>What the viewer shows to be let in besides the query.</summary>
    public string Authorization { get; private init; } = "";

    public string Cookie { get; private init; } = "";

    public static FlvRequest Of(in HttpRequestHead head) => new(Text(head.Host), Text(head.Path), Text(head.Query), Text(head.Agent), head.IsHead, head.IsVersion11)
    {
        IsWebSocket = head is { WantsUpgrade: true, IsVersion11: true, IsGet: true } && Ascii.EqualsIgnoreCase(head.Upgrade, "websocket"u8),
        WebSocketKey = Text(head.WebSocketKey),
        Authorization = Text(head.Authorization),
        Cookie = Text(head.Cookie),
        HasWebSocketVersion = head.WebSocketVersion.SequenceEqual("13"u8),
    };

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.ASCII.GetString(bytes);
}
