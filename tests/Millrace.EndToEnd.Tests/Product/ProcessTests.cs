using Millrace.EndToEnd.Clock;
using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd.Product;

/// <summary>The server as a process.</summary>
public sealed class ProcessTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    [Fact(Timeout = 90_000)]
    public async Task Sigterm_ends_it_with_0_while_it_serves()
    {
        await using var server = await MillraceServer.StartAsync();
        await using var publisher = Ffmpeg.PublishClock(server.Rtmp("live/clock"));
        await using var player = ClockPlayer.Play(server.Rtmp("live/clock"));
        await player.SeesAsync(10, 0, Soon);

        server.Process.Terminate();

        (await server.Process.ExitAsync(Soon)).ShouldBe(0, server.Process.Tail());
    }

    [Fact(Timeout = 90_000)]
    public async Task A_taken_port_is_named_with_its_setting()
    {
        await using var first = await MillraceServer.StartAsync();
        await using var second = MillraceServer.Launch(rtmpPort: first.RtmpPort);

        (await second.Process.ExitAsync(Soon)).ShouldNotBe(0);

        second.Process.Tail().ShouldContain("rtmp.listen");
        second.Process.Tail().ShouldContain($"{first.RtmpPort}");
    }
}
