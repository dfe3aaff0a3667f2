using Millrace.EndToEnd.Harness;
using Millrace.EndToEnd.Hls;
using Millrace.Node.Tests.Harness;

namespace Millrace.EndToEnd.Cluster;

/// <summary>The origin that an edge's publisher is sent to is killed: he stays, and the next origin has all that a player of its own needs.</summary>
public sealed class PublisherFailoverTests
{
    private static readonly string Clip = Path.Combine(Repository.TestMedia, "bbb-360p.flv");

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(40);

    [Fact(Timeout = 120_000)]
    public async Task The_next_origin_has_headers_and_the_group_of_pictures_that_was_cut()
    {
        await using var first = await MillraceServer.StartAsync();
        await using var second = await MillraceServer.StartAsync();
        await using var edge = await EdgeAsync(first, second);
        using var publisher = await Publishers.RtmpAsync(edge, "x");
        using var source = new NumberedSource(publisher);
        await first.LiveAsync("default/live/x");
        using var before = await Viewers.RtmpAsync(first, "x");
        using var after = await Viewers.RtmpAsync(second, "x");
        await before.HasMediaAsync(50, Soon);

        first.Process.Kill();
        await after.HasMediaAsync(100, Soon);

        publisher.HasEnded.ShouldBeFalse();
        var media = after.Media.Where(static tag => tag.Type == Media.Flv.FlvTagType.Video).ToList();
        media[0].IsSequenceHeader.ShouldBeTrue();
        media[1].IsVideoKey.ShouldBeTrue();
        var numbers = NumberedSource.NumbersOf(after);
        numbers.ShouldBe([.. Enumerable.Range(numbers[0], numbers.Count)], "no picture is missing");
        numbers[0].ShouldBeLessThanOrEqualTo(NumberedSource.NumbersOf(before)[^1] + 1, "none is missing that the first origin has not shown");
    }

    [Fact(Timeout = 120_000)]
    public async Task Players_of_the_next_origin_decode_from_its_first_picture_on_without_an_error()
    {
        var expected = await FrameDigest.OfFileAsync(Clip);
        await using var first = await MillraceServer.StartAsync();
        await using var second = await MillraceServer.StartAsync("publish:\n  grace: 1s\nhls:\n  segment: 2s\n  part: 300ms");
        await using var edge = await EdgeAsync(first, second, "publish:\n  grace: 1s");
        await using var rtmp = Ffmpeg.Digest(second.Rtmp("live/bbb"));
        await using var flv = Ffmpeg.Digest(second.Http("live/bbb.flv?wait=30s"));
        await Ports.ConnectedAsync(second.RtmpPort, 1, Soon);
        await Ports.ConnectedAsync(second.HttpPort, 1, Soon);
        await using var publisher = Ffmpeg.PublishFile(Clip, edge.Rtmp("live/bbb"));
        await first.LiveAsync("default/live/bbb");
        using var control = await Viewers.RtmpAsync(first, "bbb");
        await control.HasMediaAsync(20, Soon);

        first.Process.Kill();
        using var client = new HlsClient(second, "live/bbb");
        await client.UntilAsync(client.TsUrl, static playlist => playlist.Segments.Count > 0, Soon);
        await using var ts = Ffmpeg.Digest(client.TsUrl);
        (await publisher.ExitAsync(Soon)).ShouldBe(0, publisher.Tail());

        foreach (var player in (ChildProcess[])[rtmp, flv, ts])
        {
            var seen = await FrameDigest.CollectAsync(player, Soon);
            seen.ShouldBeStretchOf(expected, minimumPictures: 100);
            seen.VideoFrames[^1].Md5.ShouldBe(expected.VideoFrames[^1].Md5, "up to the end");
            player.Lines().Skip(1).Where(static line => line.StartsWith('[')).ShouldBeEmpty("ffmpeg has nothing to say against it");
        }
    }

    private static Task<MillraceServer> EdgeAsync(MillraceServer first, MillraceServer second, string more = "") => MillraceServer.StartAsync($"""
        vhosts:
          - name: default
            mode: remote
            origin: ["{first.Relay}", "{second.Relay}"]
        {more}
        """);
}
