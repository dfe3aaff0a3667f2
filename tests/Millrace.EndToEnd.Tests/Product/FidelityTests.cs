using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd.Product;

/// <summary>What goes in comes out: every frame, its samples and its time.</summary>
public sealed class FidelityTests
{
    /// <summary>Pictures of the file from its last key frame but one, at 5.36 s of 10 s.</summary>
    private const int LatePictures = 100;

    private static readonly string Clip = Path.Combine(Repository.TestMedia, "bbb-360p.flv");

    private static readonly TimeSpan PlayTime = TimeSpan.FromSeconds(40);

    [Fact(Timeout = 120_000)]
    public async Task Players_that_were_there_first_decode_exactly_the_file()
    {
        var expected = await FrameDigest.OfFileAsync(Clip);
        await using var server = await MillraceServer.StartAsync("publish:\n  grace: 1s");
        await using var rtmp = Ffmpeg.Digest(server.Rtmp("live/bbb"));
        await using var flv = Ffmpeg.Digest(server.Http("live/bbb.flv?wait=10s"));
        await Ports.ConnectedAsync(server.RtmpPort, 1, TimeSpan.FromSeconds(10));
        await Ports.ConnectedAsync(server.HttpPort, 1, TimeSpan.FromSeconds(10));

        await using var publisher = Ffmpeg.PublishFile(Clip, server.Rtmp("live/bbb"));
        (await publisher.ExitAsync(PlayTime)).ShouldBe(0, publisher.Tail());

        (await FrameDigest.CollectAsync(rtmp, PlayTime)).ShouldEqual(expected);
        (await FrameDigest.CollectAsync(flv, PlayTime)).ShouldEqual(expected);
    }

    [Fact(Timeout = 120_000)]
    public async Task Nginx_rtmp_pushes_to_us()
    {
        var expected = await FrameDigest.OfFileAsync(Clip);
        await using var server = await MillraceServer.StartAsync("publish:\n  grace: 1s");
        await using var nginx = await NginxRtmp.StartAsync($"push rtmp://127.0.0.1:{server.RtmpPort}/live;");
        await using var player = Ffmpeg.Digest(server.Rtmp("live/bbb"));
        await Ports.ConnectedAsync(server.RtmpPort, 1, TimeSpan.FromSeconds(10));

        await using var publisher = Ffmpeg.PublishFile(Clip, nginx.Url("bbb"));
        (await publisher.ExitAsync(PlayTime)).ShouldBe(0, publisher.Tail());

        (await FrameDigest.CollectAsync(player, PlayTime)).ShouldBeStretchOf(expected, LatePictures);
    }

    [Fact(Timeout = 120_000)]
    public async Task Nginx_rtmp_pulls_from_us()
    {
        var expected = await FrameDigest.OfFileAsync(Clip);
        await using var server = await MillraceServer.StartAsync("publish:\n  grace: 1s");
        await using var nginx = await NginxRtmp.StartAsync($"pull rtmp://127.0.0.1:{server.RtmpPort}/live;", "publish_notify on;", "wait_video on;");
        await using var player = Ffmpeg.Digest(nginx.Url("bbb"));
        await Ports.ConnectedAsync(server.RtmpPort, 1, TimeSpan.FromSeconds(10));

        await using var publisher = Ffmpeg.PublishFile(Clip, server.Rtmp("live/bbb"));
        (await publisher.ExitAsync(PlayTime)).ShouldBe(0, publisher.Tail());

        (await FrameDigest.CollectAsync(player, PlayTime)).ShouldBeStretchOf(expected, LatePictures);
    }

    [Fact(Timeout = 120_000)]
    public async Task Gstreamer_and_rtmpdump_play()
    {
        using var folder = new TemporaryFolder();
        await using var server = await MillraceServer.StartAsync();
        await using var publisher = Ffmpeg.PublishFile(Clip, server.Rtmp("live/bbb"), loop: true);
        await server.LiveAsync("default/live/bbb");

        await using var rtmp = Gstreamer.Play(server.Rtmp("live/bbb"), pictures: 100);
        await using var flv = Gstreamer.Play(server.Http("live/bbb.flv"), pictures: 100);
        await RtmpDump.RecordAsync(server.Rtmp("live/bbb"), folder.File("dump.flv"), bytes: 150_000);

        (await rtmp.ExitAsync(PlayTime)).ShouldBe(0, rtmp.Tail());
        (await flv.ExitAsync(PlayTime)).ShouldBe(0, flv.Tail());
        var tracks = await Ffmpeg.ProbeAsync(folder.File("dump.flv"));
        tracks.ShouldContain(line => line.Contains("codec_name=h264", StringComparison.Ordinal));
        tracks.ShouldContain(line => line.Contains("codec_name=aac", StringComparison.Ordinal));
    }
}
