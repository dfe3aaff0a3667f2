using System.Security.Cryptography;
using System.Text;
using Millrace.Media;
using Millrace.Media.Flv;
using Millrace.Node.Metrics;
using Millrace.Node.Sessions;
using Millrace.Streams.Log;
using Millrace.Streams.Packaging;
using Millrace.Streams.Wire;

namespace Millrace.Node.Http;

/// <summary>The bridge from a wire log to an HTTP-FLV or WebSocket-FLV viewer.</summary>
internal sealed class FlvPlayer(HttpConnection connection, NodeContext node, HttpRequestHead request)
{
    private readonly bool _isWebSocket = request is { WantsUpgrade: true, IsVersion11: true, Method: "GET" }
        && request.Upgrade.Equals("websocket", StringComparison.OrdinalIgnoreCase);

    private readonly WebSocketReader _webSocket = new();
    private MediaResource? _resource;
    private bool _isStarted;
    private bool _hasDropped;
    private long _opened;
    private long _waitEnd = long.MaxValue;

    private TrafficFormat Format => _isWebSocket ? TrafficFormat.WsFlv : TrafficFormat.Flv;

    public long NextDeadline => _isStarted ? long.MaxValue : _waitEnd;

    public void Open(long now)
    {
        _opened = now;
        _resource = MediaResource.Resolve(node, request.Host, request.Path, request.Query);
        if (_isWebSocket && (request.WebSocketVersion != "13" || request.WebSocketKey.Length == 0))
            _resource = MediaResource.BadHandshake;
        if (_resource.Stream is null || request.Method == "HEAD")
        {
            Answer(_resource, now);
            return;
        }

        _waitEnd = now + _resource.WaitMicros;
        Attach(now);
    }

    /// <summary>The first media is about to go out: the answer's head and the FLV header come before it.</summary>
    public void Start(long now)
    {
        if (_isStarted)
            return;
        _isStarted = true;
        var head = _isWebSocket ? WriteUpgrade() : _resource!.WriteHead(node.Settings, keepsAlive: false, isChunked: request.IsVersion11);
        node.Traffic.Count(_resource!.Stream!, Format, _isWebSocket ? 101 : 200, request.Length, 0, now - _opened);
        var header = FlvStart.Write(node.Registry.Find(_resource!.Stream!)?.Timeline.Era, _resource.Form, connection.Subscription!.Key.Format);
        if (!connection.Cursor.TryInsert(head) || !connection.Cursor.TryInsert(header))
            connection.Close("the media memory budget is used up");
    }

    public void OnReadable(long now)
    {
        var received = connection.Take(connection.Shard.ReceiveBuffer);
        _hasDropped |= received > 0 && !_isWebSocket;
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

    public void OnTimer(long now)
    {
        if (now < _waitEnd || _isStarted)
            return;
        _waitEnd = long.MaxValue;
        connection.Leave();
        connection.CloseSession("the stream did not come in time");
        Answer(MediaResource.NotLive(_resource!.Stream!), now);
    }

    public void OnEnded(long now)
    {
        if (!_isStarted)
        {
            // It came while the stream waited out its grace, and has time left to wait for the next publisher.
            connection.Leave();
            if (!connection.IsClosed)
                Attach(now);
            return;
        }

        End("the stream has ended", now);
    }

    /// <summary>The stream goes on in codecs that FLV cannot carry in this form.</summary>
    public void OnUnsupported(long now)
    {
        connection.Leave();
        if (_isStarted)
            End("the stream's codecs cannot be carried any more", now);
        else
            Attach(now);
    }

    /// <summary>Ends the body in its own form: a last chunk, a close frame.</summary>
    public void End(string reason, long now)
    {
        connection.Leave();
        if (_isStarted)
            connection.SendControl(_isWebSocket ? WebSocketReader.GoingAway : request.IsVersion11 ? HttpChunk.Last : default, now);
        connection.EndAfterSent(reason, now);
    }

    private void Attach(long now)
    {
        var name = _resource!.Stream!;
        var key = _isWebSocket ? WireKey.WsFlv(_resource.Form) : request.IsVersion11 ? WireKey.ChunkedFlv(_resource.Form) : WireKey.Flv(_resource.Form);
        var subscription = connection.Shard.Subscriptions.Get(name, key, node.WindowOf(name, key.Format), out var fromEnd, out var unsupported);
        if (subscription is null)
        {
            connection.CloseSession(unsupported!);
            Answer(MediaResource.Unsupported(name, unsupported!), now);
            return;
        }

        connection.OpenSession(_isWebSocket ? "ws-flv" : "http-flv", request, name);
        connection.AttachTo(subscription, fromEnd, now);
    }

    private void Answer(MediaResource resource, long now)
    {
        var keepsAlive = !request.WantsClose && !_hasDropped && resource.Stream is null;
        var head = resource.WriteHead(node.Settings, keepsAlive);
        var body = request.Method == "HEAD" ? [] : Encoding.UTF8.GetBytes(resource.Explanation);
        Count(resource, head.Length + body.Length, now);
        connection.SendControl(head, now);
        connection.SendControl(body, now);
        if (connection.IsClosed)
            return;
        if (keepsAlive)
            connection.ExpectNextRequest(now);
        else
            connection.EndAfterSent("answered", now);
    }

    private void Count(MediaResource resource, long bytesOut, long now)
    {
        if (resource.Asked is { } asked)
            node.Traffic.Count(asked, Format, resource.Status, request.Length, bytesOut, now - _opened);
        else
            node.Traffic.Count(StreamAddress.VhostOf(node, request.Host), Format, resource.Status, request.Length, bytesOut, now - _opened);
    }

    /// <summary>RFC 6455 4.2.2.</summary>
    private byte[] WriteUpgrade()
    {
#pragma warning disable CA5350 // SHA-1 is what the protocol says; nothing secret depends on it.
        var accept = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(request.WebSocketKey + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350
        return Encoding.ASCII.GetBytes($"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n");
    }
}

/// <summary>The FLV file header that a viewer gets before its first tag.</summary>
internal static class FlvStart
{
    private const byte FinalBinary = 0x82;

    /// <summary>Says audio and video only where the Era has them in this form: players wait for what is announced.</summary>
    public static byte[] Write(Era? era, FlvForm form, WireFormat format)
    {
        var bytes = new byte[FlvFileHeader.Length];
        FlvFileHeader.Write(bytes, Has(era, TrackKind.Audio, form), Has(era, TrackKind.Video, form));
        return format switch
        {
            WireFormat.WsFlv => [FinalBinary, FlvFileHeader.Length, .. bytes],
            WireFormat.ChunkedFlv => [.. "d\r\n"u8, .. bytes, .. HttpChunk.End],
            _ => bytes,
        };
    }

    private static bool Has(Era? era, TrackKind kind, FlvForm form) =>
        era is null || Array.Exists(era.Tracks, track => track.Kind == kind && FlvBodyWriter.CanCarry(track.Codec, form));
}
