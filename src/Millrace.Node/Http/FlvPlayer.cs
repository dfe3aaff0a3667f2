using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Millrace.Node.Access;
using Millrace.Node.Cluster;
using Millrace.Node.Hls;
using Millrace.Node.Metrics;
using Millrace.Node.Sessions;
using Millrace.Node.Shards;
using Millrace.Streams;
using Millrace.Streams.Packaging;
using Millrace.Streams.Wire;

namespace Millrace.Node.Http;

/// <summary>The bridge from a wire log to an HTTP-FLV or WebSocket-FLV viewer.</summary>
internal sealed class FlvPlayer(HttpConnection connection, NodeContext node, FlvRequest request) : HttpPlayer
{
    private readonly bool _isWebSocket = request.IsWebSocket;

    private readonly WebSocketReader _webSocket = new();
    private MediaResource? _resource;
    private bool _isStarted;
    private long _waitEnd = long.MaxValue;
    private AccessPass? _pass;

    private TrafficFormat Format => _isWebSocket ? TrafficFormat.WsFlv : TrafficFormat.Flv;

    public override long NextDeadline => Math.Min(_isStarted ? long.MaxValue : Math.Min(_waitEnd, _resource?.Wish?.Deadline ?? long.MaxValue), _pass?.Deadline ?? long.MaxValue);

    public void Open(long now)
    {
        if (node.Access.IsPlayOpen || !MediaResource.TryParse(node, request.Host, request.Path, request.Query, out var address)
            || node.Access.RuleOf(address.Name, AccessAction.Play) is not { } rule)
        {
            Begin(now);
            return;
        }

        var papers = new HttpPapers(request.Query, request.Authorization, request.Cookie)
        {
            Protocol = _isWebSocket ? "ws-flv" : "http-flv",
            Client = connection.Socket.Remote,
            Agent = request.Agent,
        };
        _pass = new AccessPass(node.Access, papers.ClaimFor(address.Name), rule, connection.Shard, OnAnswer);
        if (_pass.Ask(now) is { } verdict)
            OnVerdict(verdict, address.Name, now);

        void OnAnswer(AccessVerdict decided, long at)
        {
            if (connection.IsEnding)
                return;
            OnVerdict(decided, address.Name, at);
            connection.LookAtClock(at);
        }
    }

    private void OnVerdict(AccessVerdict verdict, StreamName name, long now)
    {
        if (verdict.IsAllowed)
        {
            if (_resource is null)
                Begin(now);
            return;
        }

        connection.Leave();
        var reason = _resource is null ? $"play refused: {verdict.Reason}" : $"may play no more: {verdict.Reason}";
        if (_isStarted)
        {
            End(reason, now);
            return;
        }

        connection.CloseSession(reason);
        Answer(MediaResource.Refuse(verdict, name), now);
    }

    private void Begin(long now)
    {
        _resource = MediaResource.Resolve(node, request.Host, request.Path, request.Query, _isWebSocket ? ClientProtocol.Other : ClientProtocol.Http);
        if (_isWebSocket && (!request.HasWebSocketVersion || request.WebSocketKey.Length == 0))
            _resource = MediaResource.BadHandshake;
        if (_resource.Wait is { } wait)
        {
            _waitEnd = now + wait.LimitMicros;
            _ = AwaitAsync(wait);
            return;
        }

        if (_resource.Stream is null || request.IsHead)
        {
            Answer(_resource, now);
            return;
        }

        _waitEnd = now + _resource.WaitMicros;
        if (!TryAttach(now) || _isStarted)
            return;
        if (_resource.Wish is { } wish)
            wish.Ask(now);
        else if (node.Upstreams.IsMissing(_resource.Stream))
            Refuse("no other node has the stream", now);
    }

    /// <summary>Who has the stream is known.</summary>
    public override void OnReleased(long now)
    {
        if (_resource!.Wait is null || connection.IsEnding || connection.IsAnswering)
            return;
        _waitEnd = long.MaxValue;
        Begin(now);
    }

    /// <summary>The first media is about to go out: the answer's head and the FLV header come before it.</summary>
    public override void Start(long now)
    {
        if (_isStarted)
            return;
        _isStarted = true;
        var name = _resource!.Stream!;
        connection.CountStream(new TrafficSubject(name, name.Vhost, Format), _isWebSocket ? 101 : 200, now);
        connection.EndAfterAnswer();
        var head = connection.Shard.Reply;
        if (_isWebSocket)
            WriteUpgrade(head);
        else
            connection.WriteHead(new MediaAnswer(_resource, MediaRequestFields.None), request.IsVersion11 ? BodyFraming.Chunked : BodyFraming.UntilClose);
        head.Write(FlvStart.Write(node.Registry.Find(name)?.Timeline.Era, _resource.Form, connection.Subscription!.Key.Format));
        if (!connection.Cursor.TryInsert(head.WrittenSpan))
            connection.Close("the media memory budget is used up");
        head.ResetWrittenCount();
    }

    public override void OnReadable(long now)
    {
        var received = connection.Take(connection.Shard.ReceiveBuffer);
        // What a client says while it waits is dropped: nothing that follows would be a request.
        if (received > 0)
            connection.EndAfterAnswer();
        if (received <= 0 || !_isWebSocket || !_isStarted)
            return;
        var input = connection.Shard.ReceiveBuffer.AsSpan(0, received);
        while (!connection.IsEnding && _webSocket.TryRead(ref input, out var control))
        {
            connection.SendControl(control.Span, now);
            if (_webSocket.IsClosing)
                connection.EndAfterSent("the viewer closed the WebSocket", now);
        }

        if (_webSocket.Error is { } error)
            connection.Close(error);
    }

    public override void OnTimer(long now)
    {
        if (_pass?.OnTimer(now) is { } refusal)
        {
            OnVerdict(refusal, _pass.Name, now);
            return;
        }

        if (_isStarted)
            return;
        if (_resource?.Wish is { } wish && now >= wish.Deadline)
            wish.Ask(now);
        if (now < _waitEnd)
            return;
        if (_resource!.Wait is not null)
            Answer(_resource, now);
        else
            Refuse("the stream did not come in time", now);
    }

    private void Refuse(string reason, long now)
    {
        connection.Leave();
        connection.CloseSession(reason);
        var name = _resource!.Stream!;
        Answer(MediaResource.Missing(name, node.Upstreams.RefusalOf(name)), now);
    }

    public override void OnSignal(WireSignal signal, long now)
    {
        if (signal == WireSignal.Ended)
            OnEnded(now);
        else if (signal == WireSignal.Unsupported)
            OnUnsupported(now);
        else if (signal == WireSignal.Missing && !_isStarted)
            OnMissing(now);
    }

    private void OnMissing(long now)
    {
        if (_resource!.Wish is { } wish)
            wish.AskLater(now);
        else
            Refuse("no other node has the stream", now);
    }

    private void OnEnded(long now)
    {
        if (!_isStarted)
        {
            // It came while the stream waited out its grace, and has time left to wait for the next publisher.
            connection.Leave();
            _resource!.Wish?.AskLater(now);
            TryAttach(now);
            return;
        }

        End("the stream has ended", now);
    }

    /// <summary>The stream goes on in codecs that FLV cannot carry in this form.</summary>
    private void OnUnsupported(long now)
    {
        connection.Leave();
        if (_isStarted)
            End("the stream's codecs cannot be carried any more", now);
        else
            TryAttach(now);
    }

    /// <summary>Ends the body in its own form: a last chunk, a close frame.</summary>
    public override void End(string reason, long now)
    {
        connection.Leave();
        if (connection.IsEnding)
            return;
        if (!_isStarted)
        {
            connection.CloseSession(reason);
            connection.EndAfterAnswer();
            Answer(MediaResource.Refuse(503, reason), now);
            return;
        }

        _pass?.End();
        connection.SendControl(_isWebSocket ? WebSocketReader.GoingAway : request.IsVersion11 ? HttpChunk.Last : default, now);
        connection.EndAfterSent(reason, now);
    }

    private async Task AwaitAsync(HlsWait wait)
    {
        await wait.Waiters.When(wait.Condition);
        connection.Shard.Post(() =>
        {
            // He may have been told meanwhile that there was no answer in time, and the connection be at its next request.
            if (connection.IsServedBy(this))
                connection.Serve(Turn.Released, 0, NodeClock.Micros);
        });
    }

    /// <summary>False where there is nobody to wait any more: he has been answered, or has gone.</summary>
    private bool TryAttach(long now)
    {
        if (connection.IsEnding)
            return false;
        var name = _resource!.Stream!;
        var key = _isWebSocket ? WireKey.WsFlv(_resource.Form) : request.IsVersion11 ? WireKey.ChunkedFlv(_resource.Form) : WireKey.Flv(_resource.Form);
        var subscription = connection.Shard.Subscriptions.Get(name, key, node.WindowOf(name, key.Format), out var fromEnd, out var unsupported);
        if (subscription is null)
        {
            connection.CloseSession(unsupported!);
            Answer(MediaResource.Unsupported(name, unsupported!), now);
            return false;
        }

        connection.OpenSession(_isWebSocket ? "ws-flv" : "http-flv", request.Agent, name);
        connection.AttachTo(subscription, fromEnd, now);
        return !connection.IsEnding;
    }

    private void Answer(MediaResource resource, long now)
    {
        // The next request on the connection is another's matter.
        _pass?.End();
        _waitEnd = long.MaxValue;
        _resource?.Wish?.Settle();
        connection.Answer(
            new MediaAnswer(resource, MediaRequestFields.None), new TrafficSubject(resource.Asked, StreamAddress.VhostOf(node.Settings, request.Host), Format), now);
    }

    /// <summary>RFC 6455 4.2.2.</summary>
    private void WriteUpgrade(IBufferWriter<byte> head)
    {
#pragma warning disable CA5350 // SHA-1 is what the protocol says; nothing secret depends on it.
        var accept = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(request.WebSocketKey + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350
        head.Write(Encoding.ASCII.GetBytes($"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"));
    }
}
