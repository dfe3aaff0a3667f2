using System.Buffers;
using Millrace.Protocols.Relay;

namespace Millrace.Protocols.Tests.Relay;

public sealed class RelayHostileTests
{
    [Fact]
    public void Another_protocol_is_told_nothing()
    {
        using var session = new RelaySession(RelayLink.ServerOptions, 0);
        var feed = new RelayFeed(session);
        feed.Push(RelayFeed.Message(RelayMessageType.Hello, "MLRD"u8.ToArray()));

        session.CloseReason.ShouldBe("the peer does not speak the relay's protocol");
        feed.Reply.WrittenCount.ShouldBe(0);
        ReasonOfServer("GET / HTTP/1.1\r\n"u8.ToArray()).ShouldBe("71 does not belong here in the set-up");
    }

    [Fact]
    public void TLS_is_called_by_its_name_on_both_sides()
    {
        // RFC 8446, 5.1: the record of a ClientHello, and that of a fatal alert.
        ReasonOfServer([22, 3, 1, 2, 0, 1, 0, 1, 252]).ShouldBe("the peer speaks TLS, and this side does not");
        ReasonOfClient([21, 3, 3, 0, 2, 2, 10]).ShouldBe("the peer speaks TLS, and this side does not");
    }

    [Fact]
    public void Another_version_is_refused_as_that_by_either_side()
    {
        using var server = new RelaySession(RelayLink.ServerOptions, 0);
        var feed = new RelayFeed(server);
        feed.Push(RelayFeed.Message(RelayMessageType.Hello, [.. "MLRC"u8, 2]));
        server.CloseReason.ShouldBe("refused by this side: 505 version 2 of the relay's protocol; this node speaks 1");

        using var client = new RelaySession(RelayLink.ClientOptions, 0);
        var answered = new RelayFeed(client);
        client.Start(answered.Reply);
        answered.Push(feed.Reply.WrittenSpan);
        answered.Events.ShouldBe(["Refused 505 version 2 of the relay's protocol; this node speaks 1", "Closed"]);

        ReasonOfClient(RelayFeed.Message(RelayMessageType.Welcome, 0)).ShouldBe("refused: 505 version 0 of the relay's protocol; this node speaks 1");
    }

    [Fact]
    public void Malformed_introductions_are_refused()
    {
        const string malformed = "refused by this side: 400 a malformed introduction";
        ReasonOfServer(RelayFeed.Message(RelayMessageType.Hello, [.. "MLRC"u8])).ShouldBe(malformed);
        ReasonOfServer(RelayProofTests.Hello("")).ShouldBe(malformed);
        ReasonOfServer(RelayProofTests.Hello("an edge")).ShouldBe(malformed);
        ReasonOfServer(RelayProofTests.Hello("edge\n")).ShouldBe(malformed);
        ReasonOfServer(RelayProofTests.Hello(new string('e', 65))).ShouldBe(malformed);
        ReasonOfServer(RelayProofTests.Hello("edge-1", "ü")).ShouldBe(malformed);
        ReasonOfServer(RelayProofTests.Hello("edge-1", [.. Enumerable.Repeat("e", 17)])).ShouldBe("refused by this side: 400 a path of 17 nodes, more than 16");
        ReasonOfServer([.. RelayProofTests.Hello("edge-1"), .. RelayFeed.Message(RelayMessageType.Proof, 33)]).ShouldBe("refused by this side: 400 a malformed proof");
        ReasonOfClient(RelayFeed.Message(RelayMessageType.Welcome, 1, 1, (byte)'o')).ShouldBe("refused: 400 a malformed introduction");
        ReasonOfClient(RelayFeed.Message(RelayMessageType.Refused, 1, 200)).ShouldBe("a malformed refusal");
    }

    [Fact]
    public void In_the_set_up_each_message_has_its_place()
    {
        ReasonOfServer(RelayFeed.Message(RelayMessageType.Proof, 0)).ShouldBe("Proof does not belong here in the set-up");
        ReasonOfServer(RelayFeed.Message(RelayMessageType.Play, 0)).ShouldBe("Play does not belong here in the set-up");
        ReasonOfServer(RelayFeed.Message(RelayMessageType.Heartbeat, new byte[8])).ShouldBe("Heartbeat does not belong here in the set-up");
        ReasonOfServer(RelayFeed.Message((RelayMessageType)99)).ShouldBe("99 does not belong here in the set-up");
        ReasonOfServer([.. RelayProofTests.Hello("edge-1"), .. RelayProofTests.Hello("edge-1")]).ShouldBe("Hello does not belong here in the set-up");
        ReasonOfClient(RelayProofTests.Hello("edge-1")).ShouldBe("Hello does not belong here in the set-up");
        ReasonOfClient(RelayFeed.Message(RelayMessageType.Accepted)).ShouldBe("Accepted does not belong here in the set-up");
    }

    [Theory]
    [InlineData(RelayMessageType.Unit)]
    [InlineData(RelayMessageType.Start)]
    [InlineData(RelayMessageType.Playlists)]
    [InlineData(RelayMessageType.Object)]
    [InlineData(RelayMessageType.ObjectData)]
    [InlineData(RelayMessageType.Want)]
    [InlineData(RelayMessageType.Fetch)]
    [InlineData(RelayMessageType.Hello)]
    [InlineData(RelayMessageType.Welcome)]
    [InlineData(RelayMessageType.Accepted)]
    public void Whoever_has_no_business_to_say_something_is_left_at_its_header(object unwanted)
    {
        var type = (RelayMessageType)unwanted;
        var header = RelayFeed.Message(type, new byte[1_000])[..3];
        var ofReceiver = type is RelayMessageType.Want or RelayMessageType.Fetch;

        ReasonAfter(null, atServer: true, header).ShouldBe($"{type} before a request");
        ReasonAfter(null, atServer: false, header).ShouldBe($"{type} before a request");
        ReasonAfter(RelayRequestKind.Describe, atServer: true, header).ShouldBe($"{type} from the client of a connection for Describe");
        ReasonAfter(RelayRequestKind.Authorize, atServer: false, header).ShouldBe($"{type} from the server of a connection for Authorize");
        ReasonAfter(RelayRequestKind.Play, atServer: !ofReceiver, header).ShouldBe($"{type} from the {(ofReceiver ? "server" : "client")} of a connection for Play");
        ReasonAfter(RelayRequestKind.Publish, atServer: ofReceiver, header).ShouldBe($"{type} from the {(ofReceiver ? "client" : "server")} of a connection for Publish");
    }

    [Fact]
    public void Media_before_its_publish_is_granted_and_a_second_request_end_the_connection()
    {
        using var link = new RelayLink();
        link.Run(0);
        link.Client.Session.Request(link.Client.Output, RelayLink.PlayRequest with { Kind = RelayRequestKind.Publish });
        link.Client.SendMedia(RelayMessageType.Unit, [1], 0);
        link.Run(0);
        link.Server.Session.CloseReason.ShouldBe("Unit before the answer to Publish");

        ReasonAfter(RelayRequestKind.Play, atServer: true, RelayFeed.Message(RelayMessageType.Refused)).ShouldBe("Refused from the client of a connection for Play");
        ReasonAfter(RelayRequestKind.Play, atServer: true, RelayFeed.Message(RelayMessageType.Play)).ShouldBe("Play from the client of a connection for Play");
    }

    [Fact]
    public void Malformed_requests_are_refused_and_malformed_control_messages_end_the_connection()
    {
        ReasonAfter(null, atServer: true, RelayFeed.Message(RelayMessageType.Play, 1)).ShouldBe("refused by this side: 400 Play: malformed");
        ReasonAfter(null, atServer: true, Request(RelayLink.PlayRequest with { Kind = RelayRequestKind.Authorize, Action = "read" }))
            .ShouldBe("refused by this side: 400 Authorize: the action is neither play nor publish");
        ReasonAfter(null, atServer: true, Request(RelayLink.PlayRequest with { Kind = RelayRequestKind.Authorize, Action = "play", From = 1L << 32 }))
            .ShouldBe("refused by this side: 400 Authorize: the question's number is longer than 32 bits");
        ReasonAfter(RelayRequestKind.Authorize, atServer: false, RelayFeed.Message(RelayMessageType.Verdict, 1, 200)).ShouldBe("a malformed Verdict of 2 bytes");
        ReasonAfter(RelayRequestKind.Play, atServer: false, RelayFeed.Message(RelayMessageType.Verdict, 1)).ShouldBe("Verdict from the server of a connection for Play");
        ReasonAfter(RelayRequestKind.Authorize, atServer: true, RelayFeed.Message(RelayMessageType.Verdict, 1)).ShouldBe("Verdict from the client of a connection for Authorize");
        ReasonAfter(null, atServer: true, Request(RelayLink.PlayRequest with { Stream = new string('s', 513) })).ShouldBe("refused by this side: 400 Play: malformed");
        ReasonAfter(null, atServer: true, RelayFeed.Message(RelayMessageType.Heartbeat, 1)).ShouldBe("a malformed Heartbeat of 1 bytes");
        ReasonAfter(null, atServer: true, RelayFeed.Message(RelayMessageType.HeartbeatReply, new byte[23])).ShouldBe("a malformed HeartbeatReply of 23 bytes");
        ReasonAfter(null, atServer: true, RelayFeed.Message(RelayMessageType.Stop, 5)).ShouldBe("a malformed Stop of 1 bytes");
        ReasonAfter(RelayRequestKind.Play, atServer: true, RelayFeed.Message(RelayMessageType.Want)).ShouldBe("a malformed Want of 0 bytes");
        ReasonAfter(RelayRequestKind.Play, atServer: true, RelayFeed.Message(RelayMessageType.Fetch, [0xFF, 0xFF, 0xFF, 0xFF, 0x1F, 1, 65]))
            .ShouldBe("a malformed Fetch of 7 bytes");
        ReasonAfter(RelayRequestKind.Play, atServer: false, RelayFeed.Message(RelayMessageType.Object, [1, 0xE8, 7, 0])).ShouldBe("a malformed Object of 4 bytes");
        ReasonAfter(RelayRequestKind.Play, atServer: false, RelayFeed.Message(RelayMessageType.ObjectData)).ShouldBe("a malformed ObjectData of 0 bytes");
    }

    [Theory]
    [InlineData(RelayMessageType.Unit, RelayFrame.MaxPayload)]
    [InlineData(RelayMessageType.Start, 4 << 20)]
    [InlineData(RelayMessageType.Config, 4 << 20)]
    [InlineData(RelayMessageType.Metadata, 4 << 20)]
    [InlineData(RelayMessageType.Playlists, RelayFrame.MaxPayload)]
    [InlineData(RelayMessageType.ObjectData, 1 << 20)]
    [InlineData(RelayMessageType.Mark, 64 << 10)]
    [InlineData(RelayMessageType.Ended, 64 << 10)]
    [InlineData(RelayMessageType.Object, 64 << 10)]
    [InlineData(RelayMessageType.Heartbeat, 64 << 10)]
    public void Each_type_has_its_longest_length_and_one_more_is_refused_at_the_header(object limited, int limit)
    {
        var type = (RelayMessageType)limited;
        using var session = RelayPulseTests.Playing(out var feed);
        feed.Push(Header(type, limit));
        session.CloseReason.ShouldBeNull();

        using var second = RelayPulseTests.Playing(out var other);
        other.Push(Header(type, limit + 1));
        var expected = limit == RelayFrame.MaxPayload ? $"a header that claims more than {limit} bytes" : $"{type} of {limit + 1} bytes is longer than {limit}";
        second.CloseReason.ShouldBe(expected);
    }

    [Fact]
    public void A_stranger_is_heard_for_4_KiB_only()
    {
        ReasonOfServer(Header(RelayMessageType.Hello, 4097)).ShouldBe("Hello of 4097 bytes is longer than 4096");
        ReasonOfServer([(byte)RelayMessageType.Hello, 0xFF, 0xFF, 0xFF, 0xFF]).ShouldBe($"a header that claims more than {RelayFrame.MaxPayload} bytes");
    }

    [Fact]
    public void A_header_that_claims_16_MB_costs_nothing_and_its_bytes_cost_less_than_twice_their_number()
    {
        using var session = RelayPulseTests.Playing(out var feed);
        feed.Push(Header(RelayMessageType.Unit, RelayFrame.MaxPayload));
        session.BufferedBytes.ShouldBe(0);

        var unit = new byte[RelayFrame.MaxPayload];
        new Random(3).NextBytes(unit);
        for (var sent = 0; sent < unit.Length;)
        {
            var take = Math.Min(unit.Length - sent, sent < 10_000 ? 100 : 50_000);
            feed.Push(unit.AsSpan(sent, take));
            sent += take;
            if (sent < unit.Length)
                session.BufferedBytes.ShouldBeLessThan(Math.Max(4097, 2 * sent), $"{sent} bytes came");
        }

        feed.Raw[^1].Payload.Span.SequenceEqual(unit).ShouldBeTrue();
        feed.Push(RelayFeed.Message(RelayMessageType.Unit, 1));
        session.BufferedBytes.ShouldBe(0);
    }

    [Fact]
    public void What_is_not_known_is_skipped_and_not_kept()
    {
        using var session = RelayPulseTests.Playing(out var feed);
        feed.Push(Header((RelayMessageType)200, 5_000_000));
        feed.Push(new byte[5_000_000], 60_000);
        feed.MostBuffered.ShouldBe(0);
        feed.Push([.. RelayFeed.Message((RelayMessageType)42), .. RelayFeed.Message(RelayMessageType.None, 1, 2), .. RelayFeed.Message(RelayMessageType.Pause)]);

        feed.Events[^1].ShouldStartWith("Log Pause 0");
        session.CloseReason.ShouldBeNull();
    }

    [Fact]
    public void Closing_gives_memory_back_and_says_so_once()
    {
        using var session = RelayPulseTests.Playing(out var feed);
        feed.Push(RelayFeed.Message(RelayMessageType.Unit, new byte[9_000]).AsSpan(0, 5_000));
        session.BufferedBytes.ShouldBe(8192);

        session.Close("enough");
        session.Close("again");
        feed.Push([1, 2, 3]);

        session.BufferedBytes.ShouldBe(0);
        session.CloseReason.ShouldBe("enough");
        feed.Events.Count(e => e == "Closed").ShouldBe(1);
    }

    [Fact]
    public void A_payload_that_was_handed_out_outlives_the_connection_until_its_session_is_disposed_of()
    {
        using var link = RelayLink.Granted(RelayRequestKind.Play);
        var session = link.Client.Session;
        var unit = RelayFeed.Message(RelayMessageType.Unit, new byte[5_000]);
        foreach (var piece in new[] { unit.AsMemory(0, 3_000), unit.AsMemory(3_000) })
            session.Receive(new ReadOnlySequence<byte>(piece), new ArrayBufferWriter<byte>(), 0, out _);
        session.TryTakeEvent(out var e).ShouldBeTrue();

        session.OnDeadline(600_000, new ArrayBufferWriter<byte>());

        session.IsClosed.ShouldBeTrue();
        session.BufferedBytes.ShouldBe(8192);
        e.Payload.Length.ShouldBe(5_000);
        session.Dispose();
        session.BufferedBytes.ShouldBe(0);
    }

    [Fact]
    public void Damaged_connections_never_throw()
    {
        using var link = RelayLink.Granted(RelayRequestKind.Publish);
        for (var i = 0; i < 5; i++)
            link.Client.SendMedia(RelayMessageType.Unit, new byte[50], 0);
        link.Run(2_000_000);
        var recorded = link.Client.SentBytes.WrittenSpan.ToArray();
        var random = new Random(20_261);
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = recorded.ToArray();
            for (var hits = random.Next(1, 6); hits > 0; hits--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            using var session = new RelaySession(RelayLink.ServerOptions, 0);
            new RelayFeed(session).Push(bytes, random.Next(1, 300));
            session.BufferedBytes.ShouldBeLessThanOrEqualTo(4096);
        }
    }

    private static byte[] Header(RelayMessageType type, int length)
    {
        var header = new byte[RelayFrame.MaxHeader];
        return header[..RelayFrame.WriteHeader(header, type, length)];
    }

    private static byte[] Request(RelayRequest request)
    {
        var output = new ArrayBufferWriter<byte>();
        request.Write(output);
        return output.WrittenSpan.ToArray();
    }

    private static string ReasonOfServer(byte[] bytes)
    {
        using var session = new RelaySession(RelayLink.ServerOptions, 0);
        new RelayFeed(session).Push(bytes);
        return session.CloseReason.ShouldNotBeNull();
    }

    private static string ReasonOfClient(byte[] bytes)
    {
        using var session = new RelaySession(RelayLink.ClientOptions, 0);
        var feed = new RelayFeed(session);
        session.Start(feed.Reply);
        feed.Push(bytes);
        return session.CloseReason.ShouldNotBeNull();
    }

    /// <summary>Why one side closes when the other says this behind a granted request, or before any.</summary>
    private static string ReasonAfter(RelayRequestKind? kind, bool atServer, byte[] bytes)
    {
        using var link = kind is { } granted ? RelayLink.Granted(granted) : new RelayLink();
        link.Run(0);
        var end = atServer ? link.Server : link.Client;
        var feed = new RelayFeed(end.Session);
        feed.Push(bytes);
        return end.Session.CloseReason.ShouldNotBeNull();
    }
}
