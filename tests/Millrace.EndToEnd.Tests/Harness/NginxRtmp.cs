namespace Millrace.EndToEnd.Harness;

/// <summary>Debian's nginx with its RTMP module as a peer: one process, an application `live`.</summary>
internal sealed class NginxRtmp : IAsyncDisposable
{
    private readonly TemporaryFolder _folder;
    private readonly string _configuration;
    private ChildProcess _process;

    private NginxRtmp(TemporaryFolder folder, string configuration, int port)
    {
        (_folder, _configuration, Port) = (folder, configuration, port);
        _process = Launch();
    }

    public int Port { get; }

    public string Url(string stream) => $"rtmp://127.0.0.1:{Port}/live/{stream}";

    /// <param name="directives">More lines for the application, such as `push rtmp://…;` or `pull rtmp://… name=x static;`.</param>
    public static Task<NginxRtmp> StartAsync(params string[] directives) => StartAsync("", directives);

    /// <param name="ofServer">A line for the server around the application, such as `on_connect http://…;`.</param>
    /// <param name="directives">More lines for the application.</param>
    public static async Task<NginxRtmp> StartAsync(string ofServer, string[] directives)
    {
        var folder = new TemporaryFolder();
        var port = Ports.Free();
        var configuration = folder.Write("nginx.conf", $$"""
            load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
            daemon off;
            master_process off;
            error_log stderr info;
            pid {{folder.File("nginx.pid")}};
            events { worker_connections 256; }
            rtmp {
                access_log off;
                server {
                    listen 127.0.0.1:{{port}};
                    chunk_size 4096;
                    {{ofServer}}
                    application live {
                        live on;
                        {{string.Join('\n', directives)}}
                    }
                }
            }
            """);
        var server = new NginxRtmp(folder, configuration, port);
        await server._process.PortAsync(port, TimeSpan.FromSeconds(10));
        return server;
    }

    /// <summary>Ends it as when a machine fails, and starts it again on the same port.</summary>
    public async Task RestartAsync()
    {
        await _process.DisposeAsync();
        _process = Launch();
        await _process.PortAsync(Port, TimeSpan.FromSeconds(10));
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _folder.Dispose();
    }

    private ChildProcess Launch() => ChildProcess.Start("nginx-rtmp", "/usr/sbin/nginx", ["-c", _configuration, "-p", _folder.File(".")]);
}
