using Millrace.Node.Cluster;

namespace Millrace.Node.Api;

/// <summary>GET /v1/cluster: this node among the others.</summary>
/// <param name="Upstreams">Streams that it fetches.</param>
/// <param name="Pushes">Streams that it sends on: those that are published here to an origin of theirs, and forwards.</param>
/// <param name="Downstreams">Other nodes that take a stream from it.</param>
/// <param name="Missing">Names that no origin knew a moment ago, and that are not asked for meanwhile.</param>
/// <param name="Access">What origins have been asked about who may play and publish (<c>token_traverse</c>).</param>
/// <param name="Nodes">All that the map knows, this one too; null when it does not answer in time.</param>
internal sealed record ClusterReply(
    ClusterNode Node, IReadOnlyList<UpstreamReply> Upstreams, IReadOnlyList<PushReply> Pushes, IReadOnlyList<DownstreamReply> Downstreams, int Missing,
    MapReply? Map, AccessReply Access, IReadOnlyList<NodeStatus>? Nodes);

/// <summary>This node.</summary>
/// <param name="Id"><c>cluster.node</c>, or what stands for it.</param>
/// <param name="Relay">Addresses where other nodes connect.</param>
/// <param name="RelayTls">The same for TLS.</param>
/// <param name="Advertise"><c>cluster.advertise</c>; null without one.</param>
/// <param name="Secret">Whether other nodes must prove that they have <c>relay.secret</c>.</param>
/// <param name="ClientCertificates">Whether those that connect by TLS must show a certificate.</param>
internal sealed record ClusterNode(
    string Id, string Version, IReadOnlyList<string> Relay, IReadOnlyList<string> RelayTls, string? Advertise, bool Secret, bool ClientCertificates);

/// <summary>A stream that is sent to another server.</summary>
/// <param name="Stream">vhost/app/name.</param>
/// <param name="Origin">URL.</param>
/// <param name="Forward">By <c>forward</c>: without influence on the publisher.</param>
/// <param name="Node">Id of the node there; null while there is no connection, and where it is a foreign server.</param>
/// <param name="State">live; lost (another connection is being made, the publisher is kept); pending (none has taken it yet).</param>
/// <param name="Switches">Times that it went on by another connection.</param>
/// <param name="Since">Since when it is taken, or is not.</param>
/// <param name="RoundTripMs">Of the link; null while it has not been measured.</param>
internal sealed record PushReply(
    string Stream, string Origin, bool Forward, string? Node, string State, long Switches, DateTimeOffset Since, double? RoundTripMs);

/// <summary>Another node that takes a stream.</summary>
/// <param name="Session">Its session here.</param>
/// <param name="Stream">vhost/app/name.</param>
/// <param name="Encrypted">Whether the link is TLS.</param>
/// <param name="Bytes">Sent to it.</param>
/// <param name="LagBytes">Bytes that the socket has yet to take.</param>
/// <param name="RoundTripMs">Of the link; null while it has not been measured.</param>
internal sealed record DownstreamReply(
    string Session, string Node, string Stream, string Remote, bool Encrypted, DateTimeOffset Since, long Bytes, long LagBytes, double? RoundTripMs);

/// <summary>Deciding by origins, since the start.</summary>
/// <param name="Allowed">Questions that they said yes to.</param>
/// <param name="Unavailable">Those that none was there to answer.</param>
/// <param name="FromCache">Claims that were decided by what an origin had said before.</param>
/// <param name="Refused">Viewers, publishers and HLS requests that were turned away, by whatever rule, and viewers let go.</param>
/// <param name="Cached">Verdicts that are kept.</param>
/// <param name="Pending">Questions without an answer yet.</param>
/// <param name="Links">Connections to other nodes that questions go by.</param>
internal sealed record AccessReply(long Allowed, long Denied, long Unavailable, long FromCache, long Refused, int Cached, int Pending, int Links);

/// <summary>The origin map.</summary>
/// <param name="Kind">memory or redis.</param>
/// <param name="Connected">Whether it can be asked.</param>
/// <param name="Since">Since when it can, or cannot.</param>
/// <param name="Registered">Streams that this node has said to have.</param>
/// <param name="Candidates">Those of them for which another node, or nobody yet, stands in the map.</param>
/// <param name="Misses">Look-ups that found nothing.</param>
/// <param name="Stale">Look-ups that were answered with what was known last.</param>
/// <param name="Failures">What the map refused or did not answer.</param>
internal sealed record MapReply(
    string Kind, bool Connected, DateTimeOffset Since, int Registered, int Candidates, long Lookups, long Misses, long Stale, long Failures,
    string? LastError);
