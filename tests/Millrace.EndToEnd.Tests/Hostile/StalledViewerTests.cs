using System.Globalization;
using System.Text.RegularExpressions;
using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd.Hostile;

/// <summary>Viewers who stop reading.</summary>
public sealed partial class StalledViewerTests
{
    private const int Viewers = 20;

    private static readonly Dictionary<string, string> Settings = new(StringComparer.Ordinal)
    {
        ["MILLRACE__RTMP__TIMEOUT"] = "4s",
        ["MILLRACE__RTMP__MAX_MESSAGE"] = "1MB",
        ["MILLRACE__LIMITS__WRITE_TIMEOUT"] = "4s",
        ["MILLRACE__STREAMS__WIRE_DURATION"] = "1s",
        ["MILLRACE__STREAMS__WIRE_BYTES"] = "1MB",
        ["MILLRACE__PUBLISH__GRACE"] = "1s",
        ["MILLRACE__SHUTDOWN__DEADLINE"] = "5s",
    };

    [Fact(Timeout = 120_000)]
    public async Task They_are_skipped_and_closed_and_nobody_else_notices()
    {
        await using var server = await MillraceServer.StartAsync("", Settings);
        await using var good = Ffmpeg.Digest(server.Rtmp("live/clock"));
        await Ports.ConnectedAsync(server.RtmpPort, 1, TimeSpan.FromSeconds(10));
        await using var publisher = Ffmpeg.PublishClock(server.Rtmp("live/clock"));
        await server.LiveAsync("default/live/clock");
        var stalled = new List<HostileClient>();
        for (var i = 0; i < Viewers; i++)
        {
            var isRtmp = i % 2 == 0;
            var client = await HostileClient.ConnectAsync(isRtmp ? server.RtmpPort : server.HttpPort, receiveBuffer: 2_048);
            await client.SendAsync(isRtmp
                ? HostileBytes.Connected(bytes => bytes.Call("createStream", 2).Call("play", 3, 1, "clock", -1000.0))
                : HostileBytes.Http("GET /live/clock.flv HTTP/1.1\r\nHost: h\r\n\r\n"));
            stalled.Add(client);
        }

        foreach (var client in stalled)
        {
            await client.EndsAsync(server, "the peer took no byte for 4 s", "a stalled viewer");
            Skips().Match(client.ClosingLines(server).Single()).Groups[1].Value.ShouldNotBe("0", "skips");
        }

        publisher.Terminate();
        await ShouldBeUnbrokenAsync(good);
        server.Process.Terminate();
        (await server.Process.ExitAsync(TimeSpan.FromSeconds(8))).ShouldBe(0, server.Process.Tail());
        stalled.ForEach(client => client.Dispose());
    }

    /// <summary>Each picture is one frame's time behind the last: nothing is missing, and nothing came twice.</summary>
    private static async Task ShouldBeUnbrokenAsync(ChildProcess player)
    {
        var frames = (await FrameDigest.CollectAsync(player, TimeSpan.FromSeconds(20))).VideoFrames;
        frames.Count.ShouldBeGreaterThan(100);
        for (var i = 1; i < frames.Count; i++)
        {
            var step = frames[i].Seconds - frames[i - 1].Seconds;
            step.ShouldBe(1 / 30.0, 0.002, string.Create(CultureInfo.InvariantCulture, $"picture {i} of {frames.Count}"));
        }
    }

    [GeneratedRegex(@"(\d+) skips")]
    private static partial Regex Skips();
}
