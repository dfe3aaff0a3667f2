namespace Millrace.Node.Api;

/// <summary>GET /v1/trace/{session}: a stream's way from its publisher to one session, as it was told with the media itself.</summary>
/// <param name="Stream">vhost/app/name.</param>
/// <param name="Timeline">Id of the Timeline, 16 hexadecimal digits.</param>
/// <param name="Publisher">Who publishes, at the first node of the path; null where that is not known.</param>
/// <param name="Path">The nodes, the authority first, this one last.</param>
/// <param name="LatencyMs">From the first of them to the last; null where it is not known.</param>
/// <param name="AgeMs">How long ago that was measured; null at the authority.</param>
/// <param name="Upstream">Where this node has the stream from; null at the authority.</param>
/// <param name="Viewer">The end of the way; null for a session that media comes from.</param>
internal sealed record TraceReply(
    string Session, string Stream, string Timeline, int? Era, TracePublisher? Publisher, IReadOnlyList<HopReply> Path,
    double? LatencyMs, double? AgeMs, UpstreamReply? Upstream, TraceViewer? Viewer);

internal sealed record TracePublisher(string Protocol, string Remote);

/// <summary>One node of a path.</summary>
/// <param name="Node">Its id.</param>
/// <param name="LatencyMs">From the arrival of a unit here to its arrival at the next node, difference of clocks taken out; null at the last, and while a link has not been measured.</param>
/// <param name="ClockOffsetMs">What the node's clock is ahead of the authority's; null while that has not been measured.</param>
/// <param name="RoundTripMs">Of its link to the node before; latencies are wrong by at most half of it. Null at the authority, and while it has not been measured.</param>
internal sealed record HopReply(string Node, double? LatencyMs, double? ClockOffsetMs, double? RoundTripMs);

/// <summary>Where a stream is fetched from.</summary>
/// <param name="Stream">vhost/app/name.</param>
/// <param name="Origin">URL.</param>
/// <param name="Encrypted">Whether it is connected to by TLS.</param>
/// <param name="Node">Id of the node there; null while there is no connection.</param>
/// <param name="State">live; lost (another connection is being made, viewers are kept); pending (asked for the first time); missing; local.</param>
/// <param name="Switches">Times that the stream went on from another connection.</param>
/// <param name="Since">Since when the stream comes, or does not.</param>
/// <param name="LagMs">What the newest measured unit took from the authority to here; null where it is not known.</param>
/// <param name="ClockOffsetMs">What this node's clock is ahead of that node's; null while it has not been measured.</param>
/// <param name="RoundTripMs">Of the link, the shortest of late.</param>
internal sealed record UpstreamReply(
    string Stream, string Origin, bool Encrypted, string? Node, string State, long Switches, DateTimeOffset Since, double? LagMs, double? ClockOffsetMs, double? RoundTripMs);

/// <summary>The last stretch of a way: from this node to a viewer, or to another node.</summary>
/// <param name="Node">Id of the other node; null for a viewer.</param>
/// <param name="WindowMs">Merge window, as its shard has stretched it: how long bytes may wait to go out together.</param>
/// <param name="LagBytes">Bytes that the socket has yet to take.</param>
/// <param name="LagMs">The same in media time, by the stream's bitrate; null while that is unknown.</param>
/// <param name="SocketBytes">Bytes that the kernel has yet to put on the wire; null behind TLS and HTTP/2.</param>
/// <param name="RoundTripMs">As TCP has measured it; with another node by heartbeats. Null where it is not known.</param>
/// <param name="Skips">Times that it was moved to a newer key frame.</param>
/// <param name="SkippedMessages">Frames that it lost by that.</param>
internal sealed record TraceViewer(
    string Protocol, string Remote, string? Node, double? WindowMs, long LagBytes, double? LagMs, long? SocketBytes, double? RoundTripMs,
    long Skips, long SkippedMessages);
