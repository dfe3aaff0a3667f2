using Millrace.EndToEnd.Harness;
using Millrace.Node.Tests.Harness;

namespace Millrace.EndToEnd.Cluster;

/// <summary>
/// Two origins, each with a publisher of its own of the same name, who send the same pictures at the same times: going on from one to the other is a
/// new Era, and what a viewer missed stands in the numbers of the pictures.
/// </summary>
public sealed class OtherTimelineTests
{
    private const double GroupSeconds = NumberedSource.Group * NumberedSource.FrameMillis / 1e3;

    /// <summary>All that the death of a node may cost besides: its connections end with it.</summary>
    private const double KilledSeconds = 1;

    /// <summary>relay.timeout: as long as nothing may come of a node that is alive.</summary>
    private const double TimeoutSeconds = 0.6;

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Theory(Timeout = 120_000)]
    [InlineData("killed")]
    [InlineData("frozen")]
    [InlineData("cut off")]
    public async Task Viewers_stay_and_miss_no_more_than_it_takes_to_notice_and_a_group_of_pictures(string fault)
    {
        await using var first = await MillraceServer.StartAsync();
        await using var second = await MillraceServer.StartAsync();
        await using var line = new RelayLine(first.RelayPort);
        await using var edge = await MillraceServer.StartAsync($"""
            hls:
              segment: 2s
              part: 200ms
            vhosts:
              - name: default
                mode: remote
                origin: ["{line.Address}", "{second.Relay}"]
            """);
        using var publisher = await Publishers.RtmpAsync(first, "x");
        using var another = await Publishers.RtmpAsync(second, "x");
        using var source = new NumberedSource(publisher, another);
        await first.LiveAsync("default/live/x");
        await second.LiveAsync("default/live/x");
        using var crowd = new Crowd();
        await crowd.FillAsync(edge, LongRun.IsAsked ? 200 : 20);
        await using var hls = new HlsCrowd(edge, LongRun.IsAsked ? 50 : 4);
        await crowd.HasMediaAsync(100);
        await hls.HasPartsAsync(3);
        // What a connection to the other costs here and now: from a viewer's first byte to his first picture, there.
        var before = source.Sent;
        using var control = await Viewers.RtmpAsync(second, "x");
        await control.HasMediaAsync(2, Soon);
        var connectSeconds = (source.Sent - before + 1) * NumberedSource.FrameMillis / 1e3;

        var sent = source.Sent;
        if (fault == "killed")
            first.Process.Kill();
        else if (fault == "frozen")
            first.Process.Freeze();
        else
            line.Freeze();
        await edge.ContainsAsync("default/live/x", "\"switches\":1");
        await crowd.HasMediaAsync(crowd.Rtmp.Max(static viewer => viewer.MediaCount) + 200);
        await hls.HasPartsAsync(6);
        first.Process.Thaw();

        crowd.ShouldAllBeThere();
        foreach (var viewer in crowd.Rtmp)
            viewer.ShouldHaveMonotonicTimes();
        foreach (var viewer in crowd.Flv)
            viewer.ShouldHaveMonotonicTimes();
        foreach (var viewer in hls.Followers)
            viewer.ShouldHaveMonotonicTimes();
        var missed = crowd.Numbers().Concat(hls.Numbers()).Select(numbers => ShouldGoOnOnce(numbers, from: sent - NumberedSource.Group)).ToList();
        var most = missed.Max() * NumberedSource.FrameMillis / 1e3;
        TestContext.Current.TestOutputHelper?.WriteLine($"missed: {missed.Min()} to {missed.Max()} pictures, {most:0.00} s; a connection took {connectSeconds:0.00} s");
        most.ShouldBeLessThanOrEqualTo((fault == "killed" ? KilledSeconds : TimeoutSeconds + connectSeconds) + GroupSeconds);
    }

    /// <summary>Pictures are missing, or come again, at one place, behind which there is a key frame. Returns how many are missing.</summary>
    private static int ShouldGoOnOnce(List<int> numbers, int from)
    {
        var seams = Enumerable.Range(1, numbers.Count - 1).Where(i => numbers[i] != numbers[i - 1] + 1).ToList();
        var seam = seams.ShouldHaveSingleItem();
        numbers[seam - 1].ShouldBeGreaterThan(from);
        (numbers[seam] % NumberedSource.Group).ShouldBe(0, "a new Era begins with a key frame");
        return numbers[seam] - numbers[seam - 1] - 1;
    }
}
