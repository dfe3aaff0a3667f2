using System.Text.Json.Serialization;

namespace Millrace.Node.Http;

/// <summary>Server time for the page's latency read-out.</summary>
internal sealed record ClockReply(long NowMicros);

/// <summary>The page's list: what is live here, and where to push to.</summary>
/// <param name="Fetches">There may be more, which come when somebody asks for them.</param>
internal sealed record PageStreams(IReadOnlyList<PageStream> Streams, int RtmpPort, bool Fetches);

internal sealed record PageStream(
    string Name, string Vhost, string App, string Stream, string? Video, string? Audio, int Viewers, DateTimeOffset Since);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ClockReply))]
[JsonSerializable(typeof(PageStreams))]
internal sealed partial class NodeJson : JsonSerializerContext;
