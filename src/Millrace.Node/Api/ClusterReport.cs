using Millrace.Node.Access;
using Millrace.Node.Cluster;
using Millrace.Node.Relay;
using Millrace.Node.Sessions;
using Millrace.Node.Status;

namespace Millrace.Node.Api;

/// <summary>Makes the report of this node among the others.</summary>
internal sealed class ClusterReport(NodeContext node)
{
    /// <summary>A map that is away may take seconds to say so.</summary>
    private static readonly TimeSpan NodesLimit = TimeSpan.FromSeconds(1);

    public async Task<ClusterReply> MakeAsync(CancellationToken cancellationToken)
    {
        var settings = node.Settings;
        var advertise = settings.Cluster.Advertise.Length > 0 ? settings.Cluster.Advertise : null;
        return new ClusterReply(
            new ClusterNode(
                node.Id, StatusReport.Version, [.. node.RelayListeners.Select(static listener => listener.ToString())],
                [.. node.RelayTlsListeners.Select(static listener => listener.ToString())], advertise, settings.Relay.Secret.IsSet, settings.Relay.Tls.ClientCertificates),
            [.. node.Upstreams.All.Select(puller => PathReport.Of(puller, node.Registry.Find(puller.Name))).OrderBy(static upstream => upstream.Stream, StringComparer.Ordinal)],
            [.. node.Pushers.All.Select(static pusher => PathReport.Of(pusher, isForward: false))
                .Concat(node.Pushers.Forwards.Select(static pusher => PathReport.Of(pusher, isForward: true)))
                .OrderBy(static push => push.Stream, StringComparer.Ordinal).ThenBy(static push => push.Origin, StringComparer.Ordinal)],
            [.. node.Sessions.All.Select(DownstreamOf).OfType<DownstreamReply>().OrderBy(static downstream => downstream.Session, StringComparer.Ordinal)],
            node.Upstreams.CountMissing(NodeClock.Micros),
            node.OriginMap is { State: var state } ? Of(state) : null,
            Of(node.Access),
            await NodesAsync(cancellationToken));
    }

    private static DownstreamReply? DownstreamOf(NodeSession session) =>
        session is { Role: SessionRole.Relay, Traffic: RelayConnection { Target: null } connection }
            ? new DownstreamReply(
                session.Id, connection.Protocol.PeerNode, session.Stream!.ToString(), session.Remote.ToString(), connection.Socket.IsEncrypted, session.Started,
                connection.BytesOut, connection.LagBytes, PathReport.ToMillis(connection.Link?.RoundTripMicros))
            : null;

    private static AccessReply Of(AccessJudge access)
    {
        var counters = access.Counters;
        return new AccessReply(
            counters.AskedWith(AccessOutcome.Allowed), counters.AskedWith(AccessOutcome.Denied), counters.AskedWith(AccessOutcome.Unavailable),
            counters.FromCache, counters.Refused, access.Verdicts.Count, access.Verdicts.Pending, access.Inquiries.LinkCount);
    }

    private static MapReply Of(OriginMapState state) => new(
        state.Kind, state.IsConnected, state.Since, state.Registered, state.Candidates, state.Lookups, state.Misses, state.Stale, state.Failures, state.LastError);

    private async Task<IReadOnlyList<NodeStatus>?> NodesAsync(CancellationToken cancellationToken)
    {
        if (node.OriginMap is not { } map)
            return null;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(NodesLimit);
        try
        {
            return await map.NodesAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }
}
