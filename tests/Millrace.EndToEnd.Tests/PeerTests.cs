using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd;

/// <summary>The measuring method against a server that is known: what fails here is not Millrace's fault.</summary>
public sealed class PeerTests
{
    private static readonly string File = Path.Combine(Repository.TestMedia, "bbb-360p.flv");

    [Fact(Timeout = 120_000)]
    public async Task Nginx_rtmp_delivers_every_frame_of_a_file_to_a_player_that_was_there_first()
    {
        var expected = await FrameDigest.OfFileAsync(File);
        expected.VideoFrames.Count.ShouldBeGreaterThan(200);

        await using var nginx = await NginxRtmp.StartAsync("wait_key off;", "publish_notify on;");
        await using var player = Ffmpeg.Digest(nginx.Url("bbb"));
        await Ports.ConnectedAsync(nginx.Port, 1, TimeSpan.FromSeconds(10));
        await using var publisher = Ffmpeg.PublishFile(File, nginx.Url("bbb"));
        (await publisher.ExitAsync(TimeSpan.FromSeconds(30))).ShouldBe(0);

        (await FrameDigest.CollectAsync(player, TimeSpan.FromSeconds(20))).ShouldEqual(expected);
    }

    [Fact(Timeout = 120_000)]
    public async Task Gstreamer_and_rtmpdump_play_from_nginx_rtmp()
    {
        using var folder = new TemporaryFolder();
        await using var nginx = await NginxRtmp.StartAsync("wait_video on;", "wait_key on;");
        await using var publisher = Ffmpeg.PublishFile(File, nginx.Url("bbb"), loop: true);
        await Ports.ConnectedAsync(nginx.Port, 1, TimeSpan.FromSeconds(10));

        await using var gstreamer = Gstreamer.Play(nginx.Url("bbb"), pictures: 100);
        (await gstreamer.ExitAsync(TimeSpan.FromSeconds(40))).ShouldBe(0, gstreamer.Tail());
        await RtmpDump.RecordAsync(nginx.Url("bbb"), folder.File("dump.flv"), bytes: 150_000);
        (await Ffmpeg.ProbeAsync(folder.File("dump.flv"))).ShouldContain(line => line.Contains("h264", StringComparison.Ordinal));
    }
}
