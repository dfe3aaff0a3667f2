using Millrace.Protocols.Rtmp;

namespace Millrace.Protocols.Tests.Rtmp;

/// <summary>Recorded clients (tests/Media/rtmp/README.md) against a server session, cut everywhere.</summary>
public sealed class RtmpDialectTests
{
    [Theory]
    [InlineData("ffmpeg-publish.bin", "live", "Publish cam?token=abc live on 1")]
    [InlineData("gst-rtmp2sink.bin", "live", "Publish gst live on 1")]
    [InlineData("gst-rtmpsink-librtmp.bin", "live", "Publish gst live on 1")]
    [InlineData("obs-publish.bin", "live", "Publish obs live on 1")]
    [InlineData("nginx-push.bin", "live", "Publish relayed live on 1")]
    public void A_publisher_is_recognized_and_its_media_arrives(string file, string app, string request)
    {
        var feed = Run(file, int.MaxValue, out var session);

        session.CloseReason.ShouldBeNull();
        feed.Events[0].ShouldStartWith($"Connected {app} rtmp://127.0.0.1:");
        feed.Events.ShouldContain(request);
        feed.Raw.ShouldContain(e => e.MessageType == RtmpMessageType.DataAmf0);
        var video = feed.Raw.First(e => e.MessageType == RtmpMessageType.Video);
        video.MessageStreamId.ShouldBe(1u);
        video.Timestamp.ShouldBeLessThan(1000u);
    }

    [Theory]
    [InlineData("ffprobe-play.bin", -2000)]
    [InlineData("rtmpdump-play.bin", null)]
    [InlineData("rtmpdump-live.bin", -1000)]
    [InlineData("gst-rtmp2src.bin", null)]
    [InlineData("gst-rtmpsrc-librtmp.bin", null)]
    [InlineData("nginx-pull.bin", null)]
    public void A_player_is_recognized(string file, int? start)
    {
        var feed = Run(file, int.MaxValue, out var session);

        session.CloseReason.ShouldBeNull();
        var play = feed.Raw.Single(e => e.Kind == RtmpEventKind.PlayRequested);
        play.Play!.Name.ShouldBe("src");
        play.MessageStreamId.ShouldBe(1u);
        if (start is not null)
        {
            play.Play.Start.ShouldBe(start.Value);
        }
    }

    [Theory]
    [InlineData("ffmpeg-publish.bin")]
    [InlineData("gst-rtmp2sink.bin")]
    [InlineData("gst-rtmpsink-librtmp.bin")]
    [InlineData("obs-publish.bin")]
    [InlineData("nginx-push.bin")]
    [InlineData("ffprobe-play.bin")]
    [InlineData("rtmpdump-live.bin")]
    [InlineData("nginx-pull.bin")]
    public void The_same_events_come_out_however_the_bytes_are_cut(string file)
    {
        var whole = Run(file, int.MaxValue, out _).Events;

        foreach (var step in new[] { 1, 2, 3, 7, 127, 128, 129, 1536, 1537, 3073 })
        {
            Run(file, step, out _).Events.ShouldBe(whole, $"step {step}");
        }
    }

    [Theory]
    [InlineData("ffmpeg-publish.bin")]
    [InlineData("gst-rtmpsink-librtmp.bin")]
    [InlineData("obs-publish.bin")]
    [InlineData("rtmpdump-play.bin")]
    public void Every_truncation_gives_a_prefix_of_the_events_and_no_error(string file)
    {
        var bytes = RtmpFeed.Capture(file);
        var whole = Run(file, int.MaxValue, out _).Events;

        for (var cut = 3074; cut < bytes.Length; cut++)
        {
            using var session = new RtmpServerSession(RtmpOptions.Default, 0);
            var feed = new RtmpFeed(session);
            feed.Push(bytes.AsSpan(0, cut));
            session.CloseReason.ShouldBeNull();
            feed.Events.ShouldBe(whole.Take(feed.Events.Count));
        }
    }

    [Fact]
    public void Obs_from_its_first_command_to_its_last()
    {
        // SetChunkSize before connect, and _checkbw as the answer to our onBWDone.
        Replies.Messages(RtmpFeed.Capture("obs-publish.bin"))[0].Type.ShouldBe(RtmpMessageType.SetChunkSize);
        Replies.Commands(RtmpFeed.Capture("obs-publish.bin")).ShouldBe([
            "connect 1", "releaseStream 2", "FCPublish 3", "createStream 4", "_checkbw 5", "publish 6", "FCUnpublish 7", "deleteStream 8 1"]);

        var feed = Run("obs-publish.bin", 1, out var session);

        session.CloseReason.ShouldBeNull();
        feed.Raw.Where(e => e.Kind != RtmpEventKind.Media).Select(e => e.Kind).ShouldBe([
            RtmpEventKind.Connected, RtmpEventKind.PublishRequested, RtmpEventKind.PublishEnded]);
        feed.Raw[^1].Kind.ShouldBe(RtmpEventKind.PublishEnded);
        var media = feed.Raw.Where(e => e.Kind == RtmpEventKind.Media).ToList();
        media.ShouldAllBe(e => e.MessageStreamId == 1);
        media.Take(4).Select(e => (e.MessageType, e.Timestamp)).ShouldBe([
            (RtmpMessageType.DataAmf0, 0u), (RtmpMessageType.Audio, 0u), (RtmpMessageType.Video, 0u), (RtmpMessageType.Video, 0u)]);
        Replies.Commands(feed.Reply.WrittenSpan.ToArray()).ShouldBe([
            "_result 1 NetConnection.Connect.Success", "onBWDone 0", "_result 2", "_result 3", "_result 4 1", "_result 5",
            "onFCPublish 0 NetStream.Publish.Start", "onStatus 0 NetStream.Publish.Start",
            "onFCUnpublish 0 NetStream.Unpublish.Success", "_result 7", "onStatus 0 NetStream.Unpublish.Success"]);
    }

    private static RtmpFeed Run(string file, int step, out RtmpServerSession session)
    {
        session = new RtmpServerSession(RtmpOptions.Default, 0);
        var feed = new RtmpFeed(session);
        feed.Push(RtmpFeed.Capture(file), step);
        return feed;
    }
}
