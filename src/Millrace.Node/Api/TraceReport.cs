using Millrace.Node.Relay;
using Millrace.Node.Sessions;
using Millrace.Node.Shards;
using Millrace.Streams;
using Millrace.Streams.Wire;

namespace Millrace.Node.Api;

/// <summary>Makes the trace of a session.</summary>
internal sealed class TraceReport(NodeContext node)
{
    /// <summary>Null for a session whose stream is not here any more.</summary>
    public async Task<TraceReply?> MakeAsync(NodeSession session)
    {
        if (session.Stream is not { } name || node.Registry.Find(name) is not { } stream)
            return null;
        var tcp = session.Traffic is ShardConnection connection ? await TcpInfo.ReadAsync(connection) : null;
        var hops = stream.IsAuthority ? [] : stream.Hops.Latest;
        return new TraceReply(
            session.Id, name.ToString(), StreamReport.IdOf(stream), stream.Timeline.Era?.Number,
            stream.Publisher is { } publisher ? new TracePublisher(publisher.Protocol, publisher.Remote) : null,
            PathReport.PathOf(stream),
            stream.IsAuthority ? 0 : PathReport.ToMillis(PathReport.LatencyOf(stream)),
            hops is [.., var here] ? PathReport.ToMillis(Math.Max(0, NodeClock.UnixMicros - here.ArrivedMicros)) : null,
            node.Upstreams.TryFind(name, out var puller) ? PathReport.Of(puller, stream) : null,
            IsViewer(session) ? ViewerOf(session, stream, tcp) : null);
    }

    private static bool IsViewer(NodeSession session) =>
        session.Role == SessionRole.Player || session is { Role: SessionRole.Relay, Traffic: RelayConnection { Target: null } };

    private TraceViewer ViewerOf(NodeSession session, LiveStream stream, TcpInfo? tcp)
    {
        var traffic = session.Traffic;
        var relay = traffic as RelayConnection;
        var lag = traffic?.LagBytes ?? 0;
        return new TraceViewer(
            session.Protocol, session.Remote.ToString(), relay?.Protocol.PeerNode, PathReport.ToMillis(StretchedWindowOf(session)),
            lag, MillisOf(lag, stream), tcp?.UnsentBytes,
            PathReport.ToMillis(relay is not null ? relay.Link?.RoundTripMicros : tcp is { RoundTripMicros: > 0 and var roundTrip } ? roundTrip : null),
            traffic?.Skips ?? 0, traffic?.SkippedMessages ?? 0);
    }

    private long? StretchedWindowOf(NodeSession session) =>
        WindowOf(session) is { } window && session.Traffic is ShardConnection connection ? connection.Shard.Pacer.Stretch(window) : WindowOf(session);

    private long? WindowOf(NodeSession session) => session.Protocol switch
    {
        "rtmp" => node.WindowOf(session.Stream!, WireFormat.Rtmp),
        "http-flv" => node.WindowOf(session.Stream!, WireFormat.Flv),
        "ws-flv" => node.WindowOf(session.Stream!, WireFormat.WsFlv),
        "relay" => node.WindowOf(session.Stream!, WireFormat.Relay),
        _ => null,
    };

    private static double? MillisOf(long bytes, LiveStream stream)
    {
        if (bytes == 0)
            return 0;
        var bitrate = stream.Timeline.Era?.Tracks.Sum(static track => track.Stats.Bitrate) ?? 0;
        return bitrate > 0 ? Math.Round(bytes * 8e3 / bitrate, 3) : null;
    }
}
