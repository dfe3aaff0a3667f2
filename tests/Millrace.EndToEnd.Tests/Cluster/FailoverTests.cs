using Millrace.EndToEnd.Harness;
using Millrace.Node.Tests.Harness;

namespace Millrace.EndToEnd.Cluster;

/// <summary>
/// Two origins, one edge with the publisher, another with the viewers: whatever happens to the origin that both use, nobody is disconnected, and as
/// both origins are below one authority nobody misses a picture, nor when it comes back.
/// </summary>
public sealed class FailoverTests
{
    [Theory(Timeout = 180_000)]
    [InlineData("killed")]
    [InlineData("frozen")]
    [InlineData("cut off")]
    [InlineData("unplugged")]
    public async Task Nobody_notices_that_an_origin_has_gone(string fault)
    {
        await using var cable = fault == "unplugged" ? await NetworkNamespace.CreateAsync() : null;
        await using var first = await MillraceServer.StartAsync(network: cable);
        await using var second = await MillraceServer.StartAsync();
        await using var upLine = new RelayLine(first.RelayPort);
        await using var downLine = new RelayLine(first.RelayPort);
        await using var near = await EdgeAsync("near", cable is null ? upLine.Address : first.Relay, second.Relay);
        await using var far = await EdgeAsync("far", cable is null ? downLine.Address : first.Relay, second.Relay);
        using var publisher = await Publishers.RtmpAsync(near, "x");
        using var source = new NumberedSource(publisher);
        await first.LiveAsync("default/live/x");

        using var crowd = new Crowd();
        await crowd.FillAsync(far, LongRun.IsAsked ? 200 : 40);
        await using var hls = new HlsCrowd(far, LongRun.IsAsked ? 50 : 8);
        await crowd.HasMediaAsync(100);
        await hls.HasPartsAsync(4);

        switch (fault)
        {
            case "killed":
                first.Process.Kill();
                break;
            case "frozen":
                first.Process.Freeze();
                break;
            case "unplugged":
                await cable!.PullAsync();
                break;
            default:
                upLine.Freeze();
                downLine.Freeze();
                break;
        }

        await second.LiveAsync("default/live/x");
        await far.ContainsAsync("default/live/x", "\"switches\":1");
        (await near.ApiAsync("/v1/cluster")).ShouldContain("\"switches\":1", customMessage: "what is published goes on by another connection too");
        await crowd.HasMediaAsync(crowd.Rtmp.Max(static viewer => viewer.MediaCount) + 200);
        await hls.HasPartsAsync(7);
        first.Process.Thaw();
        upLine.Restore();
        downLine.Restore();
        await (cable?.PlugAsync() ?? Task.CompletedTask);
        if (fault == "killed")
            await first.RestartAsync();
        await far.ContainsAsync("default/live/x", "\"switches\":2");
        await first.LiveAsync("default/live/x");
        await crowd.HasMediaAsync(crowd.Rtmp.Max(static viewer => viewer.MediaCount) + 100);
        await hls.HasPartsAsync(4);

        publisher.HasEnded.ShouldBeFalse();
        crowd.ShouldAllBeThere();
        foreach (var numbers in crowd.Numbers().Concat(hls.Numbers()))
            numbers.ShouldBe([.. Enumerable.Range(numbers[0], numbers.Count)], "no picture is missing");
    }

    private static Task<MillraceServer> EdgeAsync(string id, params string[] origins) => MillraceServer.StartAsync($"""
        cluster:
          node: {id}
        edge:
          failback: 4s
        hls:
          segment: 2s
          part: 200ms
        vhosts:
          - name: default
            mode: remote
            origin: [{string.Join(", ", origins.Select(static origin => $"\"{origin}\""))}]
        """);
}
