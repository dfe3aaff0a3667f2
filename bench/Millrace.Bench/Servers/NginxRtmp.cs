using Millrace.Bench.Native;

namespace Millrace.Bench.Servers;

/// <summary>The peer: nginx with the RTMP module, as its packages ship it but for what a run of many viewers needs.</summary>
internal sealed class NginxRtmp(int basePort) : ServerUnderTest
{
    private static readonly string[] ModuleFolders = ["/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/share/nginx/modules", "/etc/nginx/modules"];

    public override string Label => "nginx-rtmp";
    public override int RtmpPort => basePort;
    public override int HttpPort => 0;

    // The worker stays the user who runs the bench: the `user` directive only means something to root.
    private static string User => Libc.geteuid() == 0 ? "user root;\n" : "";

    private static string Module => ModuleFolders.Select(static f => Path.Combine(f, "ngx_rtmp_module.so")).FirstOrDefault(File.Exists)
        ?? throw new InvalidOperationException("nginx's RTMP module was not found (Debian: libnginx-mod-rtmp)");

    // Shipped defaults stay: chunk_size 4096, ack_window 5000000, out_queue 256, no merging of messages (buflen applies to files only).
    public override string Configuration => $$"""
        load_module {{Module}};
        {{User}}daemon off;
        worker_processes 1;
        worker_rlimit_nofile 20000;
        pid nginx.pid;
        error_log error.log warn;
        events { worker_connections 19500; }
        rtmp {
            access_log off;
            server {
                listen 127.0.0.1:{{RtmpPort}};
                application {{App}} { live on; }
            }
        }

        """;

    protected override ChildProcess Launch(int core, string folder)
    {
        string file = Path.Combine(folder, "nginx.conf");
        File.WriteAllText(file, Configuration);
        return ChildProcess.Start(core, "nginx", ["-p", folder, "-c", file, "-e", Path.Combine(folder, "error.log")]);
    }
}
