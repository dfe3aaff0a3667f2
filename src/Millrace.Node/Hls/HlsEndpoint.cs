using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Millrace.Node.Http;
using Millrace.Node.Metrics;

namespace Millrace.Node.Hls;

/// <summary>HLS on Kestrel: HTTP/1.1 in clear text, HTTP/1.1 and 2 over TLS.</summary>
internal sealed class HlsEndpoint(NodeContext node)
{
    private readonly HlsResolver _resolver = new(node);

    public Task ServeAsync(HttpContext context)
    {
        var request = context.Request;
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
            return AnswerAsync(context);
        return HttpMethods.IsOptions(request.Method) ? Preflight(context) : Refuse(context);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var path = FlvEndpoint.PathOf(context);
        var resource = _resolver.Resolve(context.Request.Host.Value ?? "", path, context.Request.QueryString.Value ?? "", NodeClock.Micros, out var request);
        var deadline = resource.Wait is { } first ? NodeClock.Micros + first.LimitMicros : 0;
        while (resource.Wait is { } wait && NodeClock.Micros < deadline && !context.RequestAborted.IsCancellationRequested)
        {
            var left = TimeSpan.FromMicroseconds(deadline - NodeClock.Micros);
            await HlsWaiters.Of(wait.Packager).When(wait.Condition).WaitAsync(left, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            resource = HlsResolver.Resolve(request!, NodeClock.Micros);
        }

        if (context.RequestAborted.IsCancellationRequested)
            return;
        Note(context, resource, HlsTarget.TrafficOf(path));
        await WriteAsync(context, resource);
    }

    private void Note(HttpContext context, MediaResource resource, TrafficFormat format)
    {
        TrafficTag.Set(context, resource.Asked, format);
        if (resource is { Status: 200, Asked: { } stream } && format != TrafficFormat.Key)
            node.HlsAudience.Note(stream, format, context.Connection.RemoteIpAddress, context.Request.Headers.UserAgent.ToString(), NodeClock.Micros);
    }

    private async Task WriteAsync(HttpContext context, MediaResource resource)
    {
        var headers = context.Request.Headers;
        var answer = new MediaAnswer(resource, new MediaRequestFields(
            HttpMethods.IsHead(context.Request.Method), headers.AcceptEncoding.ToString(), headers.IfNoneMatch.ToString(), headers.Range.ToString(), headers.IfRange.ToString()));
        var body = answer.Body;
        if (body.Segment is { } segment && !segment.TryPin())
        {
            // It went while it was being looked at.
            answer = new MediaAnswer(MediaResource.Refuse(404, "the file has gone"), default);
            body = answer.Body;
        }

        try
        {
            context.Response.StatusCode = answer.Status;
            answer.AddHeaders(node.Settings, (name, value) => context.Response.Headers[name] = value);
            if (answer.Status != StatusCodes.Status304NotModified)
                context.Response.ContentLength = body.Length;
            if (!HttpMethods.IsHead(context.Request.Method) && body.Length > 0)
                await WriteBodyAsync(context, body);
        }
        catch (Exception e) when (e is OperationCanceledException or TimeoutException or IOException)
        {
            // The client's side of the connection has ended.
            context.Abort();
        }
        finally
        {
            body.Segment?.Unpin();
        }
    }

    private async Task WriteBodyAsync(HttpContext context, MediaBody body)
    {
        var writer = context.Response.BodyWriter;
        if (body.Segment is null)
        {
            await FlushedAsync(context, writer.WriteAsync(body.Memory, context.RequestAborted));
            return;
        }

        // Before its head is written Kestrel would collect the body in memory of its own, and copy it once more.
        await context.Response.StartAsync(context.RequestAborted);
        var (position, left) = (body.Position, body.Length);
        while (left > 0)
        {
            var count = CopyRun(writer, body, position, left);
            position += count;
            left -= count;
            await FlushedAsync(context, writer.FlushAsync(context.RequestAborted));
        }
    }

    /// <summary>Copies what lies in one block, in one piece: Kestrel's own memory comes in 4 KB, each of which costs a lock and a pinned buffer.</summary>
    private static int CopyRun(PipeWriter writer, MediaBody body, long position, long left)
    {
        var run = body.Segment!.Bytes.Read(position, left);
        run.CopyTo(writer.GetSpan(run.Length));
        writer.Advance(run.Length);
        return run.Length;
    }

    /// <summary>A client that takes no byte for <c>limits.write_timeout</c> is let go.</summary>
    private async ValueTask FlushedAsync(HttpContext context, ValueTask<FlushResult> flush)
    {
        if (!flush.IsCompleted && node.Settings.Limits.WriteTimeout is { Ticks: > 0 } timeout)
            flush = new ValueTask<FlushResult>(await flush.AsTask().WaitAsync(timeout, context.RequestAborted));
        if ((await flush).IsCompleted)
            throw new OperationCanceledException("the client has gone");
    }

    /// <summary>A range or a condition makes a browser ask first (Fetch 4.8).</summary>
    private Task Preflight(HttpContext context)
    {
        var headers = context.Response.Headers;
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        if (node.Settings.Http.Cors.AllowOrigin is { Length: > 0 } origin)
        {
            headers.AccessControlAllowOrigin = origin;
            headers.AccessControlAllowMethods = "GET, HEAD, OPTIONS";
            headers.AccessControlAllowHeaders = "Range, If-None-Match, If-Range";
            headers.AccessControlMaxAge = "86400";
        }

        return Task.CompletedTask;
    }

    private static Task Refuse(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
        context.Response.Headers.Allow = "GET, HEAD, OPTIONS";
        return Task.CompletedTask;
    }
}
