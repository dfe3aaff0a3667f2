using System.Net;
using Millrace.Node.Tests.Harness;

namespace Millrace.Node.Tests.Relay;

/// <summary>A node that is well, but whose own origin is not to be reached: who has another node to ask does not wait with it.</summary>
public sealed class WaitingOriginTests
{
    [Theory]
    [InlineData("/live/x.flv")]
    [InlineData("/live/x/llhls.m3u8")]
    public async Task A_first_viewer_is_served_by_way_of_the_next_origin(string path)
    {
        await using var top = await TestNode.StartAsync();
        await using var cutOff = await RelayNodes.StartAsync("cut-off", [RelayNodes.OriginAt(TestPorts.Free())], null);
        await using var middle = await RelayNodes.StartAsync("middle", top);
        await using var edge = await RelayNodes.StartAsync("edge", cutOff, middle);
        using var source = new NumberedSource(await top.PublishAsync());

        using var answer = await edge.Page.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        edge.Node.Context.Upstreams.All.ShouldHaveSingleItem().Above[0].ShouldBe("middle");
    }

    [Fact]
    public async Task Viewers_stay_when_their_origin_goes_and_the_next_one_waits()
    {
        await using var top = await TestNode.StartAsync();
        var first = await RelayNodes.StartAsync("first", top);
        await using var cutOff = await RelayNodes.StartAsync("cut-off", [RelayNodes.OriginAt(TestPorts.Free())], null);
        await using var last = await RelayNodes.StartAsync("last", top);
        await using var edge = await RelayNodes.StartAsync("edge", first, cutOff, last);
        using var source = new NumberedSource(await top.PublishAsync());
        var player = edge.Play();
        await Wait.Until(() => player.MediaCount > 50, "media");

        await first.DisposeAsync();

        var before = player.MediaCount;
        await Wait.Until(() => player.MediaCount > before + 200, "media by way of the last origin");
        NumberedSource.ShouldMissNothing(player);
    }

    [Fact]
    public async Task The_only_origin_is_waited_for()
    {
        var port = TestPorts.Free();
        await using var middle = await RelayNodes.StartAsync("middle", [RelayNodes.OriginAt(port)], null);
        await using var edge = await RelayNodes.StartAsync("edge", middle);
        var answer = edge.Page.GetAsync("/live/x.flv", HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        await Wait.Until(() => middle.Node.Context.Upstreams.Count == 1, "the middle one is asked");

        await using var late = await RelayNodes.StartAsync("late", port, []);
        using var source = new NumberedSource(await late.PublishAsync());

        using var response = await answer;
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
    }
}
