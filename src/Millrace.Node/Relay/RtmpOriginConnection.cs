using System.Buffers;
using Millrace.Media.Amf;
using Millrace.Media.Flv;
using Millrace.Node.Access;
using Millrace.Node.Shards;
using Millrace.Protocols.Relay;
using Millrace.Protocols.Rtmp;
using Millrace.Streams;
using Millrace.Streams.Wire;

namespace Millrace.Node.Relay;

/// <summary>One RTMP socket to a foreign server: plays a stream there, or publishes it by the wire log that RTMP players have.</summary>
internal sealed class RtmpOriginConnection : ForeignConnection
{
    private readonly RtmpClientOptions _options;
    private RtmpClientSession? _session;
    private readonly InputRest _rest = new(0);
    private int _kept;

    /// <param name="socket">That is being connected.</param>
    /// <param name="shard">Whose it is.</param>
    /// <param name="node">The node.</param>
    /// <param name="client">Who has connected.</param>
    /// <param name="stream">What for.</param>
    /// <param name="target">What that is called there.</param>
    /// <param name="isPublisher">It is published there.</param>
    /// <param name="introduction">All that is wanted is the server's word about a client who has said this in his own connect.</param>
    public RtmpOriginConnection(
        ShardSocket socket, Shard shard, NodeContext node, IRelayClient client, StreamName stream, ForeignTarget target, bool isPublisher,
        RtmpIntroduction? introduction = null)
        : base(socket, shard, node, client, introduction is not null ? "rtmp-access" : isPublisher ? "rtmp-push" : "rtmp-pull", stream, target)
    {
        var rtmp = node.Settings.Rtmp;
        var query = introduction is not null && target.Query.Length > 0 ? "?" + target.Query : "";
        var tcUrl = introduction is { TcUrl.Length: > 0 } ? introduction.TcUrl : target.TcUrl;
        _options = new RtmpClientOptions
        {
            App = target.App + query,
            // What a client shows with the stream's name is told as well: there will be no other word of it.
            TcUrl = tcUrl.Contains('?', StringComparison.Ordinal) ? tcUrl : tcUrl + query,
            SwfUrl = introduction is { SwfUrl.Length: > 0 } ? introduction.SwfUrl : null,
            PageUrl = introduction is { PageUrl.Length: > 0 } ? introduction.PageUrl : null,
            IsConnectOnly = introduction is not null,
            StreamName = target.StreamName,
            IsPublisher = isPublisher,
            IsEnhanced = true,
            // Who asks: for the other server's log, and for people who look at it.
            ExtraProperties = [new AmfProperty("millrace", AmfValue.OfObject([new AmfProperty("node", AmfValue.OfString(node.Id))]))],
            Link = RtmpOptions.Default with
            {
                ChunkSize = (int)rtmp.ChunkSize,
                AckWindow = (uint)rtmp.AckWindow,
                MaxMessageBytes = (int)rtmp.MaxMessage,
                MaxBufferedBytes = 2 * (int)rtmp.MaxMessage,
                HandshakeTimeoutMicros = SetupTime.ToMicros(),
                PingMicros = rtmp.Ping.ToMicros(),
                PingTimeoutMicros = rtmp.PingTimeout.ToMicros(),
            },
        };
    }

    /// <summary>The server's word was waited for, and the connection has gone without it.</summary>
    public bool HasHungUp { get; private set; }

    protected override bool IsPull => !_options.IsPublisher && !_options.IsConnectOnly;

    protected override bool IsAsked => IsPull && _session!.MessageStreamId != 0;

    protected override long HeldBytes => _session!.BufferedBytes + _rest.HeldBytes;

    /// <summary>The stream goes out from here on: the headers, what is kept back to the newest key frame, and what comes.</summary>
    public void Push(long now)
    {
        var form = _session!.ServerCapabilities.IsEnhanced ? FlvForm.Enhanced : FlvForm.Legacy;
        var key = new WireKey(WireFormat.Rtmp, form, WireTracks.All, _session.MessageStreamId);
        if (Shard.Subscriptions.Get(Stream, key, Node.WindowOf(Stream, WireFormat.Rtmp), out var fromEnd, out var unsupported) is { } subscription)
            AttachTo(subscription, fromEnd, now);
        else
            Refuse(RelayRefusalCode.Unavailable, unsupported!);
    }

    public override void Farewell(string reason, bool mayReturn, long now)
    {
        if (IsEnding || _session is not { } session)
        {
            base.Farewell(reason, mayReturn, now);
            return;
        }

        session.Stop(Shard.Reply);
        EndAfterReply(reason, now);
    }

    protected override void Introduce(long now)
    {
        _session = new RtmpClientSession(_options, now);
        _session.Start(Shard.Reply);
        SendReply(now);
    }

    protected override void OnSignal(WireSignal signal, long now)
    {
        if (signal == WireSignal.Ended)
            Farewell("the stream has ended", mayReturn: false, now);
        else if (signal == WireSignal.Unsupported)
            Refuse(RelayRefusalCode.Unavailable, "the stream's codecs cannot be carried there");
    }

    protected override int ReceiveNext()
    {
        _kept = _rest.MoveTo(Shard.ReceiveBuffer);
        var received = Receive(Shard.ReceiveBuffer.AsSpan(_kept));
        if (received < 0)
            _rest.Keep(Shard.ReceiveBuffer.AsSpan(0, _kept));
        return received;
    }

    protected override void Feed(int length, long now)
    {
        var session = _session!;
        var total = _kept + length;
        var offset = 0;
        while (!IsEnding)
        {
            var input = new ReadOnlySequence<byte>(Shard.ReceiveBuffer, offset, total - offset);
            session.Receive(input, Shard.Reply, now, out var consumed);
            var used = (int)input.Slice(0, consumed).Length;
            offset += used;
            var hadEvent = false;
            while (!IsEnding && session.TryTakeEvent(out var happened))
            {
                hadEvent = true;
                Handle(happened, now);
            }

            if (!hadEvent && (used == 0 || offset == total))
                break;
        }

        if (IsEnding)
            return;
        SendReply(now);
        if (session.IsClosed)
            EndAfterSent(session.CloseReason!, now);
        else
            _rest.Keep(Shard.ReceiveBuffer.AsSpan(offset, total - offset));
    }

    protected override void OnTimer(long now)
    {
        base.OnTimer(now);
        if (IsEnding || _session is null)
            return;
        _session.OnDeadline(now, Shard.Reply);
        SendReply(now);
        if (_session.IsClosed)
            EndAfterSent(_session.CloseReason!, now);
    }

    protected override long NextTimer(long now) => Math.Min(base.NextTimer(now), _session?.NextDeadline ?? long.MaxValue);

    protected override void OnClosed(string reason)
    {
        // nginx-rtmp says no by hanging up.
        HasHungUp = Refusal is null && _options.IsConnectOnly && _session is { HasConnected: true, IsReady: false };
        if (HasHungUp)
            Refusal = new RelayRefusal(RelayRefusalCode.Denied, "refused by the server, which gave no reason");
        _session?.Dispose();
        base.OnClosed(reason);
    }

    private void Handle(in RtmpClientEvent happened, long now)
    {
        switch (happened.Kind)
        {
            case RtmpClientEventKind.Media when IsPull:
                Take((FlvTagType)happened.MessageType, happened.Timestamp, happened.Payload.Span, now);
                break;
            case RtmpClientEventKind.Status:
                OnStatus(happened.Status!);
                break;
            case RtmpClientEventKind.Ready:
                // What the session has yet to say belongs before media.
                SendReply(now);
                if (!IsEnding)
                    BecomeReady(now);
                break;
        }
    }

    private void OnStatus(RtmpStatus status)
    {
        if (status.Redirect is { } redirect)
        {
            Redirect = OriginAddress.TryFollow(redirect, Target);
            Refuse(RelayRefusalCode.Unavailable, "sent on to another server");
        }
        else if (status.IsError)
        {
            Refuse(CodeOf(status.Code), $"refused by the server: {status.Code} {status.Description}");
        }
        else if (IsPull && status.Code is "NetStream.Play.Stop" or "NetStream.Play.Complete")
        {
            Refuse(RelayRefusalCode.NotFound, $"ended by the server: {status.Description}");
        }
    }

    private static RelayRefusalCode CodeOf(string code) => code switch
    {
        "NetStream.Publish.BadName" => RelayRefusalCode.Conflict,
        "NetStream.Publish.Denied" or "NetConnection.Connect.Rejected" => RelayRefusalCode.Denied,
        "NetStream.Play.StreamNotFound" => RelayRefusalCode.NotFound,
        _ => RelayRefusalCode.Unavailable,
    };
}
