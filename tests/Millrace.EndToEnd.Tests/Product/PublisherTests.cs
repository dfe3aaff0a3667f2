using System.Net;
using Millrace.EndToEnd.Clock;
using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd.Product;

/// <summary>Publishers that come twice, come back, and are sent away.</summary>
public sealed class PublisherTests
{
    private static readonly string Clip = Path.Combine(Repository.TestMedia, "bbb-360p.flv");

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    private static long Now => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    [Fact(Timeout = 90_000)]
    public async Task The_api_describes_a_live_stream()
    {
        await using var server = await MillraceServer.StartAsync();
        (await server.StatusAsync("/v1/streams/default/live/bbb")).ShouldBe(HttpStatusCode.NotFound);

        await using var publisher = Ffmpeg.PublishFile(Clip, server.Rtmp("live/bbb"), loop: true);

        var stream = await server.LiveAsync("default/live/bbb");
        stream.ShouldContain("avc1.42");
        stream.ShouldContain("mp4a.40.2");
    }

    [Fact(Timeout = 90_000)]
    public async Task A_second_publisher_is_refused_and_the_first_goes_on()
    {
        await using var server = await MillraceServer.StartAsync();
        await using var first = Ffmpeg.PublishClock(server.Rtmp("live/clock"));
        await using var player = ClockPlayer.Play(server.Rtmp("live/clock"));
        await player.SeesAsync(1, 0, Soon);

        await using var second = Ffmpeg.PublishFile(Clip, server.Rtmp("live/clock"));
        (await second.ExitAsync(Soon)).ShouldNotBe(0);

        await player.SeesAsync(30, Now, Soon);
        first.HasExited.ShouldBeFalse();
    }

    [Fact(Timeout = 90_000)]
    public async Task Players_stay_when_the_publisher_comes_back_within_the_grace()
    {
        await using var server = await MillraceServer.StartAsync("publish:\n  grace: 10s");
        await using var rtmp = ClockPlayer.Play(server.Rtmp("live/clock"));
        await using var flv = ClockPlayer.Play(server.Http("live/clock.flv?wait=10s"));
        await using (var first = Ffmpeg.PublishClock(server.Rtmp("live/clock")))
        {
            await rtmp.SeesAsync(30, 0, Soon);
            await flv.SeesAsync(30, 0, Soon);
            first.Kill();
        }

        var gone = Now;
        await using var second = Ffmpeg.PublishClock(server.Rtmp("live/clock"));
        await rtmp.SeesAsync(30, gone, Soon);
        await flv.SeesAsync(30, gone, Soon);

        rtmp.HasEnded.ShouldBeFalse();
        flv.HasEnded.ShouldBeFalse();
    }

    [Fact(Timeout = 90_000)]
    public async Task Delete_sends_the_publisher_away()
    {
        await using var server = await MillraceServer.StartAsync("publish:\n  grace: 0");
        await using var publisher = Ffmpeg.PublishFile(Clip, server.Rtmp("live/bbb"), loop: true);
        await server.LiveAsync("default/live/bbb");

        ((int)await server.KickAsync("default/live/bbb")).ShouldBeInRange(200, 299);

        (await publisher.ExitAsync(Soon)).ShouldNotBe(0);
        await Wait.UntilAsync(
            async () => await server.StatusAsync("/v1/streams/default/live/bbb") == HttpStatusCode.NotFound, Soon, () => "still listed");
    }
}
