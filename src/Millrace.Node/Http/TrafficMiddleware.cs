using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.ObjectPool;
using Millrace.Node.Metrics;
using Millrace.Node.Settings;

namespace Millrace.Node.Http;

/// <summary>Counts every request that Kestrel answers on the media port: its status, the bytes of its bodies, its time.</summary>
internal sealed class TrafficMiddleware(NodeSettings settings, TrafficZones zones)
{
    private const int MaxIdleMeters = 256;

    private readonly DefaultObjectPool<TrafficMeter> _meters = new(new DefaultPooledObjectPolicy<TrafficMeter>(), MaxIdleMeters);

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var body = context.Features.Get<IHttpResponseBodyFeature>()!;
        var meter = _meters.Get();
        meter.Begin(body, NodeClock.Micros);
        context.Features.Set<IHttpResponseBodyFeature>(meter);
        var hasFailed = true;
        try
        {
            await next(context);
            hasFailed = false;
        }
        finally
        {
            context.Features.Set(body);
            if (!meter.IsCounted)
                Count(context, meter, StatusOf(context, hasFailed));
            meter.End();
            _meters.Return(meter);
        }
    }

    private static int StatusOf(HttpContext context, bool hasFailed) =>
        context.RequestAborted.IsCancellationRequested && (hasFailed || !context.Response.HasStarted) ? TrafficZones.ClientGone
        : hasFailed ? StatusCodes.Status500InternalServerError
        : context.Response.StatusCode;

    private void Count(HttpContext context, TrafficMeter meter, int status)
    {
        var micros = NodeClock.Micros - meter.Started;
        var received = context.Request.ContentLength ?? 0;
        var sent = HttpMethods.IsHead(context.Request.Method) ? 0 : meter.Bytes;
        if (meter.Name is { } name)
            zones.Count(name, meter.Format, status, received, sent, micros);
        else
            zones.Count(StreamAddress.VhostOf(settings, context.Request.Host.Value ?? ""), meter.Format, status, received, sent, micros);
    }
}
