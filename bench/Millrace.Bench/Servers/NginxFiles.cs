using Millrace.Bench.Native;

namespace Millrace.Bench.Servers;

/// <summary>The peer for HLS: nginx with static files, one worker.</summary>
internal sealed class NginxFiles(int port) : ServerUnderTest
{
    private string? _files;

    public override string Label => "nginx static";
    public override int RtmpPort => 0;
    public override int HttpPort => port;

    // The worker stays the user who runs the bench: the `user` directive only means something to root.
    private static string User => Libc.geteuid() == 0 ? "user root;\n" : "";

    // As Debian's packages ship it (sendfile, tcp_nopush), but for the log, and for connections that are never closed after some requests.
    public override string Configuration => $$"""
        {{User}}daemon off;
        worker_processes 1;
        worker_rlimit_nofile 20000;
        pid nginx.pid;
        error_log error.log warn;
        events { worker_connections 15000; }
        http {
            access_log off;
            sendfile on;
            tcp_nopush on;
            keepalive_requests 1000000000;
            types {
                application/vnd.apple.mpegurl m3u8;
                video/mp4 m4s;
            }
            server {
                listen 127.0.0.1:{{HttpPort}};
                root files;
            }
        }

        """;

    /// <summary>Puts a file where it is served, in place of an earlier one of that name.</summary>
    public void Put(string name, byte[] bytes) => File.WriteAllBytes(Path.Combine(_files ?? throw new InvalidOperationException("not started"), name), bytes);

    protected override ChildProcess Launch(int core, string folder)
    {
        _files = Directory.CreateDirectory(Path.Combine(folder, "files")).FullName;
        string file = Path.Combine(folder, "nginx.conf");
        File.WriteAllText(file, Configuration);
        return ChildProcess.Start(core, "nginx", ["-p", folder, "-c", file, "-e", Path.Combine(folder, "error.log")]);
    }
}
