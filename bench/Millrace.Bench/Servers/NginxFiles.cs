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

    // As Debian's packages ship it (sendfile, tcp_nopush), but for the log, for connections that are never closed after some requests,
    // and for what makes it cheaper here. With the default sendfile_max_chunk of 2 MB one call sends a whole segment while its receiver
    // drains it piece by piece, and wakes for each: that doubles nginx's CPU time. Files of a few KB are cheaper copied.
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
            sendfile_max_chunk 64k;
            keepalive_requests 1000000000;
            types {
                application/vnd.apple.mpegurl m3u8;
                video/mp4 m4s;
            }
            server {
                listen 127.0.0.1:{{HttpPort}};
                root files;
                location ~ m3u8$ { sendfile off; }
            }
        }

        """;

    /// <summary>Puts a file where it is served, in place of an earlier one of that name; gives its path in the server.</summary>
    public string Put(string name, byte[] bytes)
    {
        File.WriteAllBytes(Path.Combine(_files ?? throw new InvalidOperationException("not started"), name), bytes);
        return "/" + name;
    }

    protected override ChildProcess Launch(int core, string folder)
    {
        _files = Directory.CreateDirectory(Path.Combine(folder, "files")).FullName;
        string file = Path.Combine(folder, "nginx.conf");
        File.WriteAllText(file, Configuration);
        return ChildProcess.Start(core, "nginx", ["-p", folder, "-c", file, "-e", Path.Combine(folder, "error.log")]);
    }
}
