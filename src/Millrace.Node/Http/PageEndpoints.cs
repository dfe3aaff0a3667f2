using System.Globalization;
using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Millrace.Media;
using Millrace.Node.Settings;
using Millrace.Streams;

namespace Millrace.Node.Http;

/// <summary>The built-in page and the small resources that it reads. Its files are embedded in the binary.</summary>
internal sealed class PageEndpoints(NodeContext node, int rtmpPort)
{
    private const string ResourcePrefix = "console/";
    private const long ListMicros = 1_000_000;
    private static readonly Assembly Assembly = typeof(PageEndpoints).Assembly;

    private (long Made, PageStreams List) _list = (-ListMicros, new PageStreams([], rtmpPort, false));

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/~/clock", (HttpResponse response) =>
        {
            response.Headers.CacheControl = "no-store";
            return TypedResults.Json(new ClockReply(NodeClock.UnixMicros), NodeJson.Default.ClockReply);
        });
        if (!node.Settings.Page.Enabled)
            return;
        if (node.Settings.Page.List)
            routes.MapGet("/~/streams", List);
        routes.MapMethods("/~/{**file}", [HttpMethods.Get, HttpMethods.Head], (HttpContext context, string file) => SendFileAsync(context, file));
        foreach (var path in (ReadOnlySpan<string>)["/", "/index.html"])
            routes.MapMethods(path, [HttpMethods.Get, HttpMethods.Head], (HttpContext context) => SendFileAsync(context, "index.html"));
    }

    /// <summary><c>/app/name</c> is the page of that stream.</summary>
    public Task ServePlayerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!.Trim('/');
        var isPage = node.Settings.Page.Enabled
            && (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method))
            && StreamName.TryParse("default", path, out _, out _);
        if (isPage)
            return SendFileAsync(context, "index.html");
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }

    /// <summary>Every open page asks every 2 s, so the answer is made at most once a second for all of them.</summary>
    private IResult List(HttpResponse response)
    {
        response.Headers.CacheControl = "no-store";
        var (made, list) = _list;
        if (NodeClock.Micros - made > ListMicros)
            _list = (NodeClock.Micros, list = MakeList());
        return TypedResults.Json(list, NodeJson.Default.PageStreams);
    }

    private PageStreams MakeList()
    {
        var viewers = node.Sessions.CountPlayers();
        var streams = new List<PageStream>();
        foreach (var stream in node.Registry.Streams)
        {
            if (stream is { State: StreamState.Live, Timeline.Era: { } era })
            {
                streams.Add(new PageStream(
                    stream.Name.Path, stream.Name.Vhost, stream.Name.App, stream.Name.Name,
                    Describe(era, TrackKind.Video), Describe(era, TrackKind.Audio), viewers.GetValueOrDefault(stream.Name) + node.HlsAudience.Count(stream.Name),
                    DateTimeOffset.FromUnixTimeMilliseconds(stream.LiveSinceMicros / 1_000)));
            }
        }

        streams.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return new PageStreams(streams, rtmpPort, node.Settings.Cluster.Map == OriginMapKind.Redis || node.Settings.HasOrigins());
    }

    private static string? Describe(Streams.Log.Era era, TrackKind kind)
    {
        if (Array.Find(era.Tracks, track => track.Kind == kind) is not { Config: { } config } track)
            return null;
        var codec = CodecInfo.NameOf(config.Codec);
        var rate = track.Stats.Rate > 0 ? Math.Round(track.Stats.Rate) : config.FrameRate;
        return kind == TrackKind.Audio
            ? string.Create(CultureInfo.InvariantCulture, $"{codec} {config.SampleRate} Hz")
            : string.Create(CultureInfo.InvariantCulture, $"{codec} {config.Width}x{config.Height}@{rate}");
    }

    private static async Task SendFileAsync(HttpContext context, string file)
    {
        using var content = Assembly.GetManifestResourceStream(ResourcePrefix + file);
        if (content is null)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        var headers = context.Response.Headers;
        headers.ContentType = TypeOf(file);
        // Names under assets/ carry a hash of their content; the rest does not.
        headers.CacheControl = file.StartsWith("assets/", StringComparison.Ordinal) && HasHash(file) ? "public, max-age=31536000, immutable" : "no-cache";
        headers.ContentLength = content.Length;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "same-origin";
        if (HttpMethods.IsGet(context.Request.Method))
            await content.CopyToAsync(context.Response.Body, context.RequestAborted);
    }

    private static bool HasHash(string file) => Path.GetExtension(file) is ".js" or ".css";

    private static string TypeOf(string file) => Path.GetExtension(file) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".svg" => "image/svg+xml",
        ".png" => "image/png",
        ".ico" => "image/x-icon",
        ".woff2" => "font/woff2",
        ".json" => "application/json",
        ".map" => "application/json",
        _ => "text/plain; charset=utf-8",
    };
}
