using System.Buffers;
using Millrace.Protocols.Relay;

namespace Millrace.Protocols.Tests.Relay;

public sealed class RelaySessionTests
{
    [Fact]
    public void Hello_welcome_and_proof_make_both_ready_and_tell_who_is_there()
    {
        using var link = new RelayLink(RelayLink.ClientOptions with { Path = ["edge-2", "edge-3"] });
        link.Run(0);

        link.Client.Session.IsReady.ShouldBeTrue();
        link.Server.Session.IsReady.ShouldBeTrue();
        link.Client.Session.PeerNode.ShouldBe("origin-1");
        link.Client.Session.PeerPath.ShouldBeEmpty();
        link.Server.Session.PeerNode.ShouldBe("edge-1");
        link.Server.Session.PeerPath.ShouldBe(["edge-2", "edge-3"]);
        link.Client.Events.Select(e => e.Kind).ShouldBe([RelayEventKind.Ready]);
        link.Server.Events.Select(e => e.Kind).ShouldBe([RelayEventKind.Ready]);
    }

    [Fact]
    public void Hello_is_these_bytes()
    {
        byte[] nonce = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
        using var session = new RelaySession(RelayLink.ClientOptions with { Nonce = nonce, Path = ["b"] }, 0);
        var output = new ArrayBufferWriter<byte>();

        session.Start(output);
        session.Start(output);

        output.WrittenSpan.ToArray().ShouldBe([1, 31, .. "MLRC"u8, 1, 6, .. "edge-1"u8, .. nonce, 1, 1, .. "b"u8]);
    }

    [Theory]
    [InlineData(RelayRequestKind.Describe, "")]
    [InlineData(RelayRequestKind.Play, "")]
    [InlineData(RelayRequestKind.Publish, "")]
    [InlineData(RelayRequestKind.Authorize, "publish")]
    public void A_request_arrives_with_all_its_fields(object kind, string action)
    {
        using var link = new RelayLink();
        link.Run(0);
        var request = new RelayRequest
        {
            Kind = (RelayRequestKind)kind,
            Stream = "default/live/Grüße",
            Arguments = "token=a&b=%20",
            Client = "[2001:db8::1]:5000",
            Protocol = "http-flv",
            Agent = "Lavf/60",
            Timeline = 0xFEDC_BA98_7654_3210,
            From = action.Length > 0 ? uint.MaxValue : long.MaxValue,
            Formats = 0b101,
            Action = action,
        };

        link.Client.Session.Request(link.Client.Output, request);
        link.Client.Session.Request(link.Client.Output, request);
        link.Run(0);

        link.Server.Last(RelayEventKind.Requested).Request.ShouldBe(request);
        link.Server.Events.Count(e => e.Kind == RelayEventKind.Requested).ShouldBe(request.Kind == RelayRequestKind.Authorize ? 2 : 1);
    }

    [Fact]
    public void One_connection_asks_about_many_and_is_answered_in_whatever_order()
    {
        using var link = new RelayLink();
        link.Run(0);
        var question = RelayLink.PlayRequest with { Kind = RelayRequestKind.Authorize, Action = "play", Arguments = "token=a" };
        link.Client.Session.Request(link.Client.Output, question with { From = 1 });
        link.Client.Session.Request(link.Client.Output, question with { From = uint.MaxValue, Arguments = "token=b" });
        link.Run(0);
        link.Server.Events.Where(e => e.Kind == RelayEventKind.Requested).Select(e => (e.Request!.From, e.Request.Arguments))
            .ShouldBe([(1L, "token=a"), ((long)uint.MaxValue, "token=b")]);

        link.Server.Session.SendVerdict(link.Server.Output, uint.MaxValue, 403, 0, new string('n', 600));
        link.Server.Session.SendVerdict(link.Server.Output, 1, 200, 10_000, "");
        link.Run(0);

        link.Client.Events.Where(e => e.Kind == RelayEventKind.Verdict).Select(e => (e.Id, e.Status, e.Length, e.Text!.Length))
            .ShouldBe([(uint.MaxValue, 403, 0L, 512), (1u, 200, 10_000L, 0)]);
        link.Client.Session.IsClosed.ShouldBeFalse();
        link.Client.Session.Request(link.Client.Output, RelayLink.PlayRequest);
        link.Client.Output.WrittenCount.ShouldBe(0);
    }

    [Fact]
    public void A_verdict_is_these_bytes()
    {
        using var link = new RelayLink();
        link.Run(0);
        link.Client.Session.Request(link.Client.Output, RelayLink.PlayRequest with { Kind = RelayRequestKind.Authorize, Action = "play", From = 7 });
        link.Run(0);

        link.Server.Session.SendVerdict(link.Server.Output, 7, 200, 300, "ok");

        link.Server.Output.WrittenSpan.ToArray().ShouldBe([18, 8, 7, 0xC8, 1, 0xAC, 2, 2, .. "ok"u8]);
    }

    [Fact]
    public void The_arguments_of_a_request_are_in_no_text_that_a_log_could_get()
    {
        var request = RelayLink.PlayRequest with { Arguments = "token=hidden" };

        request.ToString().ShouldBe("Play default/live/cam");
        new RelayEvent { Kind = RelayEventKind.Requested, Request = request }.ToString().ShouldNotContain("hidden");
    }

    [Theory]
    [InlineData(RelayRequestKind.Play)]
    [InlineData(RelayRequestKind.Publish)]
    public void Media_playlists_and_objects_go_one_way_and_wishes_the_other(object kind)
    {
        using var link = RelayLink.Granted((RelayRequestKind)kind);
        var (sender, receiver) = (RelayRequestKind)kind == RelayRequestKind.Play ? (link.Server, link.Client) : (link.Client, link.Server);

        receiver.Session.Want(receiver.Output, 0b11);
        receiver.Session.Fetch(receiver.Output, uint.MaxValue, "seg-7.m4s");
        link.Run(0);
        sender.SendMedia(RelayMessageType.Start, [9], link.Now);
        sender.SendMedia(RelayMessageType.Unit, [], link.Now);
        sender.Session.TrySendPlaylists(sender.Output, [5, 6]);
        sender.Session.SendObject(sender.Output, uint.MaxValue, 200, 4_000_000_000);
        sender.Session.SendObjectData(sender.Output, uint.MaxValue, [7, 8, 9]);
        link.Run(0);

        sender.Last(RelayEventKind.Want).Formats.ShouldBe((byte)0b11);
        sender.Last(RelayEventKind.Fetch).Id.ShouldBe(uint.MaxValue);
        sender.Last(RelayEventKind.Fetch).Text.ShouldBe("seg-7.m4s");
        receiver.Events.Where(e => e.Kind == RelayEventKind.Log).Select(e => (e.Type, e.Payload.Length))
            .ShouldBe([(RelayMessageType.Start, 1), (RelayMessageType.Unit, 0)]);
        receiver.Last(RelayEventKind.Playlists).Payload.ToArray().ShouldBe([5, 6]);
        var answer = receiver.Last(RelayEventKind.Object);
        (answer.Id, answer.Status, answer.Length).ShouldBe((uint.MaxValue, 200, 4_000_000_000L));
        receiver.Last(RelayEventKind.ObjectData).Id.ShouldBe(uint.MaxValue);
        receiver.Last(RelayEventKind.ObjectData).Payload.ToArray().ShouldBe([7, 8, 9]);
    }

    [Fact]
    public void A_side_whose_business_it_is_not_says_nothing()
    {
        using var link = RelayLink.Granted(RelayRequestKind.Play);
        link.Client.Session.TrySendPlaylists(link.Client.Output, [1]);
        link.Client.Session.SendObject(link.Client.Output, 1, 404, 0);
        link.Client.Session.SendObjectData(link.Client.Output, 1, [1]);
        link.Client.Session.Accept(link.Client.Output, [1]);
        link.Client.Session.Refuse(link.Client.Output, new RelayRefusal(RelayRefusalCode.Denied, "no"));
        link.Server.Session.Want(link.Server.Output, 1);
        link.Server.Session.Fetch(link.Server.Output, 1, "a");
        link.Server.Session.Request(link.Server.Output, RelayLink.PlayRequest);
        link.Server.Session.Accept(link.Server.Output, [1]);

        link.Client.Output.WrittenCount.ShouldBe(0);
        link.Server.Output.WrittenCount.ShouldBe(0);
        link.Client.Session.IsClosed.ShouldBeFalse();
    }

    [Fact]
    public void An_object_of_several_megabytes_goes_in_pieces_that_the_limit_allows()
    {
        using var link = RelayLink.Granted(RelayRequestKind.Play);
        var data = new byte[2_500_000];
        new Random(1).NextBytes(data);

        link.Server.Session.SendObjectData(link.Server.Output, 300, data);
        link.Run(0);

        var pieces = link.Client.Events.Where(e => e.Kind == RelayEventKind.ObjectData).Select(e => e.Payload.ToArray()).ToArray();
        pieces.Select(piece => piece.Length).ShouldBe([(1 << 20) - 2, (1 << 20) - 2, 2_500_000 - 2 * ((1 << 20) - 2)]);
        pieces.SelectMany(piece => piece).ShouldBe(data);
    }

    [Fact]
    public void A_refusal_carries_code_and_reason_and_ends_both()
    {
        using var link = new RelayLink();
        link.Run(0);
        link.Client.Session.Request(link.Client.Output, RelayLink.PlayRequest);
        link.Run(0);
        var refusal = new RelayRefusal(RelayRefusalCode.NotFound, "not mine");

        link.Server.Session.Refuse(link.Server.Output, refusal);
        link.Run(0);

        link.Client.Last(RelayEventKind.Refused).Refusal.ShouldBe(refusal);
        link.Client.Events[^1].Kind.ShouldBe(RelayEventKind.Closed);
        link.Client.Session.CloseReason.ShouldBe("refused: 404 not mine");
        link.Server.Session.CloseReason.ShouldBe("refused by this side: 404 not mine");
    }

    [Fact]
    public void A_server_that_is_full_refuses_before_it_has_heard_anything()
    {
        using var link = new RelayLink();
        link.Server.Session.Refuse(link.Server.Output, new RelayRefusal(RelayRefusalCode.Unavailable, "too many connections"));
        link.Run(0);

        link.Client.Last(RelayEventKind.Refused).Refusal!.Code.ShouldBe(RelayRefusalCode.Unavailable);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Stop_tells_the_other_side_why_and_is_its_last_word(bool byClient)
    {
        using var link = RelayLink.Granted(RelayRequestKind.Play);
        var (stopping, other) = byClient ? (link.Client, link.Server) : (link.Server, link.Client);

        stopping.Session.Stop(stopping.Output, "the node is shut down");
        stopping.Session.Stop(stopping.Output, "again");
        link.Run(10_000_000);

        stopping.Count(RelayMessageType.Stop).ShouldBe(1);
        stopping.Session.CloseReason.ShouldBe("stopped by this side: the node is shut down");
        other.Last(RelayEventKind.Stopped).Text.ShouldBe("the node is shut down");
        other.Session.CloseReason.ShouldBe("stopped by the peer: the node is shut down");
        other.Events.TakeLast(2).Select(e => e.Kind).ShouldBe([RelayEventKind.Stopped, RelayEventKind.Closed]);
        stopping.Session.NextDeadline.ShouldBe(long.MaxValue);
    }

    [Fact]
    public void Texts_for_people_are_cut_and_others_end_the_connection_before_they_are_sent()
    {
        using var link = new RelayLink();
        link.Run(0);
        link.Client.Session.Request(link.Client.Output, RelayLink.PlayRequest with { Agent = new string('ü', 400), Arguments = new string('a', 4096) });
        link.Run(0);
        link.Server.Last(RelayEventKind.Requested).Request!.Agent.ShouldBe(new string('ü', 256));

        using var second = new RelayLink();
        second.Run(0);
        second.Client.Session.Request(second.Client.Output, RelayLink.PlayRequest with { Arguments = new string('a', 4097) });
        second.Client.Session.CloseReason.ShouldBe("the arguments are longer than 4096 bytes");
        second.Client.Output.WrittenCount.ShouldBe(0);
    }

    [Fact]
    public void Nothing_is_consumed_while_an_event_waits_and_a_payload_is_the_inputs_own_memory()
    {
        using var link = RelayLink.Granted(RelayRequestKind.Play);
        byte[] bytes = [.. RelayFeed.Message(RelayMessageType.Unit, 1, 2), .. RelayFeed.Message(RelayMessageType.Unit, 3)];
        var input = new ReadOnlySequence<byte>(bytes);
        var reply = new ArrayBufferWriter<byte>();

        link.Client.Session.Receive(in input, reply, 0, out var consumed);
        var rest = input.Slice(consumed);
        rest.Length.ShouldBe(3);
        link.Client.Session.Receive(in rest, reply, 0, out consumed);
        rest.Slice(consumed).Length.ShouldBe(3);
        link.Client.Session.TryTakeEvent(out var e).ShouldBeTrue();
        bytes[2] = 99;

        e.Payload.ToArray().ShouldBe([99, 2]);
        link.Client.Session.BufferedBytes.ShouldBe(0);
    }

    [Theory]
    [InlineData(1_000_000)]
    [InlineData(1_000)]
    public void The_log_allocates_nothing_whole_or_in_pieces(int step)
    {
        using var link = RelayLink.Granted(RelayRequestKind.Play);
        var unit = RelayFeed.Message(RelayMessageType.Unit, new byte[1_700]);
        var bytes = Enumerable.Repeat(unit, 500).SelectMany(b => b).ToArray();
        var reply = new ArrayBufferWriter<byte>(256);
        Drain(link.Client.Session, bytes, step, reply).ShouldBe(500);

        var before = GC.GetAllocatedBytesForCurrentThread();
        var units = Drain(link.Client.Session, bytes, step, reply);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        units.ShouldBe(500);
        allocated.ShouldBe(0);
    }

    private static int Drain(RelaySession session, byte[] bytes, int step, ArrayBufferWriter<byte> reply)
    {
        var units = 0;
        for (var from = 0; from < bytes.Length; from += step)
        {
            var input = new ReadOnlySequence<byte>(bytes, from, Math.Min(step, bytes.Length - from));
            while (!input.IsEmpty)
            {
                session.Receive(in input, reply, 0, out var consumed);
                input = input.Slice(consumed);
                while (session.TryTakeEvent(out var e))
                    units += e.Payload.Length == 1_700 ? 1 : 0;
            }
        }

        return units;
    }
}
