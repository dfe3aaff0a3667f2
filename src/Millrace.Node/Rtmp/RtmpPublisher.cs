using Millrace.Media;
using Millrace.Media.Amf;
using Millrace.Media.Codecs;
using Millrace.Media.Flv;
using Millrace.Node.Metrics;
using Millrace.Node.Sessions;
using Millrace.Protocols.Relay;
using Millrace.Protocols.Rtmp;
using Millrace.Streams;
using Millrace.Streams.Publishing;

namespace Millrace.Node.Rtmp;

/// <summary>The bridge from an RTMP session to the stream log.</summary>
internal sealed class RtmpPublisher
{
    private readonly RtmpConnection _connection;
    private readonly PublisherLease _lease;
    private readonly TimestampUnwrapper _clock = new(32);
    private readonly FlvIntake _tracks;
    private readonly long _idleTimeout;
    private readonly RelayRequest _request;
    private long _lastMedia;
    private bool _ended;
    private bool _isPending;

    private RtmpPublisher(RtmpConnection connection, PublisherLease lease, RelayRequest request, long idleTimeout, long now)
    {
        _connection = connection;
        _lease = lease;
        _request = request;
        _tracks = new FlvIntake(lease);
        _idleTimeout = idleTimeout;
        _lastMedia = now;
    }

    public long NextDeadline => _ended || _isPending || _idleTimeout == 0 ? long.MaxValue : _lastMedia + _idleTimeout;

    /// <summary>
    /// Takes the stream's lease for one who may publish; refuses with a status, before any media is taken. Where another node holds the stream that
    /// decides as well, and the connection waits for it.
    /// </summary>
    public static RtmpPublisher? TryStart(RtmpConnection connection, NodeContext node, StreamAddress address, long now)
    {
        var session = connection.Protocol;
        var reply = connection.Shard.Reply;
        var publish = address.Publish;
        var info = new PublisherInfo(connection.Session.Id, "rtmp", connection.Socket.Remote.ToString(), publish.Duplicate, publish.Grace.ToMicros())
        {
            IsOnTrial = node.Pushers.Asks(address.Name),
        };
        void OnRevoked(string reason) => connection.Shard.Post(() => connection.SayFarewell(reason, mayReturn: false));
        string? refusal = null;
        var lease = node.Registry.Use(address.Name, 0, (stream, _) => stream.TryAcquire(info, OnRevoked, now, out refusal));
        if (lease is null)
        {
            node.Traffic.Count(address.Name, TrafficFormat.Rtmp, 409, 0, 0, 0);
            session.RejectPublish(reply, "NetStream.Publish.BadName", refusal!);
            connection.EndAfterReply($"publish refused: {refusal}", now);
            return null;
        }

        var request = new RelayRequest
        {
            Kind = RelayRequestKind.Publish,
            Stream = address.Name.ToString(),
            Arguments = address.Query,
            Client = connection.Socket.Remote.ToString(),
            Protocol = "rtmp",
            Agent = connection.Session.Agent,
        };
        var publisher = new RtmpPublisher(connection, lease, request, publish.IdleTimeout.ToMicros(), now);
        void OnVerdict(RelayRefusal? verdict, long at) => publisher.OnVerdict(node, address.Name, verdict, at);
        if (node.Pushers.Begin(address.Name, connection.Shard, request, [], OnVerdict, OnRevoked) is null)
            publisher.Accept(node, address.Name);
        else
            publisher._isPending = true;
        return publisher;
    }

    private void Accept(NodeContext node, StreamName name)
    {
        node.Traffic.Admit(name);
        node.Traffic.Count(name, TrafficFormat.Rtmp, 200, 0, 0, 0);
        _connection.Protocol.AcceptPublish(_connection.Shard.Reply);
        _connection.OpenSession(SessionRole.Publisher, name);
        node.Pushers.Forward(name, _connection.Shard, _request);
    }

    /// <summary>The node that holds the stream has decided.</summary>
    private void OnVerdict(NodeContext node, StreamName name, RelayRefusal? refusal, long now)
    {
        if (_ended || _connection.IsEnding)
            return;
        _isPending = false;
        _lastMedia = now;
        if (refusal is null)
        {
            Accept(node, name);
            _connection.SendReply(now);
            _connection.GoOn(now);
            return;
        }

        node.Traffic.Count(name, TrafficFormat.Rtmp, refusal.Code == RelayRefusalCode.Denied ? 401 : refusal.Code == RelayRefusalCode.Conflict ? 409 : 502, 0, 0, 0);
        var code = refusal.Code == RelayRefusalCode.Denied ? "NetStream.Publish.Denied" : "NetStream.Publish.BadName";
        _connection.Protocol.RejectPublish(_connection.Shard.Reply, code, refusal.Reason);
        _connection.EndAfterReply($"publish refused by the origin: {refusal.Reason}", now);
    }

    public void OnMedia(in RtmpEvent media, long now)
    {
        if (_ended)
            return;
        var sender = _clock.Unwrap(media.Timestamp) * 1_000;
        var body = media.Payload.Span;
        var error = media.MessageType switch
        {
            RtmpMessageType.Audio => _tracks.Receive(TrackKind.Audio, body, sender, now),
            RtmpMessageType.Video => _tracks.Receive(TrackKind.Video, body, sender, now),
            _ => _tracks.ReceiveData(body, sender, now),
        };
        if (media.MessageType != RtmpMessageType.DataAmf0)
            _lastMedia = now;
        if (error is not null)
            _connection.Farewell(error, mayReturn: false, now);
    }

    public void OnTimer(long now)
    {
        if (now >= NextDeadline)
            _connection.Farewell($"no media for {_idleTimeout / 1_000_000} s", mayReturn: false, now);
    }

    public void End(bool isClean, long now)
    {
        if (_ended)
            return;
        _ended = true;
        _lease.End(isClean, now);
    }
}
