using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Http;
using Millrace.Node.Access;
using Millrace.Node.Cluster;
using Millrace.Node.Http;
using Millrace.Node.Metrics;

namespace Millrace.Node.Hls;

/// <summary>HLS on Kestrel: HTTP/1.1 in clear text, HTTP/1.1 and 2 over TLS.</summary>
internal sealed class HlsEndpoint(NodeContext node)
{
    private readonly HlsResolver _resolver = new(node);

    /// <summary>Whether the method is one that a shard serves.</summary>
    public static bool IsMediaMethod(string method) => HttpMethods.IsGet(method) || HttpMethods.IsHead(method);

    public Task ServeAsync(HttpContext context) =>
        IsMediaMethod(context.Request.Method) ? AnswerAsync(context) : OtherMethods.Answer(context, node.Settings);

    private async Task AnswerAsync(HttpContext context)
    {
        var query = context.Request.QueryString.Value ?? "";
        var protocol = context.Request.IsHttps ? ClientProtocol.Https : ClientProtocol.Http;
        var request = HlsRequest.Parse(node.Settings, context.Request.Host.Value ?? "", FlvEndpoint.PathOf(context), query.Length > 0 ? query[1..] : "", protocol);
        var access = request.IsOpen(node.Access) ? null : new HlsAccess(HttpPapers.Of(context, "hls"));
        var resource = _resolver.Resolve(request, access, NodeClock.Micros);
        if (resource.Wait is not null)
            resource = await WaitAsync(context, request, access, resource, NodeClock.Micros);
        TrafficTag.Set(context, resource.Asked, request.Format);
        if (context.RequestAborted.IsCancellationRequested)
            return;
        Note(context, resource, request.Format);
        await WriteAsync(context, resource);
    }

    private async Task<MediaResource> WaitAsync(HttpContext context, HlsRequest request, HlsAccess? access, MediaResource resource, long opened)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, node.Stopping);
        node.HlsAudience.AddWaiting(1);
        try
        {
            var deadline = opened;
            while (resource.Wait is { } wait && !ends.IsCancellationRequested)
            {
                // What comes after a wait may be another, with more patience.
                deadline = Math.Max(deadline, opened + wait.LimitMicros);
                if (NodeClock.Micros >= deadline)
                    break;
                var left = TimeSpan.FromMicroseconds(Math.Max(0, deadline - NodeClock.Micros));
                await wait.Waiters.When(wait.Condition).WaitAsync(left, ends.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                resource = _resolver.Resolve(request, access, NodeClock.Micros);
            }
        }
        finally
        {
            node.HlsAudience.AddWaiting(-1);
        }

        if (resource.Wait is null || !node.Stopping.IsCancellationRequested)
            return resource;
        // As on a shard, where the connection ends with this answer.
        if (HttpProtocol.IsHttp11(context.Request.Protocol) || HttpProtocol.IsHttp10(context.Request.Protocol))
            context.Response.Headers.Connection = "close";
        return HlsResolver.Refuse(503, NodeContext.StopReason) with { Asked = resource.Asked };
    }

    private void Note(HttpContext context, MediaResource resource, TrafficFormat format)
    {
        if (resource is not { Status: 200, Asked: { } stream } || format == TrafficFormat.Key)
            return;
        var address = context.Connection.RemoteIpAddress;
        var viewer = HlsAudience.ViewerOf(
            address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address, Encoding.ASCII.GetBytes(context.Request.Headers.UserAgent.ToString()));
        node.HlsAudience.Note(stream, format, viewer, NodeClock.Micros);
    }

    private async Task WriteAsync(HttpContext context, MediaResource resource)
    {
        var answer = new MediaAnswer(resource, MediaRequestFields.Of(context.Request)).Hold();
        try
        {
            context.Response.StatusCode = answer.Status;
            var fields = new KestrelFields(context.Response.Headers);
            answer.AddFields(node.Settings, ref fields);
            if (answer.Status != StatusCodes.Status304NotModified)
                context.Response.ContentLength = answer.Body.Length;
            if (!HttpMethods.IsHead(context.Request.Method) && answer.Body.Length > 0)
                await WriteBodyAsync(context, answer.Body);
        }
        catch (Exception e) when (e is OperationCanceledException or TimeoutException or IOException)
        {
            // The client's side of the connection has ended.
            context.Abort();
        }
        finally
        {
            answer.Release();
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
        var patience = node.Settings.Limits.WriteTimeout is { Ticks: > 0 } timeout ? NodeClock.Micros + timeout.ToMicros() : long.MaxValue;
        while (left > 0)
        {
            // As on a shard: whoever takes a byte now and then does not keep what the packager has let go.
            if (body.Segment.IsDropped && NodeClock.Micros >= patience)
                throw new OperationCanceledException("the client takes too long for a segment that is no longer kept");
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
}
