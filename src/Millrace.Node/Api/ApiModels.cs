using System.Text.Json.Serialization;

namespace Millrace.Node.Api;

/// <summary>GET /health of a media node (requirements row 003-11).</summary>
/// <param name="Uptime">Seconds.</param>
internal sealed record HealthReply(string Status, int ActiveStreams, HealthMemory Memory, HealthCpu Cpu, double Uptime, DateTimeOffset Timestamp);

/// <summary>Megabytes: of the process, and of the machine or its cgroup.</summary>
internal sealed record HealthMemory(double Used, double Total);

/// <summary>Seconds of processor time since the start.</summary>
internal sealed record HealthCpu(double User, double System);

internal sealed record StreamList(IReadOnlyList<StreamReply> Streams);

/// <summary>One stream.</summary>
/// <param name="Name">vhost/app/name.</param>
/// <param name="State">idle; starting (published, its tracks not yet known); live; grace (its publisher may come back).</param>
/// <param name="Timeline">Id of the Timeline, 16 hexadecimal digits.</param>
/// <param name="LogBytes">Held by the stream log.</param>
/// <param name="WireBytes">Held by all wire logs.</param>
/// <param name="HlsBytes">Held by all HLS segments.</param>
/// <param name="Upstream">Where it is fetched from; null for a stream of this node's own.</param>
/// <param name="Path">The nodes that it comes through, the authority first, this one last; null for a stream of this node's own.</param>
internal sealed record StreamReply(
    string Name, string State, DateTimeOffset? Since, string Timeline, int? Era, PublisherReply? Publisher,
    IReadOnlyList<TrackReply> Tracks, ViewersReply Viewers, long LogBytes, long WireBytes, long HlsBytes, HlsReply? Hls,
    UpstreamReply? Upstream, IReadOnlyList<HopReply>? Path);

/// <summary>How a stream is cut for HLS.</summary>
/// <param name="Packaging">The forms that somebody asks for now: ll, ts.</param>
/// <param name="TargetDuration">Seconds.</param>
/// <param name="PartTarget">Seconds; null while it is unknown.</param>
/// <param name="MediaSequence">Number of the open segment.</param>
/// <param name="HardCuts">Segments that had to be cut without a key frame; with <c>hls.keyframes: strict</c> the source breaks its promise.</param>
internal sealed record HlsReply(IReadOnlyList<string> Packaging, long TargetDuration, double? PartTarget, long MediaSequence, long HardCuts);

internal sealed record PublisherReply(string Session, string Protocol, string Remote);

/// <summary>One track of the current Era.</summary>
/// <param name="CodecString">RFC 6381.</param>
/// <param name="Bitrate">Bits a second over the last 2 s.</param>
/// <param name="FrameRate">Pictures a second over the last 2 s.</param>
/// <param name="KeyFrameInterval">Seconds between the last two key frames.</param>
internal sealed record TrackReply(
    int Id, string Kind, string Codec, string? CodecString, int Configs, int? Width, int? Height, int? SampleRate, int? Channels,
    string? Language, string? Label, double Bitrate, double? FrameRate, double? KeyFrameInterval, bool? Reorder, long Units, long Bytes);

/// <summary>Viewers of a stream.</summary>
/// <param name="ByProtocol">Counts.</param>
/// <param name="MaxLagBytes">The furthest behind of all.</param>
/// <param name="Skips">Times that viewers who are there now were moved to a newer key frame.</param>
internal sealed record ViewersReply(int Total, IReadOnlyDictionary<string, int> ByProtocol, long MaxLagBytes, long Skips);

internal sealed record SessionList(IReadOnlyList<SessionReply> Sessions);

/// <summary>One publisher or viewer.</summary>
/// <param name="LagBytes">Bytes that the viewer has yet to be sent.</param>
/// <param name="Skips">Times that it was moved to a newer key frame.</param>
/// <param name="SkippedMessages">Frames that it lost by that.</param>
internal sealed record SessionReply(
    string Id, string Protocol, string Role, string Stream, string Remote, string Agent, DateTimeOffset Started,
    long BytesIn, long BytesOut, long LagBytes, long Skips, long SkippedMessages);

internal sealed record ErrorReply(string Error);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(HealthReply))]
[JsonSerializable(typeof(StreamList))]
[JsonSerializable(typeof(StreamReply))]
[JsonSerializable(typeof(SessionList))]
[JsonSerializable(typeof(SessionReply))]
[JsonSerializable(typeof(TraceReply))]
[JsonSerializable(typeof(ClusterReply))]
[JsonSerializable(typeof(ErrorReply))]
internal sealed partial class ApiJson : JsonSerializerContext;
