using Microsoft.AspNetCore.Http;
using Millrace.Node.Settings;

namespace Millrace.Node.Http;

/// <summary>Requests for media that do not ask for it: what browsers ask before they show a token or want a range (Fetch 4.8), and what is refused.</summary>
internal static class OtherMethods
{
    private const string Allowed = "GET, HEAD, OPTIONS";

    public static Task Answer(HttpContext context, NodeSettings settings)
    {
        var headers = context.Response.Headers;
        if (!HttpMethods.IsOptions(context.Request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            headers.Allow = Allowed;
            return Task.CompletedTask;
        }

        context.Response.StatusCode = StatusCodes.Status204NoContent;
        if (settings.Http.Cors.AllowOrigin is not { Length: > 0 } origin)
            return Task.CompletedTask;
        headers.AccessControlAllowOrigin = origin;
        headers.AccessControlAllowMethods = Allowed;
        headers.AccessControlAllowHeaders = "Range, If-None-Match, If-Range, Authorization";
        headers.AccessControlMaxAge = "86400";
        // With * browsers send no cookies whatever is allowed (Fetch 3.3.5).
        if (origin != "*")
            headers.AccessControlAllowCredentials = "true";
        return Task.CompletedTask;
    }
}
