using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd.Product;

/// <summary>OBS Studio itself publishes.</summary>
public sealed class ObsTests
{
    /// <summary>B pictures in a row, x264's default: the stream ends anywhere in decoding order, so the last pictures may lack a neighbour.</summary>
    private const int Reordered = 3;

    private static readonly string Clip = Path.Combine(Repository.TestMedia, "bbb-360p.flv");

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    [Fact(Timeout = 90_000)]
    public async Task Every_picture_of_obs_reaches_its_players_at_its_time()
    {
        await using var server = await MillraceServer.StartAsync("publish:\n  grace: 0");
        await using var rtmp = Ffmpeg.Digest(server.Rtmp("live/obs"));
        await using var flv = Ffmpeg.Digest(server.Http("live/obs.flv?wait=20s"));
        await Ports.ConnectedAsync(server.RtmpPort, 1, Soon);
        await Ports.ConnectedAsync(server.HttpPort, 1, Soon);

        await using (await Obs.PublishFileAsync(Clip, server.Rtmp("live"), "obs"))
        {
            await server.LiveAsync("default/live/obs");
            await using var late = Gstreamer.Play(server.Rtmp("live/obs"), pictures: 3 * Obs.Rate);
            (await late.ExitAsync(Soon)).ShouldBe(0, late.Tail());
            var stream = await server.LiveAsync("default/live/obs");
            stream.ShouldContain("avc1.64");
            stream.ShouldContain("mp4a.40.2");
        }

        var seen = await FrameDigest.CollectAsync(rtmp, Soon);
        seen.VideoFrames.Count.ShouldBeGreaterThanOrEqualTo(3 * Obs.Rate);
        seen.VideoFrames.DistinctBy(frame => frame.Md5).Count().ShouldBeGreaterThan(Obs.Rate, "pictures that differ");
        seen.AudioFrames.DistinctBy(frame => frame.Md5).Count().ShouldBeGreaterThan(Obs.Rate, "samples that differ");
        var pictures = seen.VideoFrames.SkipLast(Reordered).ToList();
        foreach (var (frame, next) in pictures.Zip(pictures.Skip(1)))
        {
            (next.Seconds - frame.Seconds).ShouldBe(1.0 / Obs.Rate, 0.0001, $"after the picture at {frame.Seconds} s");
        }

        (await FrameDigest.CollectAsync(flv, Soon)).ShouldEqual(seen);
    }
}
