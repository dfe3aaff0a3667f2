using Millrace.Node.Access;
using Millrace.Node.Cluster;
using Millrace.Node.Metrics;
using Millrace.Node.Settings;
using Millrace.Protocols.Rtmp;

namespace Millrace.Node.Rtmp;

/// <content>Who wants to publish or play is let in or not, and served here or sent to the node that has the stream.</content>
internal sealed partial class RtmpConnection
{
    private RedirectLookup? _lookup;

    private void StartPublish(RtmpPublishRequest request, long now)
    {
        var connect = _session.Connect!;
        if (!StreamAddress.TryParseRtmp(_node.Settings, connect.TcUrl, connect.App, request.Name, isPublish: true, out var address, out var error))
        {
            _node.Traffic.Count(VhostSettings.DefaultName, TrafficFormat.Rtmp, 400, 0, 0, 0);
            _session.RejectPublish(Shard.Reply, "NetStream.Publish.BadName", error);
            EndAfterReply($"publish refused: {error}", now);
            return;
        }

        if (_node.Access.RuleOf(address) is not { } rule)
        {
            RoutePublisher(address, request.Name, now);
            return;
        }

        void OnAnswer(AccessVerdict verdict, long at)
        {
            if (IsEnding)
                return;
            OnVerdict(address, request.Name, verdict, at);
            if (IsEnding)
                return;
            SendReply(at);
            GoOn(at);
        }

        _publishing = new AccessPass(_node.Access, ClaimOf(address, AccessAction.Publish), rule, Shard, OnAnswer);
        if (_publishing.Ask(now) is { } verdict)
            OnVerdict(address, request.Name, verdict, now);
    }

    /// <summary>Once: who publishes holds the stream, and other nodes have taken it from him.</summary>
    private void OnVerdict(StreamAddress address, string asked, AccessVerdict verdict, long now)
    {
        _publishing?.End();
        if (verdict.IsAllowed)
        {
            RoutePublisher(address, asked, now);
            return;
        }

        _node.Traffic.Count(address.Name, TrafficFormat.Rtmp, verdict.Status, 0, 0, 0);
        _session.RejectPublish(Shard.Reply, "NetStream.Publish.Denied", $"{verdict.Status}: {verdict.Reason}");
        EndAfterReply($"publish refused: {verdict.Reason}", now);
    }

    private void StartPlay(RtmpPlayRequest request, long now)
    {
        var connect = _session.Connect!;
        if (!StreamAddress.TryParseRtmp(_node.Settings, connect.TcUrl, connect.App, request.Name, isPublish: false, out var address, out var error))
        {
            _node.Traffic.Count(VhostSettings.DefaultName, TrafficFormat.Rtmp, 400, 0, 0, 0);
            _session.RejectPlay(Shard.Reply, "NetStream.Play.StreamNotFound", error);
            EndAfterReply($"play refused: {error}", now);
            return;
        }

        if (_publisher is null)
            JoinCrowd();
        void RoutePlayer(long at) => Route(_node.Redirects.ForViewer(address.Name, address.Query, ClientProtocol.Rtmp), address, request.Name, isPublisher: false, at);
        _player = new RtmpPlayer(this, _node, address.Name, address.Query, RoutePlayer);
        _player.Open(_node.Access.IsPlayOpen ? null : ClaimOf(address, AccessAction.Play), now);
    }

    private AccessClaim ClaimOf(StreamAddress address, AccessAction action)
    {
        var connect = _session.Connect!;
        return new AccessClaim(address.Name, action, AccessPapers.Of(address.Arguments))
        {
            Introduction = new RtmpIntroduction(connect.TcUrl, connect.SwfUrl, connect.PageUrl),
            Client = Socket.Remote.ToString(),
            Protocol = "rtmp",
            Agent = Session.Agent,
        };
    }

    private void RoutePublisher(StreamAddress address, string asked, long now) =>
        Route(_node.Redirects.ForPublisher(address.Name, address.Query), address, asked, isPublisher: true, now);

    /// <param name="lookup">Who has the stream; null: he is served here.</param>
    /// <param name="address">The stream.</param>
    /// <param name="asked">What he called it.</param>
    /// <param name="isPublisher">Else he plays.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    private void Route(RedirectLookup? lookup, StreamAddress address, string asked, bool isPublisher, long now)
    {
        if (lookup is null || lookup.IsThrough)
        {
            Decide(lookup, address, asked, isPublisher, now);
            return;
        }

        _lookup = lookup;
        lookup.Then(() => Shard.Post(() =>
        {
            // He may have thought better of it.
            if (_lookup != lookup || IsEnding)
                return;
            _lookup = null;
            var later = NodeClock.Micros;
            Decide(lookup, address, asked, isPublisher, later);
            SendReply(later);
            GoOn(later);
        }));
    }

    private void Decide(RedirectLookup? lookup, StreamAddress address, string asked, bool isPublisher, long now)
    {
        if (lookup?.RtmpUrl(StreamAddress.RtmpPathOf(_session.Connect!.App, asked), address.Query) is { } target)
        {
            _player?.Stop();
            _player = null;
            _node.Traffic.Count(address.Name, TrafficFormat.Rtmp, 302, 0, 0, 0);
            // Before publish or play is answered: clients that follow look for a refused connection.
            _session.RejectConnect(Shard.Reply, "RTMP 302 Redirect", target.TcUrl, target.Url);
            EndAfterReply($"{address.Name} is at node {lookup.Owner}: sent there", now);
        }
        else if (isPublisher)
        {
            _publisher = RtmpPublisher.TryStart(this, _node, address, now);
        }
        else
        {
            _player!.Begin(now);
        }
    }
}
