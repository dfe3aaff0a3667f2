using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Millrace.Node.Api;

/// <summary>The part of the node's API that is about other nodes.</summary>
internal sealed class ClusterEndpoints(NodeContext node)
{
    private readonly TraceReport _traces = new(node);
    private readonly ClusterReport _cluster = new(node);

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/cluster", ClusterAsync).WithName("getCluster").WithSummary("This node among the others: what it fetches, who fetches from it, the origin map")
            .Produces<ClusterReply>();
        routes.MapGet("/v1/trace/{session}", TraceAsync).WithName("getTrace").WithSummary("The way from the publisher to one session, node by node")
            .Produces<TraceReply>().Produces<ErrorReply>(StatusCodes.Status404NotFound);
    }

    private async Task<JsonHttpResult<ClusterReply>> ClusterAsync(CancellationToken cancellationToken) =>
        TypedResults.Json(await _cluster.MakeAsync(cancellationToken), ApiJson.Default.ClusterReply);

    private async Task<Results<JsonHttpResult<TraceReply>, JsonHttpResult<ErrorReply>>> TraceAsync(string session)
    {
        if (node.Sessions.Find(session) is { } found && await _traces.MakeAsync(found) is { } trace)
            return TypedResults.Json(trace, ApiJson.Default.TraceReply);
        return ApiEndpoints.Missing($"no session {session}");
    }
}
