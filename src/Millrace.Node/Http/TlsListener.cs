using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;
using Millrace.Node.Settings;
using Millrace.Node.Shards;

namespace Millrace.Node.Http;

/// <summary>
/// The media port with TLS. Kestrel accepts here itself, for a shard cannot decrypt; its connections count against the same
/// limits as the shards'.
/// </summary>
internal sealed class TlsListener(NodeSettings settings, TlsCertificate certificate, ConnectionCounts counts, ILoggerFactory loggers)
{
    /// <summary>HTTP/2 pings: a viewer behind a dead link is noticed though its socket takes bytes still.</summary>
    private static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan PingTimeout = TimeSpan.FromSeconds(20);

    private readonly RefusalLog _refusals = new(loggers.CreateLogger("Millrace.Http"));

    public void AddTo(KestrelServerOptions kestrel)
    {
        var tls = settings.Http.Tls;
        kestrel.Limits.Http2.KeepAlivePingDelay = PingDelay;
        kestrel.Limits.Http2.KeepAlivePingTimeout = PingTimeout;
        foreach (var endpoint in tls.Listen)
        {
            if (endpoint.Address is { } address)
                kestrel.Listen(address, endpoint.Port, Configure);
            else
                kestrel.ListenAnyIP(endpoint.Port, Configure);
        }

        void Configure(ListenOptions listen)
        {
            listen.Protocols = HttpProtocols.Http1AndHttp2;
            listen.Use(Count);
            listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                HandshakeTimeout = settings.Limits.RequestTimeout,
                OnConnection = _ => ValueTask.FromResult(certificate.Current),
            });
        }
    }

    /// <summary>Outside of the TLS layer, so that a handshake has its place already.</summary>
    private ConnectionDelegate Count(ConnectionDelegate next) => async connection =>
    {
        var remote = connection.RemoteEndPoint as IPEndPoint ?? new IPEndPoint(IPAddress.None, 0);
        if (counts.TryEnter(remote.Address) is { } refusal)
        {
            connection.Abort();
            _refusals.Add(remote, refusal);
            return;
        }

        try
        {
            await next(connection);
        }
        finally
        {
            counts.Leave(remote.Address);
        }
    };
}
