using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Millrace.Node.Metrics;
using Millrace.Node.Settings;
using Millrace.Streams;

namespace Millrace.Node.Api;

/// <summary>The node's API, on loopback by default: health, metrics, streams, sessions.</summary>
internal sealed class ApiEndpoints(NodeContext node, PrometheusText metrics)
{
    private static readonly DateTime Started = Process.GetCurrentProcess().StartTime.ToUniversalTime();

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health", Health).WithName("health").WithSummary("Liveness and load of this node").Produces<HealthReply>();
        routes.MapGet("/metrics", (HttpResponse response) => TypedResults.Text(metrics.Write(), "text/plain; version=0.0.4; charset=utf-8"))
            .WithName("metrics").WithSummary("Prometheus text format").Produces<string>(StatusCodes.Status200OK, "text/plain");
        routes.MapGet("/v1/streams", ListStreams).WithName("listStreams").WithSummary("All streams, waiting ones included").Produces<StreamList>();
        OfStream(routes.MapGet("/v1/streams/{**path}", FindStream)).WithName("getStream").WithSummary("One stream: vhost/app/name").Produces<StreamReply>();
        OfStream(routes.MapDelete("/v1/streams/{**path}", KickStream)).WithName("kickPublisher").WithSummary("Disconnect the publisher of a stream");
        routes.MapGet("/v1/sessions", ListSessions).WithName("listSessions").WithSummary("All publishers and viewers").Produces<SessionList>();
        routes.MapGet("/v1/sessions/{id}", FindSession).WithName("getSession").WithSummary("One publisher or viewer")
            .Produces<SessionReply>().Produces<ErrorReply>(StatusCodes.Status404NotFound);
        routes.MapDelete("/v1/sessions/{id}", KickSession).WithName("kickSession").WithSummary("Disconnect one publisher or viewer")
            .Produces<ErrorReply>(StatusCodes.Status404NotFound);
    }

    private static RouteHandlerBuilder OfStream(RouteHandlerBuilder route) =>
        route.Produces<ErrorReply>(StatusCodes.Status400BadRequest).Produces<ErrorReply>(StatusCodes.Status404NotFound);

    private JsonHttpResult<HealthReply> Health()
    {
        using var process = Process.GetCurrentProcess();
        var live = node.Registry.Streams.Count(stream => !stream.IsWaiting);
        var memory = new HealthMemory(Megabytes(process.WorkingSet64), Megabytes(MediaMemory.Automatic() * 2));
        var cpu = new HealthCpu(process.UserProcessorTime.TotalSeconds, process.PrivilegedProcessorTime.TotalSeconds);
        var now = DateTimeOffset.UtcNow;
        var uptime = Math.Round((now.UtcDateTime - Started).TotalSeconds, 1);
        return TypedResults.Json(new HealthReply("ok", live, memory, cpu, uptime, now), ApiJson.Default.HealthReply);
    }

    private JsonHttpResult<StreamList> ListStreams()
    {
        var sessions = node.Sessions.ByStream();
        var streams = node.Registry.Streams.Select(stream => StreamReport.Of(stream, sessions[stream.Name], node)).OrderBy(stream => stream.Name, StringComparer.Ordinal);
        return TypedResults.Json(new StreamList([.. streams]), ApiJson.Default.StreamList);
    }

    private Results<JsonHttpResult<StreamReply>, JsonHttpResult<ErrorReply>> FindStream(string path) =>
        Find(path, out var error) is { } stream
            ? TypedResults.Json(StreamReport.Of(stream, node.Sessions.Of(stream.Name), node), ApiJson.Default.StreamReply)
            : error!;

    private Results<NoContent, JsonHttpResult<ErrorReply>> KickStream(string path)
    {
        if (Find(path, out var error) is not { } stream)
            return error!;
        return stream.Kick("kicked by the API", NodeClock.Micros) ? TypedResults.NoContent() : Missing($"{path} has no publisher");
    }

    private JsonHttpResult<SessionList> ListSessions(string? stream, string? protocol)
    {
        var sessions = node.Sessions.All
            .Where(session => (stream is null || session.Stream!.ToString() == stream) && (protocol is null || session.Protocol == protocol))
            .OrderBy(session => session.Id, StringComparer.Ordinal)
            .Select(StreamReport.Of);
        return TypedResults.Json(new SessionList([.. sessions]), ApiJson.Default.SessionList);
    }

    private Results<JsonHttpResult<SessionReply>, JsonHttpResult<ErrorReply>> FindSession(string id) =>
        node.Sessions.Find(id) is { } session
            ? TypedResults.Json(StreamReport.Of(session), ApiJson.Default.SessionReply)
            : Missing($"no session {id}");

    private Results<NoContent, JsonHttpResult<ErrorReply>> KickSession(string id)
    {
        if (node.Sessions.Find(id)?.Kick is not { } kick)
            return Missing($"no session {id}");
        kick("kicked by the API");
        return TypedResults.NoContent();
    }

    private LiveStream? Find(string path, out JsonHttpResult<ErrorReply>? error)
    {
        error = null;
        var slash = path.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || !StreamName.TryParse(path[..slash], path[(slash + 1)..], out var name, out _))
            error = TypedResults.Json(new ErrorReply("a stream is vhost/app/name"), ApiJson.Default.ErrorReply, statusCode: StatusCodes.Status400BadRequest);
        else if (node.Registry.Find(name) is { } stream)
            return stream;
        error ??= Missing($"no stream {path}");
        return null;
    }

    internal static JsonHttpResult<ErrorReply> Missing(string what) =>
        TypedResults.Json(new ErrorReply(what), ApiJson.Default.ErrorReply, statusCode: StatusCodes.Status404NotFound);

    private static double Megabytes(long bytes) => Math.Round(bytes / 1048576.0, 1);
}
