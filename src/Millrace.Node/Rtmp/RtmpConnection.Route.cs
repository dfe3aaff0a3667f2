using Millrace.Node.Cluster;
using Millrace.Node.Metrics;

namespace Millrace.Node.Rtmp;

/// <content>Who publishes or plays is served here, or sent to the node that has the stream.</content>
internal sealed partial class RtmpConnection
{
    private RedirectLookup? _lookup;

    /// <param name="lookup">Who has the stream; null: he is served here.</param>
    /// <param name="address">The stream.</param>
    /// <param name="asked">What he called it.</param>
    /// <param name="isPublisher">Else he plays.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    private void Route(RedirectLookup? lookup, StreamAddress address, string asked, bool isPublisher, long now)
    {
        if (lookup is null || lookup.IsDone)
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
            _player = new RtmpPlayer(this, _node, address.Name, address.Query);
            _player.Open(now);
        }
    }
}
