using Millrace.Media.Flv;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;
using Millrace.Streams;

namespace Millrace.Node.Tests.Relay;

/// <summary>What is published at an edge is sent to the origin; what is made of it there, under another name, is fetched like any stream.</summary>
public sealed class PulledBackTests
{
    private const int LowFrameMillis = 2 * NumberedSource.FrameMillis;

    private static readonly StreamName High = new("default", "live", "a");

    private static readonly StreamName Low = new("default", "live", "a_low");

    [Fact]
    public async Task What_the_origin_makes_of_a_pushed_stream_comes_back_by_one_link_and_the_stream_itself_does_not()
    {
        await using var origin = await RelayNodes.StartAsync("origin", [], Patient);
        await using var edge = await RelayNodes.StartAsync("edge", [RelayNodes.OriginOf(origin)], Patient);
        using var source = new NumberedSource(await edge.PublishAsync(name: "a"));
        var input = origin.Play(name: "a");
        await Wait.Until(() => input.MediaCount > 30, "what is to be made smaller is at the origin");
        // As a transcoder there publishes: its pictures are told by their duration.
        using var low = new NumberedSource(LowFrameMillis, [await origin.PublishAsync(name: "a_low")]);
        await Wait.Until(() => origin.Node.Context.Registry.Find(Low) is { State: StreamState.Live }, "what is made of it");

        var own = Enumerable.Range(0, 4).Select(_ => edge.Play(name: "a")).ToList();
        var back = Enumerable.Range(0, 4).Select(_ => edge.Play(name: "a_low")).ToList();
        await Wait.Until(() => own.Concat(back).All(static player => player.MediaCount > 60), "media for all of them");

        foreach (var player in own)
            ShouldBeOf(player, NumberedSource.FrameMillis);
        foreach (var player in back)
            ShouldBeOf(player, LowFrameMillis);
        ShouldBeOf(input, NumberedSource.FrameMillis);
        edge.Node.Context.Pushers.All.ShouldHaveSingleItem().Name.ShouldBe(High);
        edge.Node.Context.Upstreams.All.ShouldHaveSingleItem().Name.ShouldBe(Low);
        LinksOf(origin, High).ShouldHaveSingleItem("the one by which it came");
        LinksOf(origin, Low).ShouldHaveSingleItem();
        edge.Node.Context.Registry.Find(High)!.IsAuthority.ShouldBeTrue();
        edge.Node.Context.Registry.Find(Low)!.IsAuthority.ShouldBeFalse();
    }

    /// <summary>Links are counted: none is to be made again because the machine is busy.</summary>
    private static NodeSettings Patient(NodeSettings settings) => settings with { Relay = settings.Relay with { Timeout = TimeSpan.FromMinutes(1) } };

    /// <summary>Without a gap, and one picture's time from each to the next.</summary>
    private static void ShouldBeOf(RtmpPeer player, int frameMillis)
    {
        NumberedSource.ShouldMissNothing(player);
        var times = player.Media.Where(static tag => tag.Type == FlvTagType.Video && !tag.IsSequenceHeader).Select(static tag => (int)tag.Time).ToList();
        times.Zip(times.Skip(1), static (time, next) => next - time).Distinct().ShouldBe([frameMillis]);
    }

    /// <summary>All that there ever were, as the origin's log has them.</summary>
    private static List<string> LinksOf(TestNode origin, StreamName name) =>
        [.. origin.Log.Containing("relay relay").Where(line => line.Contains($"opened: {name} from", StringComparison.Ordinal))];
}
