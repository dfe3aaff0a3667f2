using Millrace.Media.Flv;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;
using Millrace.Streams;
using Millrace.Streams.Buffers;

namespace Millrace.Node.Tests.Rtmp;

public sealed class RtmpNodeTests
{
    [Fact]
    public async Task A_player_waits_until_its_stream_is_live_and_then_starts_with_the_first_unit()
    {
        await using var node = await TestNode.StartAsync();
        var player = node.Play();
        await Wait.Until(() => node.Log.Containing("player").Count == 1, "the player waits");
        player.IsReady.ShouldBeFalse();

        var publisher = await node.PublishAsync();
        publisher.SendClip();
        await Wait.Until(() => player.Media.Count(IsFrame) >= 40, "the clip at the player");

        player.IsReady.ShouldBeTrue();
        var frames = player.Media.Where(IsFrame).Take(40).ToList();
        frames.Select(tag => Convert.ToHexString(tag.Body)).ShouldBe(TestClip.Media.Take(40).Select(tag => Convert.ToHexString(tag.Body)), ignoreOrder: true);
        frames.First(tag => tag.Type == FlvTagType.Video).IsVideoKey.ShouldBeTrue();
    }

    [Fact]
    public async Task A_stream_that_does_not_come_is_not_found()
    {
        await using var node = await TestNode.StartAsync(settings => settings with { Player = new PlayerSettings { Wait = TimeSpan.FromMilliseconds(100) } });
        var player = node.Play();

        await Wait.Until(() => player.HasEnded, "the player is told and let go");

        player.Statuses.ShouldBe(["NetStream.Play.StreamNotFound"]);
        await Wait.Until(() => node.Log.Containing("closed: the stream did not come in time").Count == 1, "the line in the log");
    }

    [Fact]
    public async Task A_player_that_may_not_wait_is_refused_at_once()
    {
        await using var node = await TestNode.StartAsync(settings => settings with { Player = new PlayerSettings { Wait = TimeSpan.Zero } });
        var player = node.Play();

        await Wait.Until(() => player.HasEnded, "the player is told and let go");

        player.Statuses.ShouldBe(["NetStream.Play.StreamNotFound"]);
    }

    [Fact]
    public async Task A_second_publisher_of_a_live_name_is_refused_and_the_first_goes_on()
    {
        await using var node = await TestNode.StartAsync();
        var first = await node.PublishAsync();
        first.SendClip();

        var second = await node.PublishAsync();
        await Wait.Until(() => second.HasEnded, "the second is let go");

        second.Statuses.ShouldBe(["NetStream.Publish.BadName"]);
        first.HasEnded.ShouldBeFalse();
        await Wait.Until(() => node.Log.Containing("publish refused: the stream is already being published").Count == 1, "the line in the log");
    }

    [Fact]
    public async Task Where_takeover_is_allowed_the_newcomers_first_key_frame_ends_the_holder()
    {
        await using var node = await TestNode.StartAsync(settings => settings with { Publish = new PublishSettings { Duplicate = DuplicatePolicy.Takeover } });
        var first = await node.PublishAsync();
        first.SendClip();
        var player = node.Play();
        await Wait.Until(() => player.MediaCount > 20, "the first publisher's media");

        var second = await node.PublishAsync();
        second.IsReady.ShouldBeTrue();
        first.HasEnded.ShouldBeFalse();
        second.SendClip();

        await Wait.Until(() => first.HasEnded, "the first publisher is let go");
        await Wait.Until(() => player.Media.Count(tag => tag.IsVideoKey) >= 2, "the second publisher's key frame");
        ShouldRise(player);
        await Wait.Until(() => node.Log.Containing("another publisher took the stream over").Count == 1, "the line in the log");
    }

    [Fact]
    public async Task A_wrong_token_is_refused_with_a_status_before_any_media_is_taken()
    {
        await using var node = await TestNode.StartAsync(settings => settings with { Publish = new PublishSettings { Token = new Secret("geheim") } });

        foreach (var name in (string[])["x", "x?token=falsch", "x?token="])
        {
            var peer = await node.PublishAsync(name: name);
            await Wait.Until(() => peer.HasEnded, "the publisher is let go");
            peer.Statuses.ShouldBe(["NetStream.Publish.Denied"]);
        }

        node.Node.Context.Registry.Count.ShouldBe(0);
        (await node.PublishAsync(name: "x?token=geheim")).IsReady.ShouldBeTrue();
        node.Log.All.ShouldAllBe(line => !line.Contains("geheim") && !line.Contains("falsch"));
    }

    [Fact]
    public async Task A_key_is_no_part_of_the_name_and_shows_nowhere()
    {
        await using var node = await TestNode.StartAsync();
        var publisher = await node.PublishAsync("live/ID", "KEY-1234");
        publisher.SendClip();
        var player = node.Play("live", "ID");
        await Wait.Until(() => player.MediaCount > 0, "media of live/ID");

        foreach (var path in (string[])["/v1/streams", "/v1/sessions", "/metrics"])
            (await node.Api.GetStringAsync(path)).ShouldNotContain("KEY-1234");
        (await node.Page.GetStringAsync("/~/streams")).ShouldNotContain("KEY-1234");
        publisher.Dispose();
        await Wait.Until(() => node.Log.Containing("publisher").Count >= 2, "the closing line");
        node.Log.All.ShouldAllBe(line => !line.Contains("KEY-1234"));
    }

    [Fact]
    public async Task A_paused_player_gets_nothing_and_goes_on_at_a_key_frame()
    {
        await using var node = await TestNode.StartAsync();
        var publisher = await node.PublishAsync();
        publisher.SendClip();
        var player = node.Play();
        await Wait.Until(() => player.MediaCount > 10, "media");

        player.SendCommand("pause", amf => { amf.Boolean(true); amf.Number(0); });
        await Wait.Until(() => player.Statuses.Contains("NetStream.Pause.Notify"), "the pause");
        var paused = player.MediaCount;
        SendMore(publisher);
        await Wait.Until(() => UnitsOf(node) > 200, "media while paused");
        player.MediaCount.ShouldBe(paused);

        player.SendCommand("pause", amf => { amf.Boolean(false); amf.Number(0); });
        await Wait.Until(() => player.Media.Skip(paused).Any(IsFrame), "media after the pause");
        player.Statuses.ShouldContain("NetStream.Unpause.Notify");
        player.Media.Skip(paused).First(tag => IsFrame(tag) && tag.Type == FlvTagType.Video).IsVideoKey.ShouldBeTrue();
    }

    [Fact]
    public async Task A_paused_player_that_goes_as_it_asks_for_more_leaves_no_subscription_behind()
    {
        await using var node = await TestNode.StartAsync();
        var publisher = await node.PublishAsync();
        publisher.SendClip();
        for (var i = 0; i < 20; i++)
        {
            var player = node.Play();
            await Wait.Until(() => player.MediaCount > 0, "media");
            player.SendCommand("pause", amf => { amf.Boolean(true); amf.Number(0); });
            await Wait.Until(() => player.Statuses.Contains("NetStream.Pause.Notify"), "the pause");

            // The server reads the second command, and finds out by its answer to the first that nobody is there.
            player.SendCommandsAndReset(2, "pause", amf => { amf.Boolean(false); amf.Number(0); });
        }

        await Wait.Until(() => node.Log.Containing("closed").Count >= 20, "the players have gone");
        await Wait.Until(() => node.Node.Shards.All(static shard => shard.Subscriptions.All.Count == 0), "nobody is subscribed");
        node.Node.Context.Registry.Resources.Budget[MemoryUse.Spills].Used.ShouldBe(0);
    }

    [Fact]
    public async Task A_player_that_wants_no_video_gets_audio_only()
    {
        await using var node = await TestNode.StartAsync();
        var publisher = await node.PublishAsync();
        publisher.SendClip();
        var player = node.Play();
        await Wait.Until(() => player.Media.Any(tag => tag.IsVideoKey), "video");

        player.SendCommand("receiveVideo", amf => amf.Boolean(false));
        player.SendCommand("seek", amf => amf.Number(0));
        await Wait.Until(() => player.Statuses.Contains("NetStream.Seek.Notify"), "an answer behind the command");
        var before = player.MediaCount;
        SendMore(publisher);
        await Wait.Until(() => player.Media.Skip(before).Count(IsFrame) > 5, "media after the command");

        player.Media.Skip(before).ShouldAllBe(tag => tag.Type != FlvTagType.Video);
    }

    [Fact]
    public async Task An_unpublish_is_told_behind_the_last_frame()
    {
        await using var node = await TestNode.StartAsync(settings => settings with { Merge = new MergeSettings { Default = TimeSpan.FromMilliseconds(200) } });
        var publisher = await node.PublishAsync();
        publisher.SendClip();
        var player = node.Play();
        await Wait.Until(() => player.IsReady, "the player plays");
        SendMore(publisher);
        publisher.Unpublish();

        await Wait.Until(() => player.Statuses.Contains("NetStream.Play.UnpublishNotify"), "the unpublish at the player");

        player.Media.Where(IsFrame).Max(tag => tag.Time).ShouldBeGreaterThan(3_000u);
        player.HasEnded.ShouldBeFalse();
    }

    [Fact]
    public async Task Players_stay_when_the_publisher_comes_back_within_the_grace_and_their_time_goes_on()
    {
        await using var node = await TestNode.StartAsync();
        var publisher = await node.PublishAsync();
        publisher.SendClip();
        var player = node.Play();
        await Wait.Until(() => player.Media.Count(IsFrame) >= 30, "the first publisher's media");
        publisher.Dispose();
        await Wait.Until(() => node.Log.Containing("publisher").Count >= 2, "the first publisher has gone");
        var before = player.MediaCount;

        (await node.PublishAsync()).SendClip();

        await Wait.Until(() => player.Media.Skip(before).Count(IsFrame) >= 30, "the second publisher's media");
        player.HasEnded.ShouldBeFalse();
        player.Media.Skip(before).Count(tag => tag.IsSequenceHeader).ShouldBeGreaterThanOrEqualTo(2);
        ShouldRise(player);
    }

    [Fact]
    public async Task Players_are_let_go_when_the_grace_is_over()
    {
        await using var node = await TestNode.StartAsync(settings => settings with { Publish = new PublishSettings { Grace = TimeSpan.Zero } });
        var publisher = await node.PublishAsync();
        publisher.SendClip();
        var player = node.Play();
        await Wait.Until(() => player.MediaCount > 10, "media");
        publisher.Dispose();

        await Wait.Until(() => player.HasEnded, "the end");

        player.Statuses.ShouldContain("NetStream.Play.Stop");
        await Wait.Until(() => node.Log.Containing("closed: the stream has ended").Count == 1, "the line in the log");
    }

    [Fact]
    public async Task A_player_that_came_within_the_grace_waits_beyond_it_for_the_next_publisher()
    {
        await using var node = await TestNode.StartAsync(settings => settings with
        {
            Shards = new ShardSettings { Count = 1 },
            Publish = new PublishSettings { Grace = TimeSpan.FromMilliseconds(300) },
        });
        var publisher = await node.PublishAsync();
        publisher.SendClip();
        var watcher = node.Play();
        await Wait.Until(() => watcher.MediaCount > 10, "media");
        publisher.Dispose();
        await Wait.Until(() => node.Log.Containing("publisher").Count >= 2, "the publisher has gone");
        var late = node.Play();
        await Wait.Until(() => watcher.HasEnded, "the grace is over");

        (await node.PublishAsync()).SendClip();

        await Wait.Until(() => late.Media.Count(IsFrame) > 10, "media of the next publisher");
    }

    [Fact]
    public async Task A_silent_publisher_is_let_go()
    {
        await using var node = await TestNode.StartAsync(settings => settings with { Publish = new PublishSettings { IdleTimeout = TimeSpan.FromMilliseconds(200) } });
        var publisher = await node.PublishAsync();

        await Wait.Until(() => publisher.HasEnded, "the publisher is let go");

        await Wait.Until(() => node.Log.Containing("closed: no media for").Count == 1, "the line in the log");
    }

    [Fact]
    public async Task Every_session_has_one_opening_and_one_closing_line()
    {
        await using var node = await TestNode.StartAsync();
        var publisher = await node.PublishAsync();
        publisher.SendClip();
        var player = node.Play();
        await Wait.Until(() => player.MediaCount > 0, "media");
        player.Dispose();
        publisher.Unpublish();
        publisher.Dispose();

        await Wait.Until(() => node.Log.Containing(" closed: ").Count == 2, "two closing lines");
        node.Log.Containing(" opened: ").Count.ShouldBe(2);
        node.Node.Context.Sessions.Count.ShouldBe(0);
    }

    private static bool IsFrame(ClipTag tag) => tag.Type != FlvTagType.Script && !tag.IsSequenceHeader;

    /// <summary>What follows the first 40 tags of the clip, up to behind its second key frame at 3,080 ms.</summary>
    private static void SendMore(RtmpPeer publisher)
    {
        foreach (var tag in TestClip.Media.Skip(40).Take(220))
            publisher.SendMedia(tag);
    }

    private static long UnitsOf(TestNode node) =>
        node.Node.Context.Registry.Streams.Single().Timeline.Era!.Tracks.Sum(track => track.Stats.Units);

    private static void ShouldRise(RtmpPeer player)
    {
        foreach (var type in (FlvTagType[])[FlvTagType.Audio, FlvTagType.Video])
        {
            var times = player.Media.Where(tag => tag.Type == type && IsFrame(tag)).Select(tag => tag.Time).ToList();
            times.Zip(times.Skip(1), (earlier, later) => later >= earlier).ShouldAllBe(rises => rises);
        }
    }
}
