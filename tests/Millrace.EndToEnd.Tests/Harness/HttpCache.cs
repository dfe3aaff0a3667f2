namespace Millrace.EndToEnd.Harness;

/// <summary>A cache in front of a node, configured as deploy/cdn tells users to; only ports and folders are others.</summary>
internal sealed class HttpCache : IAsyncDisposable
{
    private static readonly TimeSpan Start = TimeSpan.FromSeconds(20);

    private readonly TemporaryFolder _folder;
    private readonly ChildProcess _process;

    private HttpCache(TemporaryFolder folder, ChildProcess process, int port) => (_folder, _process, Port) = (folder, process, port);

    public int Port { get; }

    public string Url(string pathAndQuery) => $"http://127.0.0.1:{Port}/{pathAndQuery}";

    /// <param name="kind">nginx or varnish.</param>
    /// <param name="nodePort">Of the node, or of what stands in front of it.</param>
    public static async Task<HttpCache> StartAsync(string kind, int nodePort)
    {
        var folder = new TemporaryFolder();
        var port = Ports.Free();
        var process = kind == "nginx" ? Nginx(folder, port, nodePort) : Varnish(folder, port, nodePort);
        await process.PortAsync(port, Start);
        return new HttpCache(folder, process, port);
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>Two workers, as on a machine of two cores: they share what is kept, and the locks.</summary>
    private static ChildProcess Nginx(TemporaryFolder folder, int port, int nodePort)
    {
        folder.Write("millrace.conf", Changed("nginx.conf",
            ("/var/cache/nginx/millrace", folder.File("cache")),
            ("server 127.0.0.1:8080;", $"server 127.0.0.1:{nodePort};"),
            ("listen 80;", $"listen 127.0.0.1:{port} backlog=4096;")));
        var configuration = folder.Write("nginx.conf", $$"""
            {{(Environment.IsPrivilegedProcess ? "user root;" : "")}}
            daemon off;
            worker_processes 2;
            error_log stderr warn;
            pid {{folder.File("nginx.pid")}};
            events { worker_connections 8192; }
            http {
                access_log off;
                client_body_temp_path {{folder.File("body")}};
                proxy_temp_path {{folder.File("proxy")}};
                include {{folder.File("millrace.conf")}};
            }
            """);
        return ChildProcess.Start("nginx cache", "/usr/sbin/nginx", ["-c", configuration, "-p", folder.File(".")]);
    }

    private static ChildProcess Varnish(TemporaryFolder folder, int port, int nodePort)
    {
        var configuration = folder.Write("varnish.vcl", Changed("varnish.vcl", (".port = \"8080\";", $".port = \"{nodePort}\";")));
        return ChildProcess.Start(
            "varnish", "/usr/sbin/varnishd",
            ["-F", "-j", "none", "-n", folder.File("work"), "-a", $"127.0.0.1:{port}", "-f", configuration, "-s", "malloc,256m", "-p", "listen_depth=4096"]);
    }

    /// <summary>A file of deploy/cdn with what its comments tell the user to change.</summary>
    private static string Changed(string file, params ReadOnlySpan<(string What, string To)> changes)
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, "deploy", "cdn", file));
        foreach (var (what, to) in changes)
        {
            text.Split(what).Length.ShouldBe(2, $"{file} has '{what}' once");
            text = text.Replace(what, to, StringComparison.Ordinal);
        }

        return text;
    }
}
