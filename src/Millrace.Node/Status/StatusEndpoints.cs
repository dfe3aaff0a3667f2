using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Millrace.Node.Settings;
using Millrace.Node.Shards;

namespace Millrace.Node.Status;

/// <summary>
/// The status page and its forms, at the addresses of nginx-module-vts, for whoever has the name and password of
/// <c>status</c>. To be mapped only where both are set.
/// </summary>
internal sealed class StatusEndpoints(NodeContext node, ConnectionCounts connections)
{
    private const string JsonType = "application/json; charset=utf-8";
    private const string DefaultCallback = "ngx_http_vhost_traffic_status_jsonp_callback";
    private const int MaxCallback = 128;

    private static readonly byte[] Page = ReadPage();

    private readonly Secret _username = new(node.Settings.Status.Username);
    private readonly StatusReport _report = new(node, connections);

    public void Map(IEndpointRouteBuilder routes)
    {
        Map("/status", ServePage);
        Map("/status/format/html", ServePage);
        Map("/status/format/json", context => Answer(context, JsonType, Json()));
        Map("/status/format/jsonp", ServeJsonp);
        Map("/status/format/prometheus", context =>
            Answer(context, "text/plain; version=0.0.4; charset=utf-8", Encoding.UTF8.GetBytes(StatusPrometheus.Write(_report.Make()))));

        void Map(string path, Func<HttpContext, Task> serve) =>
            routes.MapMethods(path, [HttpMethods.Get, HttpMethods.Head], context => GuardAsync(context, serve));
    }

    private static byte[] ReadPage()
    {
        using var page = typeof(StatusEndpoints).Assembly.GetManifestResourceStream("status.html")
            ?? throw new InvalidOperationException("The status page is not embedded.");
        using var bytes = new MemoryStream();
        page.CopyTo(bytes);
        return bytes.ToArray();
    }

    private Task GuardAsync(HttpContext context, Func<HttpContext, Task> serve)
    {
        if (IsAllowed(context.Request.Headers.Authorization.ToString()))
            return serve(context);
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        context.Response.Headers.WWWAuthenticate = "Basic realm=\"Millrace status\", charset=\"UTF-8\"";
        return Answer(context, "text/plain; charset=utf-8", "a name and a password are needed\n"u8.ToArray());
    }

    /// <summary>RFC 7617, 2. Both are compared whatever the first comparison says.</summary>
    private bool IsAllowed(string authorization)
    {
        if (!AuthenticationHeaderValue.TryParse(authorization, out var header) || header.Parameter is not { } parameter
            || !header.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase))
            return false;
        var bytes = new byte[parameter.Length];
        if (!Convert.TryFromBase64String(parameter, bytes, out var length))
            return false;
        var credentials = Encoding.UTF8.GetString(bytes.AsSpan(0, length)).AsSpan();
        var colon = credentials.IndexOf(':');
        return colon >= 0 & _username.Matches(credentials[..Math.Max(0, colon)])
            & node.Settings.Status.Password.Matches(credentials[(colon + 1)..]);
    }

    private byte[] Json() => JsonSerializer.SerializeToUtf8Bytes(_report.Make(), StatusJson.Default.StatusReply);

    private static Task ServePage(HttpContext context)
    {
        // What the page shows comes from publishers: nothing of it may run, and nothing may be fetched from elsewhere.
        context.Response.Headers.ContentSecurityPolicy =
            "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'";
        return Answer(context, "text/html; charset=utf-8", Page);
    }

    private Task ServeJsonp(HttpContext context)
    {
        var callback = context.Request.Query["callback"].ToString();
        if (callback.Length == 0)
            callback = DefaultCallback;
        if (callback.Length > MaxCallback || !callback.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '$' or '.'))
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return Answer(context, "text/plain; charset=utf-8", "callback is the name of a function\n"u8.ToArray());
        }

        // The comment keeps the name from being the first bytes, which could be made to mean another type of file.
        return Answer(context, "text/javascript; charset=utf-8", [.. "/**/"u8, .. Encoding.ASCII.GetBytes(callback), .. "("u8, .. Json(), .. ");\n"u8]);
    }

    private static async Task Answer(HttpContext context, string type, byte[] body)
    {
        var headers = context.Response.Headers;
        headers.ContentType = type;
        headers.ContentLength = body.Length;
        headers.CacheControl = "no-store";
        headers.XContentTypeOptions = "nosniff";
        if (HttpMethods.IsGet(context.Request.Method))
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }
}
