using System.Net.WebSockets;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Millrace.Media;
using Millrace.Media.Flv;
using Millrace.Node.Access;
using Millrace.Node.Cluster;
using Millrace.Node.Metrics;
using Millrace.Node.Sessions;
using Millrace.Streams.Wire;

namespace Millrace.Node.Http;

/// <summary>FLV on Kestrel: what comes after a hand-over, over TLS and over HTTP/2. The same resource as the shard's.</summary>
internal sealed class FlvEndpoint(NodeContext node)
{
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(1);

    public Task ServeAsync(HttpContext context) => IsAnswered(context) ? ServeMediaAsync(context) : OtherMethods.Answer(context, node.Settings);

    private async Task ServeMediaAsync(HttpContext context)
    {
        var request = context.Request;
        var isWebSocket = context.WebSockets.IsWebSocketRequest;
        var (watch, refusal, verdict) = await AdmitAsync(context, isWebSocket);
        var resource = refusal ?? await ResolveAsync(context, isWebSocket ? ClientProtocol.Other : request.IsHttps ? ClientProtocol.Https : ClientProtocol.Http);
        if (!isWebSocket && IsWebSocketAttempt(request))
            resource = MediaResource.BadHandshake;
        TrafficTag.Set(context, resource.Asked, isWebSocket ? TrafficFormat.WsFlv : TrafficFormat.Flv);
        // A WebSocket over HTTP/2 is a CONNECT (RFC 8441, 4).
        if (resource.Stream is null || !(HttpMethods.IsGet(request.Method) || isWebSocket))
        {
            await AnswerAsync(context, resource);
            return;
        }

        var reader = Attach(resource, out var unsupported);
        if (reader is null)
        {
            await AnswerAsync(context, MediaResource.Unsupported(resource.Stream, unsupported!));
            return;
        }

        var session = OpenSession(context);
        var reason = "the viewer has gone";
        string? kicked = null;
        session.Kick = why =>
        {
            kicked = why;
            context.Abort();
        };
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        try
        {
            session.Open(SessionRole.Player, resource.Stream);
            _ = watch?.KeepAsync(verdict!, session.Kick, gone.Token);
            reason = await PlayAsync(context, resource, reader, session);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or WebSocketException)
        {
            // The viewer's side of the connection has ended: the reason stands. One that takes no bytes ends here, not when it likes.
            context.Abort();
        }
        finally
        {
            await gone.CancelAsync();
            session.Close(kicked ?? reason);
        }
    }

    private async Task<MediaResource> ResolveAsync(HttpContext context, ClientProtocol protocol)
    {
        var request = context.Request;
        while (true)
        {
            var resource = MediaResource.Resolve(node, request.Host.Value ?? "", PathOf(context), request.QueryString.Value ?? "", protocol);
            if (resource.Wait is not { } wait)
                return resource;
            var known = wait.Waiters.When(wait.Condition);
            await known.WaitAsync(TimeSpan.FromMicroseconds(wait.LimitMicros), context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!known.IsCompleted)
                return resource;
        }
    }

    /// <summary>What a viewer who has to show something is answered who may not; null for who may, and he is watched where that can change.</summary>
    private async Task<(AccessWatch? Watch, MediaResource? Refusal, AccessVerdict? Verdict)> AdmitAsync(HttpContext context, bool isWebSocket)
    {
        var request = context.Request;
        if (node.Access.IsPlayOpen || !MediaResource.TryParse(node, request.Host.Value ?? "", PathOf(context), request.QueryString.Value ?? "", out var address)
            || node.Access.RuleOf(address.Name, AccessAction.Play) is not { } rule)
            return default;
        var watch = new AccessWatch(node.Access, HttpPapers.Of(context, isWebSocket ? "ws-flv" : "http-flv").ClaimFor(address.Name), rule);
        var verdict = await watch.AskAsync(context.RequestAborted);
        return (watch, verdict.IsAllowed ? null : MediaResource.Refuse(verdict, address.Name), verdict);
    }

    private KestrelReader? Attach(MediaResource resource, out string? unsupported) =>
        KestrelReader.TryAttach(node, resource.Stream!, WireKey.Flv(resource.Form), out unsupported);

    private async Task<string> PlayAsync(HttpContext context, MediaResource resource, KestrelReader? reader, NodeSession session)
    {
        var deadline = NodeClock.Micros + resource.WaitMicros;
        string? unsupported = null;
        resource.Wish?.Ask(NodeClock.Micros);
        while (reader is not null)
        {
            using var current = reader;
            session.Traffic = current;
            if (resource.Wish is null && node.Upstreams.IsMissing(resource.Stream!))
                deadline = 0;
            if (resource.WaitMicros == 0 || await current.WaitForStartAsync(deadline, resource.Wish, context.RequestAborted))
            {
                var header = FlvStart.Write(node.Registry.Find(resource.Stream!)?.Timeline.Era, resource.Form, WireFormat.Flv);
                var isWebSocket = context.WebSockets.IsWebSocketRequest;
                TrafficTag.CountStream(context, node.Traffic, isWebSocket ? 101 : 200);
                return isWebSocket
                    ? await PlayWebSocketAsync(context, resource, current, header)
                    : await PlayHttpAsync(context, resource, current, header);
            }

            if (!current.HasEnded || NodeClock.Micros >= deadline)
            {
                await AnswerAsync(context, MediaResource.Missing(resource.Stream!, node.Upstreams.RefusalOf(resource.Stream!)));
                return "the stream did not come in time";
            }

            // What ended while it was waited for may be published again.
            resource.Wish?.AskLater(NodeClock.Micros);
            reader = Attach(resource, out unsupported);
        }

        await AnswerAsync(context, MediaResource.Unsupported(resource.Stream!, unsupported!));
        return unsupported!;
    }

    private NodeSession OpenSession(HttpContext context)
    {
        var connection = context.Connection;
        var address = connection.RemoteIpAddress ?? System.Net.IPAddress.None;
        var remote = new System.Net.IPEndPoint(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, connection.RemotePort);
        var session = node.Sessions.Create(context.WebSockets.IsWebSocketRequest ? "ws-flv" : "http-flv", remote);
        session.Agent = PlainText.Clean(context.Request.Headers.UserAgent.ToString());
        return session;
    }

    /// <summary>Still percent-encoded, as the shards see it; an absolute-form target (RFC 9112 3.2.2) names the host first.</summary>
    public static string PathOf(HttpContext context)
    {
        var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        var scheme = target.IndexOf("://", StringComparison.Ordinal);
        if (target is not ['/', ..] && scheme > 0)
            target = target.IndexOf('/', scheme + 3) is var slash and >= 0 ? target[slash..] : "/";
        return target.Split('?')[0];
    }

    private static bool IsWebSocketAttempt(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) && HttpProtocol.IsHttp11(request.Protocol)
        && string.Equals(request.Headers.Upgrade.ToString(), "websocket", StringComparison.OrdinalIgnoreCase)
        && request.Headers.Connection.ToString().Contains("upgrade", StringComparison.OrdinalIgnoreCase);

    private async Task<string> PlayHttpAsync(HttpContext context, MediaResource resource, KestrelReader reader, byte[] header)
    {
        context.Features.Get<IHttpResponseBodyFeature>()!.DisableBuffering();
        var fields = new KestrelFields(context.Response.Headers);
        resource.AddFields(node.Settings, ref fields);
        EndWithBody(context);
        var body = context.Response.BodyWriter;
        var window = node.WindowOf(resource.Stream!, WireFormat.Flv);
        await body.WriteAsync(header, context.RequestAborted);
        while (await reader.WaitAsync(window, context.RequestAborted))
        {
            if (!reader.TryCopy(body))
                return "the media memory budget is used up";
            using var limit = WriteLimit(context);
            if ((await body.FlushAsync(limit.Token)).IsCompleted)
                return "the viewer has gone";
        }

        return "the stream has ended";
    }

    /// <summary>As on a shard: a viewer that takes no byte for <c>limits.write_timeout</c> is let go.</summary>
    private CancellationTokenSource WriteLimit(HttpContext context)
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        var timeout = node.Settings.Limits.WriteTimeout;
        if (timeout > TimeSpan.Zero)
            limit.CancelAfter(timeout);
        return limit;
    }

    /// <summary>As on a shard, no other request follows a stream on its connection.</summary>
    private static void EndWithBody(HttpContext context)
    {
        if (HttpProtocol.IsHttp11(context.Request.Protocol) || HttpProtocol.IsHttp10(context.Request.Protocol))
            context.Response.Headers.Connection = "close";
    }

    private async Task<string> PlayWebSocketAsync(HttpContext context, MediaResource resource, KestrelReader reader, byte[] header)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        using var closed = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        var listening = ListenAsync(socket, closed);
        try
        {
            return await SendWebSocketAsync(context, resource, reader, header, socket, closed.Token);
        }
        finally
        {
            // Time for the viewer's own close frame; one that never sends it must not hold the connection.
            closed.CancelAfter(CloseTimeout);
            await listening;
        }
    }

    private async Task<string> SendWebSocketAsync(
        HttpContext context, MediaResource resource, KestrelReader reader, byte[] header, WebSocket socket, CancellationToken closed)
    {
        var window = node.WindowOf(resource.Stream!, WireFormat.WsFlv);
        await socket.SendAsync(header, WebSocketMessageType.Binary, endOfMessage: true, closed);
        var batch = new System.Buffers.ArrayBufferWriter<byte>(64 * 1024);
        while (await reader.WaitAsync(window, closed))
        {
            batch.ResetWrittenCount();
            if (!reader.TryCopy(batch))
                return "the media memory budget is used up";
            using var limit = WriteLimit(context);
            await SendTagsAsync(socket, batch.WrittenMemory, limit.Token);
        }

        await socket.CloseOutputAsync(WebSocketCloseStatus.EndpointUnavailable, null, closed);
        return "the stream has ended";
    }

    /// <summary>Reading is what answers a viewer's pings and hears its close; what else it says is dropped.</summary>
    private static async Task ListenAsync(WebSocket socket, CancellationTokenSource closed)
    {
        var dropped = new byte[512];
        try
        {
            while ((await socket.ReceiveAsync(dropped.AsMemory(), closed.Token)).MessageType != WebSocketMessageType.Close)
            {
            }
        }
        catch (Exception e) when (e is OperationCanceledException or WebSocketException)
        {
            // The connection has gone, which is what was listened for.
        }

        await closed.CancelAsync();
    }

    /// <summary>One message for each tag, as the shards send them; a batch holds whole tags.</summary>
    private static async Task SendTagsAsync(WebSocket socket, ReadOnlyMemory<byte> batch, CancellationToken cancellationToken)
    {
        while (!batch.IsEmpty)
        {
            var length = FlvTagHeader.Length + BodyLengthOf(batch.Span) + FlvTagHeader.TrailerLength;
            await socket.SendAsync(batch[..length], WebSocketMessageType.Binary, endOfMessage: true, cancellationToken);
            batch = batch[length..];
        }
    }

    /// <summary>DataSize, 24 bits behind the tag type (FLV E.4.1).</summary>
    private static int BodyLengthOf(ReadOnlySpan<byte> tag) => (tag[1] << 16) | (tag[2] << 8) | tag[3];

    private async Task AnswerAsync(HttpContext context, MediaResource resource)
    {
        context.Response.StatusCode = resource.Status;
        var fields = new KestrelFields(context.Response.Headers);
        resource.AddFields(node.Settings, ref fields);
        if (resource.Stream is not null)
        {
            EndWithBody(context);
            return;
        }

        var text = System.Text.Encoding.UTF8.GetBytes(resource.Explanation);
        context.Response.ContentLength = text.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
            await context.Response.Body.WriteAsync(text, context.RequestAborted);
    }

    /// <summary>A WebSocket over HTTP/2 is a CONNECT.</summary>
    public static bool IsAnswered(HttpContext context) =>
        HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method) || context.WebSockets.IsWebSocketRequest;
}
