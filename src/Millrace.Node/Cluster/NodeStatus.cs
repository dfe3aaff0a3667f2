using System.Text.Json;
using System.Text.Json.Serialization;

namespace Millrace.Node.Cluster;

/// <summary>What a node says about itself with each heartbeat.</summary>
/// <param name="Id"><c>cluster.node</c>.</param>
/// <param name="Relay"><c>millrace://host:port</c> or <c>millraces://host:port</c>; empty where other nodes cannot reach it.</param>
/// <param name="Http">Base URL of its media port, as viewers reach it; empty without one.</param>
/// <param name="Started">When its process started.</param>
/// <param name="Streams">Live streams.</param>
/// <param name="Sessions">Publishers and players.</param>
/// <param name="Cpu">Cores in use, 0 and up.</param>
internal sealed record NodeStatus(string Id, string Relay, string Http, DateTimeOffset Started, int Streams, int Sessions, double Cpu)
{
    /// <summary>Of the JSON, in bytes: some URLs and numbers.</summary>
    public const int MaxBytes = 4096;

    /// <summary>As <see cref="Http"/>, over TLS.</summary>
    public string Https { get; init; } = "";

    /// <summary><c>rtmp://host:port</c>, as clients reach it; empty without one.</summary>
    public string Rtmp { get; init; } = "";

    public string ToJson() => JsonSerializer.Serialize(this, NodeStatusJson.Default.NodeStatus);

    /// <summary>Null for what is not the status of the node of this name.</summary>
    public static NodeStatus? Parse(string id, ReadOnlySpan<byte> json)
    {
        if (json.Length is 0 or > MaxBytes)
            return null;
        try
        {
            var status = JsonSerializer.Deserialize(json, NodeStatusJson.Default.NodeStatus);
            return status is { Relay: not null, Http: not null, Streams: >= 0, Sessions: >= 0 } && status.Id == id && double.IsFinite(status.Cpu)
                ? status with { Http = Usable(status.Http), Https = Usable(status.Https), Rtmp = Usable(status.Rtmp) }
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Clients are told them.</summary>
    private static string Usable(string? url) => url is not null && OriginUrl.IsUsable(url) ? url : "";
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(NodeStatus))]
internal sealed partial class NodeStatusJson : JsonSerializerContext;
