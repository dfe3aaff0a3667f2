using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Millrace.Node.Api;
using Millrace.Node.Hls;
using Millrace.Node.Metrics;
using Millrace.Node.Settings;
using Millrace.Node.Shards;
using Millrace.Node.Status;

namespace Millrace.Node.Http;

/// <summary>
/// Kestrel, twice: behind the media port for what shards hand over and for TLS, and for the API on listeners of its own, so that no
/// request of the one can reach the other.
/// </summary>
/// <param name="node">What it serves.</param>
/// <param name="handOver">Connections that come from shards.</param>
/// <param name="metrics">For the API.</param>
/// <param name="counts">Of connections, which those with TLS are among.</param>
/// <param name="certificate">Null without TLS.</param>
/// <param name="rtmpPort">For the page.</param>
internal sealed class WebServers(
    NodeContext node, HandOverQueue handOver, PrometheusText metrics, ConnectionCounts counts, TlsCertificate? certificate, int rtmpPort) : IAsyncDisposable
{
    private WebApplication? _media;
    private WebApplication? _api;

    /// <summary>The ports of <c>api.listen</c>, in order.</summary>
    public IReadOnlyList<int> ApiPorts { get; private set; } = [];

    /// <summary>The ports of <c>http.tls.listen</c>, in order.</summary>
    public IReadOnlyList<int> TlsPorts { get; private set; } = [];

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (node.Settings.Http.Listen.Count > 0 || certificate is not null)
        {
            _media = BuildMedia();
            TlsPorts = await StartAsync(_media, "http.tls.listen", "https://", cancellationToken);
        }

        if (node.Settings.Api.Listen.Count > 0)
            await StartApiAsync(cancellationToken);
    }

    public async Task StopAsync(TimeSpan deadline)
    {
        using var limit = new CancellationTokenSource(deadline);
        if (_media is not null)
            await _media.StopAsync(limit.Token);
        if (_api is not null)
            await _api.StopAsync(limit.Token);
    }

    public async ValueTask DisposeAsync()
    {
        if (_media is not null)
            await _media.DisposeAsync();
        if (_api is not null)
            await _api.DisposeAsync();
    }

    private WebApplication BuildMedia()
    {
        var builder = CreateBuilder();
        builder.Services.AddSingleton<IConnectionListenerFactory>(handOver);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            if (node.Settings.Http.Listen.Count > 0)
                kestrel.Listen(HandOverQueue.EndPoint, listen => listen.Protocols = HttpProtocols.Http1);
            if (certificate is not null)
                new TlsListener(node.Settings, certificate, counts, node.Loggers).AddTo(kestrel);
        });
        var app = builder.Build();
        handOver.UseBuffers(app.Services.GetRequiredService<IMemoryPoolFactory<byte>>());
        var flv = new FlvEndpoint(node);
        var hls = new HlsEndpoint(node);
        var page = new PageEndpoints(node, rtmpPort);
        app.Use(new TrafficMiddleware(node.Settings, node.Traffic).InvokeAsync);
        app.UseWhen(
            context => HlsTarget.IsHls(FlvEndpoint.PathOf(context)),
            branch =>
            {
                branch.UseWhen(static context => !HlsEndpoint.IsMediaMethod(context.Request.Method), static odd => odd.Use(GiveBack));
                branch.Run(hls.ServeAsync);
            });
        app.UseWebSockets();
        app.UseWhen(
            context => MediaResource.IsMedia(FlvEndpoint.PathOf(context)),
            branch =>
            {
                branch.UseWhen(static context => !FlvEndpoint.IsAnswered(context), static odd => odd.Use(GiveBack));
                branch.Run(flv.ServeAsync);
            });
        app.Use(GiveBack);
        app.UseRouting();
        page.Map(app);
        if (node.Settings.Status.IsEnabled)
            new StatusEndpoints(node, counts).Map(app);
        app.MapFallback("{**path}", page.ServePlayerAsync);
        return app;
    }

    private async Task StartApiAsync(CancellationToken cancellationToken)
    {
        var builder = CreateBuilder();
        builder.Services.AddOpenApi();
        builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, ApiJson.Default));
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            foreach (var endpoint in node.Settings.Api.Listen)
            {
                if (endpoint.Address is { } address)
                    kestrel.Listen(address, endpoint.Port);
                else
                    kestrel.ListenAnyIP(endpoint.Port);
            }
        });
        _api = builder.Build();
        new ApiEndpoints(node, metrics).Map(_api);
        new ClusterEndpoints(node).Map(_api);
        _api.MapOpenApi();
        ApiPorts = await StartAsync(_api, "api.listen", "http://", cancellationToken);
    }

    /// <summary>Starts an app and gives its ports of one scheme; a <see cref="ListenException"/> names the setting.</summary>
    private static async Task<int[]> StartAsync(WebApplication app, string setting, string scheme, CancellationToken cancellationToken)
    {
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            throw new ListenException($"{setting}: {e.Message}", e);
        }

        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        return [.. addresses.Where(address => address.StartsWith(scheme, StringComparison.Ordinal)).Select(address => BindingAddress.Parse(address).Port)];
    }

    /// <summary>
    /// A connection that Kestrel got from a shard is Kestrel's for good, so it is ended with its answer: the browser's next
    /// request may ask for media, and that belongs on a shard. With TLS there is no shard to go to.
    /// </summary>
    private static Task GiveBack(HttpContext context, RequestDelegate next)
    {
        context.Response.OnStarting(
            static state =>
            {
                var answered = (HttpContext)state;
                if (!answered.Request.IsHttps && HttpProtocol.IsHttp11(answered.Request.Protocol))
                    answered.Response.Headers.Connection = "close";
                return Task.CompletedTask;
            },
            context);
        return next(context);
    }

    private WebApplicationBuilder CreateBuilder()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(node.Loggers);
        builder.Services.AddLogging();
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            var limits = node.Settings.Limits;
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestHeadersTotalSize = (int)limits.RequestHeadBytes;
            kestrel.Limits.MaxRequestLineSize = (int)limits.RequestHeadBytes;
            kestrel.Limits.RequestHeadersTimeout = limits.RequestTimeout;
            kestrel.Limits.KeepAliveTimeout = limits.IdleTimeout > TimeSpan.Zero ? limits.IdleTimeout : TimeSpan.MaxValue;
            kestrel.Limits.MaxRequestBodySize = 64 * 1024;
        });
        return builder;
    }
}
