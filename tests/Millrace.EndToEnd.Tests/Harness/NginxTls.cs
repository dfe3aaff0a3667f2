namespace Millrace.EndToEnd.Harness;

/// <summary>Debian's nginx with its stream module: TLS in front of another server's port, as services that take RTMP over TLS have it.</summary>
internal sealed class NginxTls : IAsyncDisposable
{
    private readonly TemporaryFolder _folder;
    private readonly ChildProcess _process;

    private NginxTls(TemporaryFolder folder, string configuration, int port)
    {
        (_folder, Port) = (folder, port);
        _process = ChildProcess.Start("nginx-tls", "/usr/sbin/nginx", ["-c", configuration, "-p", folder.File(".")]);
    }

    public int Port { get; }

    /// <param name="files">Of its certificate and its key.</param>
    /// <param name="target">The port of the loopback address behind it.</param>
    public static async Task<NginxTls> StartAsync((string Certificate, string Key) files, int target)
    {
        var folder = new TemporaryFolder();
        var port = Ports.Free();
        var configuration = folder.Write("nginx.conf", $$"""
            load_module /usr/lib/nginx/modules/ngx_stream_module.so;
            daemon off;
            master_process off;
            error_log stderr info;
            pid {{folder.File("nginx.pid")}};
            events { worker_connections 256; }
            stream {
                server {
                    listen 127.0.0.1:{{port}} ssl;
                    ssl_certificate {{files.Certificate}};
                    ssl_certificate_key {{files.Key}};
                    proxy_pass 127.0.0.1:{{target}};
                }
            }
            """);
        var front = new NginxTls(folder, configuration, port);
        await front._process.PortAsync(port, TimeSpan.FromSeconds(10));
        return front;
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _folder.Dispose();
    }
}
