using System.Globalization;

namespace Millrace.EndToEnd.Harness;

/// <summary>A request that came through an <see cref="NginxMeter"/>.</summary>
/// <param name="Status">Of the answer.</param>
/// <param name="Encoding">Accept-Encoding.</param>
/// <param name="Path">With its query, as it was asked for.</param>
internal sealed record MeteredRequest(int Status, string Encoding, string Path);

/// <summary>nginx that passes every request on and writes it down: what a cache has asked the node for, by neither's own account.</summary>
internal sealed class NginxMeter : IAsyncDisposable
{
    private const string Mark = "/mark-of-the-meter";

    private readonly TemporaryFolder _folder;
    private readonly ChildProcess _process;
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false });

    private NginxMeter(TemporaryFolder folder, string configuration, int port)
    {
        (_folder, Port) = (folder, port);
        _process = ChildProcess.Start("nginx meter", "/usr/sbin/nginx", ["-c", configuration, "-p", folder.File(".")]);
    }

    public int Port { get; }

    public static async Task<NginxMeter> StartAsync(MillraceServer server)
    {
        var folder = new TemporaryFolder();
        var port = Ports.Free();
        var configuration = folder.Write("nginx.conf", $$"""
            daemon off;
            master_process off;
            error_log stderr warn;
            pid {{folder.File("nginx.pid")}};
            events { worker_connections 8192; }
            http {
                log_format asked "$status\t$http_accept_encoding\t$request_uri";
                access_log {{folder.File("asked")}} asked;
                client_body_temp_path {{folder.File("body")}};
                proxy_temp_path {{folder.File("proxy")}};
                upstream node { server 127.0.0.1:{{server.HttpPort}}; keepalive 64; }
                server {
                    listen 127.0.0.1:{{port}} backlog=4096;
                    location = {{Mark}} { return 204; }
                    location / {
                        proxy_pass http://node;
                        proxy_http_version 1.1;
                        proxy_set_header Connection "";
                        proxy_set_header Host $http_host;
                        proxy_pass_header Date;
                        proxy_read_timeout 100s;
                    }
                }
            }
            """);
        var meter = new NginxMeter(folder, configuration, port);
        await meter._process.PortAsync(port, TimeSpan.FromSeconds(10));
        return meter;
    }

    /// <summary>All that have been answered so far. An answer may be read before it is written down, but not before one to a later question is.</summary>
    public async Task<IReadOnlyList<MeteredRequest>> RequestsAsync()
    {
        using var answer = await _http.GetAsync($"http://127.0.0.1:{Port}{Mark}");
        return [.. File.ReadAllLines(_folder.File("asked"))
            .Select(static line => line.Split('\t'))
            .Select(static words => new MeteredRequest(int.Parse(words[0], CultureInfo.InvariantCulture), words[1], words[2]))
            .Where(static request => request.Path != Mark)];
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _process.DisposeAsync();
        _folder.Dispose();
    }
}
