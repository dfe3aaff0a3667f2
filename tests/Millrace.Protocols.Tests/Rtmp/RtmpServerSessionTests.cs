using System.Buffers;
using System.Buffers.Binary;
using Millrace.Protocols.Rtmp;

namespace Millrace.Protocols.Tests.Rtmp;

public sealed class RtmpServerSessionTests
{
    [Fact]
    public void Media_before_the_verdict_waits_and_comes_out_after_it()
    {
        using var session = new RtmpServerSession(RtmpOptions.Default, 0);
        var feed = new RtmpFeed(session) { Accepts = false };
        feed.Push(new RtmpBytes().Handshake().Connect().Publish()
            .Media(RtmpMessageType.Video, 1, [0x17, 0]).Media(RtmpMessageType.Video, 2, [0x27, 1]).ToArray());

        feed.Events.Count.ShouldBe(2);
        session.IsWaitingForBridge.ShouldBeTrue();

        session.AcceptPublish(feed.Reply);
        feed.Pump();

        feed.Raw.Skip(2).Select(e => e.Timestamp).ShouldBe([1u, 2u]);
    }

    [Fact]
    public void Media_of_a_refused_publish_is_dropped_and_the_client_may_try_again()
    {
        using var session = new RtmpServerSession(RtmpOptions.Default, 0);
        var feed = new RtmpFeed(session) { Accepts = false };
        feed.Push(new RtmpBytes().Handshake().Connect().Publish().Media(RtmpMessageType.Video, 1, [0x17, 0]).ToArray());

        session.RejectPublish(feed.Reply, "NetStream.Publish.BadName", "already published");
        feed.Push(new RtmpBytes().Media(RtmpMessageType.Video, 2, [1]).Call("publish", 4, 1, "other", "live").ToArray());

        feed.Raw.ShouldNotContain(e => e.Kind == RtmpEventKind.Media);
        feed.Events[^1].ShouldBe("Publish other live on 1");
        Replies.Commands(feed.Reply.WrittenSpan.ToArray())[^1].ShouldBe("onStatus 0 NetStream.Publish.BadName");
    }

    [Fact]
    public void Play_is_answered_with_begin_reset_start_access_and_data_start()
    {
        using var session = new RtmpServerSession(RtmpOptions.Default with { SendsDataStart = true }, 0);
        var feed = new RtmpFeed(session);
        feed.Push(new RtmpBytes().Handshake().Connect().Call("createStream", 2).Call("getStreamLength", 3, 0, "cam")
            .Call("play", 4, 1, "cam?x=1", -2000.0, -1.0, true).ToArray());
        session.EndPlay(feed.Reply, "NetStream.Play.UnpublishNotify", "gone");

        var messages = Replies.Messages(feed.Reply.WrittenSpan.ToArray());
        messages.Take(3).Select(m => m.Type).ShouldBe([
            RtmpMessageType.WindowAckSize, RtmpMessageType.SetPeerBandwidth, RtmpMessageType.SetChunkSize]);
        messages.Skip(7).Select(m => (m.Type, m.StreamId)).ShouldBe([
            (RtmpMessageType.UserControl, 0u), (RtmpMessageType.CommandAmf0, 1u), (RtmpMessageType.CommandAmf0, 1u),
            (RtmpMessageType.DataAmf0, 1u), (RtmpMessageType.DataAmf0, 1u), (RtmpMessageType.UserControl, 0u), (RtmpMessageType.CommandAmf0, 1u)]);
        messages[7].Payload.ToArray().ShouldBe([0, 0, 0, 0, 0, 1]);
        messages[12].Payload.ToArray().ShouldBe([0, 1, 0, 0, 0, 1]);
        Replies.Commands(feed.Reply.WrittenSpan.ToArray()).Skip(2).ShouldBe([
            "_result 2 1", "_result 3 0", "onStatus 0 NetStream.Play.Reset", "onStatus 0 NetStream.Play.Start",
            "onStatus 0 NetStream.Play.UnpublishNotify"]);
    }

    [Fact]
    public void Play_without_createStream_pause_receive_flags_and_buffer_length_are_understood()
    {
        using var session = new RtmpServerSession(RtmpOptions.Default, 0);
        var feed = new RtmpFeed(session);
        var bytes = new RtmpBytes().Handshake().Connect().Call("play", 0, 0, "cam");
        bytes.Chunks.WriteUserControl(bytes.Output, RtmpUserControl.SetBufferLength, 1, 3000);
        bytes.Call("pause", 0, 1, true, 1000.0).Call("receiveAudio", 0, 1, false).Call("receiveVideo", 0, 1, true).Call("seek", 0, 1, 5.0)
            .Call("closeStream", 0, 1);
        feed.Push(bytes.ToArray());

        feed.Events.Skip(1).ShouldBe([
            "Play cam -2 on 1", "SetBufferLength False 3000", "Paused True 1000", "ReceiveAudio False 0", "ReceiveVideo True 0",
            "Seek False 5", "PlayEnded False 0"]);
    }

    [Fact]
    public void Aggregates_are_split_with_shifted_timestamps()
    {
        byte[] aggregate =
        [
            8, 0, 0, 1, 0, 0, 100, 0, 0, 0, 0, 0xA1, 0, 0, 0, 12,
            9, 0, 0, 2, 0, 0, 140, 0, 0, 0, 0, 0xB1, 0xB2, 0, 0, 0, 13,
            22, 0, 0, 0, 0, 0, 150, 0, 0, 0, 0, 0, 0, 0, 11,
            8, 0, 0xFF, 0xFF, 0, 0, 160, 0, 0, 0, 0,
        ];
        using var session = new RtmpServerSession(RtmpOptions.Default, 0);
        var feed = new RtmpFeed(session);
        feed.Push(new RtmpBytes().Handshake().Connect().Publish().Media(RtmpMessageType.Aggregate, 5000, aggregate)
            .Media(RtmpMessageType.Audio, 6000, [1]).ToArray());

        feed.Raw.Where(e => e.Kind == RtmpEventKind.Media).Select(e => (e.MessageType, e.Timestamp)).ShouldBe([
            (RtmpMessageType.Audio, 5000u), (RtmpMessageType.Video, 5040u), (RtmpMessageType.Audio, 6000u)]);
    }

    [Fact]
    public void Amf3_data_and_commands_are_read_as_amf0_behind_their_format_byte()
    {
        using var session = new RtmpServerSession(RtmpOptions.Default, 0);
        var feed = new RtmpFeed(session);
        var scratch = new ArrayBufferWriter<byte>();
        scratch.Write<byte>([0]);
        var amf = new Millrace.Media.Amf.Amf0Writer(scratch);
        amf.String("publish");
        amf.Number(4);
        amf.Null();
        amf.String("cam");
        var bytes = new RtmpBytes().Handshake().Connect().Call("createStream", 2);
        bytes.Chunks.Write(bytes.Output, 3, RtmpMessageType.CommandAmf3, 0, 1, scratch.WrittenSpan);
        bytes.Media(RtmpMessageType.DataAmf3, 9, [0, 2, 0, 1, (byte)'x']);
        feed.Push(bytes.ToArray());

        feed.Events[1].ShouldBe("Publish cam live on 1");
        feed.Raw[2].MessageType.ShouldBe(RtmpMessageType.DataAmf0);
    }

    [Fact]
    public void Deadlines_end_a_silent_peer_and_any_byte_saves_a_quiet_one()
    {
        const long second = 1_000_000;
        using var slow = new RtmpServerSession(RtmpOptions.Default, 0);
        slow.NextDeadline.ShouldBe(10 * second);
        slow.OnDeadline(10 * second, new ArrayBufferWriter<byte>());
        slow.CloseReason!.ShouldContain("handshake");

        using var session = new RtmpServerSession(RtmpOptions.Default, 0);
        var feed = new RtmpFeed(session);
        feed.Push(new RtmpBytes().Handshake().Connect().Call("createStream", 2).Call("play", 3, 1, "cam").ToArray());
        session.NextDeadline.ShouldBe(60 * second);
        session.OnDeadline(60 * second, feed.Reply);
        Replies.Messages(feed.Reply.WrittenSpan.ToArray())[^1].Payload.ToArray().ShouldBe([0, 6, 0, 0, 0xEA, 0x60]);
        session.NextDeadline.ShouldBe(90 * second);

        feed.Push(new RtmpBytes().Call("_checkbw", 9).ToArray());
        session.NextDeadline.ShouldBe(120 * second);
        session.OnDeadline(120 * second, feed.Reply);
        session.OnDeadline(150 * second, feed.Reply);
        session.CloseReason!.ShouldContain("ping");
        session.NextDeadline.ShouldBe(long.MaxValue);
    }

    [Fact]
    public void Pings_are_answered_and_half_a_window_is_acknowledged()
    {
        using var session = new RtmpServerSession(RtmpOptions.Default, 0);
        var feed = new RtmpFeed(session);
        var bytes = new RtmpBytes().Handshake().Connect().Publish();
        bytes.Chunks.WriteUserControl(bytes.Output, RtmpUserControl.PingRequest, 0xCAFE);
        bytes.Chunks.WriteControl(bytes.Output, RtmpMessageType.WindowAckSize, 20_000);
        feed.Push(bytes.ToArray());
        var before = Replies.Messages(feed.Reply.WrittenSpan.ToArray());
        before.ShouldContain(m => m.Type == RtmpMessageType.UserControl && Convert.ToHexString(m.Payload.ToArray()) == "00070000CAFE");
        before.ShouldNotContain(m => m.Type == RtmpMessageType.Acknowledgement);

        feed.Push(new RtmpBytes().Media(RtmpMessageType.Video, 0, new byte[12_000]).ToArray());

        var ack = Replies.Messages(feed.Reply.WrittenSpan.ToArray()).Single(m => m.Type == RtmpMessageType.Acknowledgement);
        BinaryPrimitives.ReadUInt32BigEndian(ack.Payload.Span).ShouldBe((uint)session.ReceivedBytes);
    }

    [Fact]
    public void A_deferred_connect_can_be_refused_with_a_redirect()
    {
        using var session = new RtmpServerSession(RtmpOptions.Default with { DeferConnect = true }, 0);
        var feed = new RtmpFeed(session);
        feed.Push(new RtmpBytes().Handshake().Connect().Publish().ToArray());
        feed.Events.Count.ShouldBe(1);

        session.RejectConnect(feed.Reply, "moved", "rtmp://other/live");

        session.CloseReason.ShouldBe("moved");
        Replies.Commands(feed.Reply.WrittenSpan.ToArray()).ShouldBe(["_error 1 NetConnection.Connect.Rejected", "close 0"]);
    }

    [Fact]
    public void Who_publishes_or_plays_can_be_sent_to_another_server_in_both_forms()
    {
        using var session = new RtmpServerSession(RtmpOptions.Default, 0);
        var feed = new RtmpFeed(session);
        feed.Push(new RtmpBytes().Handshake().Connect().Publish().ToArray());

        session.RejectConnect(feed.Reply, "RTMP 302 Redirect", "rtmp://other/live", "rtmp://other/live/x?a=b");

        session.IsClosed.ShouldBeTrue();
        var status = Replies.Messages(feed.Reply.WrittenSpan.ToArray()).Last(m => m.Type == RtmpMessageType.CommandAmf0 && m.Payload.Span.IndexOf("onStatus"u8) >= 0);
        status.StreamId.ShouldBe(0u);
        RtmpCommand.TryParse(status, out var command).ShouldBeTrue();
        var info = command.Argument(0);
        info.GetString("level").ShouldBe("error");
        info.GetString("code").ShouldBe("NetConnection.Connect.Rejected");
        var ex = info["ex"].ShouldNotBeNull();
        ex.GetNumber("code").ShouldBe(302);
        ex.GetString("redirect").ShouldBe("rtmp://other/live");
        ex.GetString("redirect2").ShouldBe("rtmp://other/live/x?a=b");
    }

    [Fact]
    public void Enhanced_capabilities_are_read_and_reconnect_goes_only_to_those_who_can()
    {
        using var legacy = new RtmpServerSession(RtmpOptions.Default, 0);
        var plain = new RtmpFeed(legacy);
        plain.Push(new RtmpBytes().Handshake().Connect().ToArray());
        legacy.Connect!.Capabilities.IsEnhanced.ShouldBeFalse();
        legacy.RequestReconnect(plain.Reply, null, "update").ShouldBeFalse();

        using var session = new RtmpServerSession(RtmpOptions.Default, 0);
        var feed = new RtmpFeed(session);
        feed.Push(new RtmpBytes().Handshake().Connect("live", amf =>
            RtmpPeerCapabilities.Write(amf, RtmpFourCcs.Hvc1 | RtmpFourCcs.Opus, RtmpCapsEx.Reconnect)).ToArray());
        var caps = session.Connect!.Capabilities;
        caps.IsEnhanced.ShouldBeTrue();
        caps.FourCcs.ShouldBe(RtmpFourCcs.Hvc1 | RtmpFourCcs.Opus);
        caps.Multitrack.ShouldBeFalse();
        session.RequestReconnect(feed.Reply, "rtmp://b/live", "update").ShouldBeTrue();
        Replies.Commands(feed.Reply.WrittenSpan.ToArray())[^1].ShouldBe("onStatus 0 NetConnection.Connect.ReconnectRequest");
    }

    [Theory]
    [InlineData("publish", "publish before connect")]
    [InlineData("play", "play before connect")]
    public void Commands_before_connect_end_the_session(string name, string reason)
    {
        using var session = new RtmpServerSession(RtmpOptions.Default, 0);
        new RtmpFeed(session).Push(new RtmpBytes().Handshake().Call(name, 1, 1, "cam").ToArray());

        session.CloseReason.ShouldBe(reason);
    }

    [Fact]
    public void A_running_publish_allocates_nothing_per_message()
    {
        using var session = new RtmpServerSession(RtmpOptions.Default with { AckWindow = uint.MaxValue }, 0);
        var feed = new RtmpFeed(session);
        feed.Push(new RtmpBytes().Handshake().Connect().Publish().ToArray());
        var media = new RtmpBytes();
        for (uint i = 0; i < 500; i++)
        {
            media.Media(RtmpMessageType.Video, i * 40, new byte[700]);
        }

        var bytes = media.ToArray();
        Drain(session, bytes).ShouldBe(500);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Drain(session, bytes).ShouldBe(500);

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(5_000);
    }

    private static int Drain(RtmpServerSession session, byte[] bytes)
    {
        var reply = new ArrayBufferWriter<byte>(256);
        var input = new ReadOnlySequence<byte>(bytes);
        var events = 0;
        while (!input.IsEmpty)
        {
            session.Receive(in input, reply, 0, out var consumed);
            input = input.Slice(consumed);
            while (session.TryTakeEvent(out var e))
            {
                events += e.Payload.Length == 700 ? 1 : 0;
            }
        }

        return events;
    }

    [Fact]
    public void Message_streams_count_from_1_and_are_used_again_after_deleteStream()
    {
        using var session = new RtmpServerSession(RtmpOptions.Default, 0);
        var feed = new RtmpFeed(session);
        feed.Push(new RtmpBytes().Handshake().Connect().Call("createStream", 2).Call("createStream", 3).Call("deleteStream", 0, 0, 1.0)
            .Call("createStream", 4).Call("createStream", 5).ToArray());

        Replies.Commands(feed.Reply.WrittenSpan.ToArray()).Skip(2).ShouldBe(["_result 2 1", "_result 3 2", "_result 4 1", "_result 5 3"]);
    }
}
