using System.Buffers;
using Millrace.Protocols.Relay;

namespace Millrace.Protocols.Tests.Relay;

/// <summary>Heartbeats, silence and clocks, in virtual time.</summary>
public sealed class RelayPulseTests
{
    private const long Milli = 1_000;
    private const long Second = 1_000_000;

    [Fact]
    public void A_heartbeat_goes_out_200_ms_after_the_last_byte_of_this_side()
    {
        using var link = Measured();
        var from = link.Now;
        link.Client.Sent[^1].At.ShouldBe(from);
        link.Run(150 * Milli);
        link.Client.SendMedia(RelayMessageType.None, [], link.Now);
        link.Run(449 * Milli);

        link.Client.Sent.Where(sent => sent.At > from).Select(sent => (sent.At - from, sent.Type)).ShouldBe([
            (150 * Milli, RelayMessageType.None), (350 * Milli, RelayMessageType.Heartbeat), (550 * Milli, RelayMessageType.Heartbeat)]);
    }

    [Fact]
    public void Whatever_the_session_writes_puts_its_next_heartbeat_off()
    {
        using var link = Measured();
        var (session, from) = (link.Client.Session, link.Now);
        session.NextDeadline.ShouldBe(from + 200 * Milli);
        session.OnDeadline(from + 100 * Milli, link.Client.Output);
        session.Fetch(link.Client.Output, 1, "a");
        session.NextDeadline.ShouldBe(from + 300 * Milli);
        session.OnDeadline(from + 150 * Milli, link.Client.Output);
        session.Want(link.Client.Output, 1);
        session.NextDeadline.ShouldBe(from + 350 * Milli);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_peer_that_is_silent_for_600_ms_is_dead(bool clientIsCut)
    {
        using var link = RelayLink.Granted(RelayRequestKind.Play);
        var (silent, other) = clientIsCut ? (link.Client, link.Server) : (link.Server, link.Client);
        link.Run(10 * Second);
        silent.IsCut = true;
        var last = silent.Sent[^1].At;

        link.Run(last + 600 * Milli - 1 - link.Now);
        other.Session.IsClosed.ShouldBeFalse();
        link.Run(1);

        other.Session.CloseReason.ShouldBe("the peer was silent for 600 ms");
        other.Events[^1].Kind.ShouldBe(RelayEventKind.Closed);
    }

    [Theory]
    [InlineData(RelayRequestKind.Play)]
    [InlineData(RelayRequestKind.Publish)]
    public void Both_sides_beat_while_a_request_waits_for_its_answer(object kind)
    {
        using var link = new RelayLink();
        link.Client.Delay = link.Server.Delay = 100 * Milli;
        link.Run(300 * Milli);
        link.Client.Session.Request(link.Client.Output, RelayLink.PlayRequest with { Kind = (RelayRequestKind)kind });
        link.Run(20 * Second);
        link.Server.Session.Accept(link.Server.Output, []);
        link.Run(Second);

        link.Client.Last(RelayEventKind.Accepted).Kind.ShouldBe(RelayEventKind.Accepted);
        link.Client.Count(RelayMessageType.Heartbeat).ShouldBeInRange(20, 110);
        link.Server.Count(RelayMessageType.Heartbeat).ShouldBeInRange(20, 110);
    }

    [Fact]
    public void Media_is_a_heartbeat_but_clocks_are_measured_all_the_same_16_times_at_once_and_then_each_5_s()
    {
        using var link = RelayLink.Granted(RelayRequestKind.Play);
        var from = link.Now;
        Play(link, seconds: 4);
        link.Server.Count(RelayMessageType.Heartbeat, from).ShouldBe(16);
        link.Client.Count(RelayMessageType.HeartbeatReply, from).ShouldBe(16);

        from = link.Now;
        Play(link, seconds: 10);
        link.Server.Count(RelayMessageType.Heartbeat, from).ShouldBe(2);
        link.Client.Count(RelayMessageType.HeartbeatReply, from).ShouldBe(2);
        link.Client.Session.IsClosed.ShouldBeFalse();
    }

    [Fact]
    public void Who_is_sent_media_beats_each_200_ms_but_is_answered_each_5_s()
    {
        using var link = RelayLink.Granted(RelayRequestKind.Play);
        Play(link, seconds: 5);
        var from = link.Now;
        Play(link, seconds: 10);

        link.Client.Session.IsClosed.ShouldBeFalse();
        link.Server.Session.IsClosed.ShouldBeFalse();
        link.Client.Count(RelayMessageType.Heartbeat, from).ShouldBeInRange(45, 51);
        link.Server.Count(RelayMessageType.HeartbeatReply, from).ShouldBe(2);
    }

    [Fact]
    public void Of_who_is_sent_media_nothing_but_empty_heartbeats_is_shorter_than_what_its_peer_is_woken_for()
    {
        using var link = RelayLink.Granted(RelayRequestKind.Play);
        var session = link.Client.Session;
        var output = new ArrayBufferWriter<byte>();
        session.Want(output, 1);
        output.WrittenCount.ShouldBe(RelayRules.WakeBytes);
        output.ResetWrittenCount();
        session.Fetch(output, 1, "a");
        output.WrittenCount.ShouldBe(RelayRules.WakeBytes);

        List<int> beats = [];
        for (var beat = 1; beat <= 16 + 50; beat++)
        {
            output.ResetWrittenCount();
            session.OnReceived(beat * 200 * Milli);
            session.OnDeadline(beat * 200 * Milli, output);
            beats.Add(output.WrittenCount);
        }

        beats.Take(16).ShouldAllBe(static length => length == RelayRules.WakeBytes);
        beats.Skip(16).ShouldBe([.. Enumerable.Repeat(2, 24), RelayRules.WakeBytes, .. Enumerable.Repeat(2, 24), RelayRules.WakeBytes]);
        beats.Skip(16).Take(24).Sum().ShouldBeLessThan(RelayRules.WakeBytes);

        output.ResetWrittenCount();
        var heartbeat = RelayFeed.Message(RelayMessageType.Heartbeat, new byte[8]);
        session.Receive(new ReadOnlySequence<byte>(heartbeat), output, 60 * Second, out _);
        output.WrittenCount.ShouldBe(RelayRules.WakeBytes, "the answer to the other side's");
    }

    [Fact]
    public void Silence_counts_from_when_the_last_bytes_came_if_they_were_read_later()
    {
        using var session = Playing(out var feed);
        feed.Now += 590 * Milli;
        feed.Push(RelayFeed.Message(RelayMessageType.Heartbeat, []));
        session.OnReceived(feed.Now - 400 * Milli);

        session.IsSilent(feed.Now + 200 * Milli - 1).ShouldBeFalse();
        session.IsSilent(feed.Now + 200 * Milli).ShouldBeTrue();
    }

    [Fact]
    public void Any_byte_of_a_long_message_is_a_sign_of_life()
    {
        using var session = Playing(out var feed);
        byte[] unit = RelayFeed.Message(RelayMessageType.Unit, new byte[100]);
        foreach (var value in unit)
        {
            feed.Now += 590 * Milli;
            feed.Push([value]);
            session.OnDeadline(feed.Now, feed.Reply);
        }

        session.CloseReason.ShouldBeNull();
        feed.Events[^1].ShouldStartWith("Log Unit 100");
    }

    [Fact]
    public void A_side_that_takes_16_MB_slowly_lives_on_them_and_beats_meanwhile()
    {
        using var session = Playing(out var feed);
        var unit = RelayFeed.Message(RelayMessageType.Unit, new byte[16 << 20]);
        const int step = 1 << 20;
        var began = feed.Reply.WrittenCount;
        for (var at = 0; at < unit.Length; at += step)
        {
            feed.Now += 200 * Milli;
            feed.Push(unit.AsSpan(at, Math.Min(step, unit.Length - at)));
            session.OnDeadline(feed.Now, feed.Reply);
        }

        session.CloseReason.ShouldBeNull();
        feed.Events[^1].ShouldStartWith("Log Unit 16777216");
        RelayFeed.Messages(feed.Reply.WrittenSpan[began..]).Select(m => m.Type).ShouldBe(Enumerable.Repeat(RelayMessageType.Heartbeat, 17));
    }

    [Fact]
    public void A_set_up_that_hangs_ends_after_5_s_and_says_where()
    {
        using var silent = new RelayLink();
        silent.Client.IsCut = true;
        silent.Run(5 * Second - 1);
        silent.Server.Session.IsClosed.ShouldBeFalse();
        silent.Run(1);
        silent.Server.Session.CloseReason.ShouldBe("the peer did not introduce itself in time");
        silent.Client.Session.CloseReason.ShouldBe("the peer did not introduce itself in time");

        using var unproved = new RelayLink();
        unproved.Server.IsCut = true;
        unproved.Run(5 * Second);
        unproved.Server.Session.CloseReason.ShouldBe("no proof in time");

        using var idle = new RelayLink();
        idle.Run(5 * Second);
        idle.Server.Session.CloseReason.ShouldBe("no request in time");
    }

    [Fact]
    public void Clocks_are_compared_with_an_error_of_half_the_difference_of_the_two_ways()
    {
        using var link = RelayLink.Granted(
            RelayRequestKind.Play,
            RelayLink.ClientOptions with { UnixOffsetMicros = 1_700_000_000 * Second },
            RelayLink.ServerOptions with { UnixOffsetMicros = 1_700_000_005 * Second });
        link.Client.Session.ClockOffsetMicros.ShouldBeNull();
        link.Client.Session.RoundTripMicros.ShouldBe(0);
        (link.Client.Delay, link.Server.Delay) = (10 * Milli, 30 * Milli);
        link.Run(3 * Second);

        link.Client.Session.ClockOffsetMicros.ShouldBe(5 * Second - 10 * Milli);
        link.Server.Session.ClockOffsetMicros.ShouldBe(-5 * Second + 10 * Milli);
        link.Client.Session.RoundTripMicros.ShouldBe(40 * Milli);
        link.Server.Session.RoundTripMicros.ShouldBe(40 * Milli);
    }

    [Fact]
    public void The_sample_with_the_shortest_way_counts_until_sixteen_more_have_come()
    {
        using var link = RelayLink.Granted(RelayRequestKind.Play);
        (link.Client.Delay, link.Server.Delay) = (100 * Milli, 20 * Milli);
        link.Run(Second);
        link.Client.Session.ClockOffsetMicros.ShouldBe(40 * Milli);

        link.Client.Delay = 20 * Milli;
        link.Run(400 * Milli);
        link.Client.Session.ClockOffsetMicros.ShouldBe(0);

        link.Client.Delay = 100 * Milli;
        link.Run(Second);
        (link.Client.Session.ClockOffsetMicros, link.Client.Session.RoundTripMicros).ShouldBe((0, 40 * Milli));
        link.Run(80 * Second);
        (link.Client.Session.ClockOffsetMicros, link.Client.Session.RoundTripMicros).ShouldBe((40 * Milli, 120 * Milli));
    }

    [Fact]
    public void Clock_samples_that_cannot_be_are_left_out()
    {
        var clock = new RelayClock();
        clock.Add(sent: 1_000, received: 5_000, answered: 5_000, now: 999);
        clock.Add(sent: -1, received: 5_000, answered: 5_000, now: 1_000);
        clock.Add(sent: 1_000, received: -1, answered: 5_000, now: 1_000);
        clock.Add(sent: 1_000, received: 5_000, answered: 4_999, now: 1_000);
        clock.Add(sent: 1_000, received: 5_000, answered: 6_001, now: 2_000);
        clock.Add(sent: 1_000, received: 0, answered: long.MaxValue, now: 2_000);
        clock.Add(sent: 0, received: long.MaxValue, answered: long.MaxValue, now: 60_000_001);
        clock.OffsetMicros.ShouldBeNull();

        clock.Add(sent: 0, received: long.MaxValue, answered: long.MaxValue, now: 0);
        clock.OffsetMicros.ShouldBe(long.MaxValue);
    }

    [Fact]
    public void A_reply_that_waits_for_media_does_not_lengthen_the_way()
    {
        using var link = RelayLink.Granted(RelayRequestKind.Play, RelayLink.ClientOptions, RelayLink.ServerOptions with { UnixOffsetMicros = 5 * Second });
        (link.Client.Delay, link.Server.Delay) = (10 * Milli, 10 * Milli);
        link.Server.Session.RepliesWithMedia = true;
        for (var turn = 0; turn < 20; turn++)
        {
            link.Run(150 * Milli);
            link.Server.Session.WriteReply(link.Server.Output, link.Now);
            link.Server.SendMedia(RelayMessageType.Unit, [1], link.Now);
        }

        link.Server.Count(RelayMessageType.HeartbeatReply).ShouldBeGreaterThan(5);
        link.Client.Session.ClockOffsetMicros.ShouldBe(5 * Second - RelayLink.ClientOptions.UnixOffsetMicros);
        link.Client.Session.RoundTripMicros.ShouldBe(20 * Milli);
    }

    [Fact]
    public void A_reply_that_waits_for_media_goes_with_the_heartbeat_when_none_comes()
    {
        using var session = Playing(out var feed);
        session.RepliesWithMedia = true;
        var began = feed.Reply.WrittenCount;
        feed.Push(RelayFeed.Message(RelayMessageType.Heartbeat, new byte[8]));
        feed.Reply.WrittenCount.ShouldBe(began);
        session.OwesReply.ShouldBeTrue();

        feed.Now += 200 * Milli;
        session.OnDeadline(feed.Now, feed.Reply);

        RelayFeed.Messages(feed.Reply.WrittenSpan[began..]).Select(m => m.Type).ShouldContain(RelayMessageType.HeartbeatReply);
        session.OwesReply.ShouldBeFalse();
    }

    [Fact]
    public void A_flood_of_heartbeats_is_answered_once_in_50_ms()
    {
        using var session = Playing(out var feed);
        var began = feed.Reply.WrittenCount;
        var flood = Enumerable.Repeat(RelayFeed.Message(RelayMessageType.Heartbeat, new byte[8]), 1_000).SelectMany(b => b).ToArray();

        feed.Push(flood);
        feed.Now += 50 * Milli;
        feed.Push(flood);

        RelayFeed.Messages(feed.Reply.WrittenSpan[began..]).Select(m => m.Type)
            .ShouldBe([RelayMessageType.HeartbeatReply, RelayMessageType.HeartbeatReply]);
    }

    /// <summary>Both have measured clocks as often as they do at first, and have just beaten.</summary>
    private static RelayLink Measured()
    {
        var link = RelayLink.Granted(RelayRequestKind.Play);
        link.Run(4 * Second);
        return link;
    }

    private static void Play(RelayLink link, int seconds)
    {
        for (var frame = 0; frame < seconds * 25; frame++)
        {
            link.Server.SendMedia(RelayMessageType.Unit, [1], link.Now);
            link.Run(40 * Milli);
        }
    }

    /// <summary>The session of a client whose play has been granted, at time 0.</summary>
    internal static RelaySession Playing(out RelayFeed feed)
    {
        using var link = RelayLink.Granted(RelayRequestKind.Play);
        var session = new RelaySession(RelayLink.ClientOptions, 0);
        feed = new RelayFeed(session) { Request = RelayLink.PlayRequest };
        session.Start(feed.Reply);
        feed.Push(link.Server.SentBytes.WrittenSpan);
        feed.Events[^1].ShouldStartWith("Accepted");
        return session;
    }
}
