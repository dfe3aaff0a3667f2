using System.Text.RegularExpressions;
using Millrace.EndToEnd.Harness;
using Millrace.Node.Tests.Harness;

namespace Millrace.EndToEnd.Cluster;

/// <summary>Nodes linked by TLS, with certificates that were made as docs/cluster.md says; RTMP servers behind Debian's nginx.</summary>
public sealed class TlsTests
{
    /// <summary>Four of the six seconds that are published: players are there first.</summary>
    private const int Pictures = 100;

    private static readonly string[] FirstSeconds = ["-t", "6"];

    private static readonly string Clip = Path.Combine(Repository.TestMedia, "bbb-360p.flv");

    private static readonly TimeSpan PlayTime = TimeSpan.FromSeconds(40);

    [Fact(Timeout = 120_000)]
    public async Task Nodes_with_the_certificates_of_the_manual_serve_every_frame_and_nobody_else_is_let_in()
    {
        using var folder = new TemporaryFolder();
        await MakeCertificatesAsync(folder);
        var port = Ports.Free();
        var expected = await FrameDigest.OfFileAsync(Clip);
        await using var origin = await MillraceServer.StartAsync("publish:\n  grace: 1s\n", Environment(folder, port));
        await using var edge = await EdgeAsync($"millraces://localhost:{port}", Environment(folder, Ports.Free()));
        await using var stranger = await EdgeAsync(
            $"millraces://localhost:{port}", new Dictionary<string, string> { ["MILLRACE__RELAY__TLS__AUTHORITY"] = folder.File("ca.pem") });
        await using var rtmp = Ffmpeg.Digest(edge.Rtmp("live/bbb"));
        await using var flv = Ffmpeg.Digest(edge.Http("live/bbb.flv?wait=30s"));
        await Ports.ConnectedAsync(edge.RtmpPort, 1, TimeSpan.FromSeconds(10));
        await Ports.ConnectedAsync(edge.HttpPort, 1, TimeSpan.FromSeconds(10));

        await using var publisher = Ffmpeg.PublishFile(Clip, origin.Rtmp("live/bbb"), options: FirstSeconds);
        await origin.LiveAsync("default/live/bbb");
        await using var refused = Ffmpeg.Play(stranger.Http("live/bbb.flv"), seconds: 1);
        (await publisher.ExitAsync(PlayTime)).ShouldBe(0, publisher.Tail());

        (await FrameDigest.CollectAsync(rtmp, PlayTime)).ShouldBeStretchOf(expected, Pictures);
        (await FrameDigest.CollectAsync(flv, PlayTime)).ShouldBeStretchOf(expected, Pictures);
        (await refused.ExitAsync(PlayTime)).ShouldNotBe(0);
        origin.Process.Tail().ShouldContain("it shows no certificate");
    }

    [Fact(Timeout = 120_000)]
    public async Task An_rtmps_server_is_the_origin_and_the_target_of_forward_and_every_frame_comes_through()
    {
        using var authority = new TestAuthority();
        var expected = await FrameDigest.OfFileAsync(Clip);
        var trust = new Dictionary<string, string> { ["MILLRACE__EDGE__TLS__AUTHORITY"] = authority.Path, ["MILLRACE__EDGE__MEDIA_TIMEOUT"] = "3s", ["MILLRACE__EDGE__GIVE_UP"] = "1s" };
        await using var nginx = await NginxRtmp.StartAsync("publish_notify on;", "wait_video on;");
        await using var front = await NginxTls.StartAsync(authority.Sign("rtmps"), nginx.Port);
        await using var publishing = await MillraceServer.StartAsync(
            $"publish:\n  grace: 1s\nvhosts:\n  - name: default\n    forward: rtmps://localhost:{front.Port}\n", trust);
        await using var edge = await EdgeAsync($"rtmps://localhost:{front.Port}", trust);
        await using var rtmp = Ffmpeg.Digest(edge.Rtmp("live/bbb"));
        await using var flv = Ffmpeg.Digest(edge.Http("live/bbb.flv?wait=30s"));
        await Ports.ConnectedAsync(edge.RtmpPort, 1, TimeSpan.FromSeconds(10));
        await Ports.ConnectedAsync(edge.HttpPort, 1, TimeSpan.FromSeconds(10));
        await Ports.ConnectedAsync(nginx.Port, 1, TimeSpan.FromSeconds(10));

        await using var publisher = Ffmpeg.PublishFile(Clip, publishing.Rtmp("live/bbb"), options: FirstSeconds);
        (await publisher.ExitAsync(PlayTime)).ShouldBe(0, publisher.Tail());

        (await FrameDigest.CollectAsync(rtmp, PlayTime)).ShouldBeStretchOf(expected, Pictures);
        (await FrameDigest.CollectAsync(flv, PlayTime)).ShouldBeStretchOf(expected, Pictures);
    }

    /// <summary>The manual's own commands, for a node called localhost.</summary>
    private static async Task MakeCertificatesAsync(TemporaryFolder folder)
    {
        var manual = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "cluster.md"));
        var commands = Regex.Match(manual, "```sh\n(?<commands>openssl req -x509.*?)```", RegexOptions.Singleline).Groups["commands"].Value;
        commands.ShouldContain("node=origin.example.org");
        var script = $"set -e\ncd '{folder.File(".")}'\n{commands.Replace("node=origin.example.org", "node=localhost", StringComparison.Ordinal)}";
        await using var shell = ChildProcess.Start("openssl", "/bin/bash", ["-c", script]);
        (await shell.ExitAsync(PlayTime)).ShouldBe(0, shell.Tail());
    }

    private static Dictionary<string, string> Environment(TemporaryFolder folder, int port) => new()
    {
        ["MILLRACE__RELAY__LISTEN"] = "",
        ["MILLRACE__RELAY__TLS__LISTEN"] = $"127.0.0.1:{port}",
        ["MILLRACE__RELAY__TLS__CERTIFICATE"] = folder.File("node.pem"),
        ["MILLRACE__RELAY__TLS__KEY"] = folder.File("node.key"),
        ["MILLRACE__RELAY__TLS__AUTHORITY"] = folder.File("ca.pem"),
        ["MILLRACE__RELAY__TLS__CLIENT_CERTIFICATES"] = "true",
    };

    private static Task<MillraceServer> EdgeAsync(string origin, IReadOnlyDictionary<string, string> environment) =>
        MillraceServer.StartAsync($"vhosts:\n  - name: default\n    mode: remote\n    origin: {origin}\n", environment);
}
