using Millrace.Protocols.Relay;

namespace Millrace.Protocols.Tests.Relay;

/// <summary>Who may come: the shared secret, and loops.</summary>
public sealed class RelayProofTests
{
    private static readonly byte[] Right = "s3cret"u8.ToArray();
    private static readonly byte[] Wrong = "S3cret"u8.ToArray();

    [Theory]
    [InlineData(true, "9E8ABBD9B537A6E9B291C4B5F57824E074C166924DF4EB9E2124EF615E46CF54")]
    [InlineData(false, "F36E5CCF5020816D6B0FED0DB5E333E4275445413F9A54DB54B7C80BFCDB30A3")]
    public void The_proof_of_each_side_is_this_HMAC(bool ofServer, string expected)
    {
        // Worked out with Python's hmac: label, nonces 00…0F and 10…1F, and both ids behind a byte with their length.
        var client = new RelayHello("edge-1", Enumerable.Range(0, 16).Select(i => (byte)i).ToArray(), []);
        var server = new RelayHello("origin-1", Enumerable.Range(16, 16).Select(i => (byte)i).ToArray(), []);
        var proof = new byte[RelayProof.Length];

        RelayProof.Write(proof, Right, !ofServer, client, server).ShouldBe(32);

        Convert.ToHexString(proof).ShouldBe(expected);
    }

    [Fact]
    public void Two_nodes_with_the_same_secret_meet()
    {
        using var link = Link(Right, Right);

        link.Client.Session.IsReady.ShouldBeTrue();
        link.Server.Session.IsReady.ShouldBeTrue();
    }

    [Fact]
    public void A_side_without_a_secret_takes_no_offence_at_a_proof()
    {
        // The server proves itself and is believed, but does not believe a client that cannot.
        using var open = Link([], Right);
        open.Client.Session.IsReady.ShouldBeTrue();
        open.Server.Session.IsReady.ShouldBeFalse();
    }

    [Theory]
    [InlineData(true, "the peer has another shared secret")]
    [InlineData(false, "the peer has no shared secret")]
    public void A_client_leaves_a_server_that_cannot_prove_itself(bool hasSecret, string reason)
    {
        using var link = Link(Right, hasSecret ? Wrong : []);

        link.Client.Session.IsReady.ShouldBeFalse();
        link.Client.Last(RelayEventKind.Refused).Refusal.ShouldBe(new RelayRefusal(RelayRefusalCode.Unauthorized, reason));
        link.Client.Session.CloseReason.ShouldBe("refused: 401 " + reason);
        link.Client.Sent.Select(sent => sent.Type).ShouldBe([RelayMessageType.Hello]);
    }

    [Fact]
    public void A_server_refuses_a_client_without_the_secret_before_it_looks_at_the_request()
    {
        using var link = Link([], Right);

        link.Server.Events.Select(e => e.Kind).ShouldBe([RelayEventKind.Closed]);
        link.Server.Session.CloseReason.ShouldBe("refused by this side: 401 the peer has no shared secret");
        link.Client.Last(RelayEventKind.Refused).Refusal!.Code.ShouldBe(RelayRefusalCode.Unauthorized);
    }

    [Fact]
    public void A_server_refuses_a_client_with_another_secret_even_when_the_client_does_not_mind()
    {
        using var session = new RelaySession(RelayLink.ServerOptions with { Secret = Right, Nonce = new byte[16] }, 0);
        var feed = new RelayFeed(session);
        feed.Push(Hello("edge-1"));
        var proof = new byte[32];
        RelayProof.Write(proof, Wrong, ofClient: true, new RelayHello("edge-1", new byte[16], []), new RelayHello("origin-1", new byte[16], []));
        feed.Push(RelayFeed.Message(RelayMessageType.Proof, [32, .. proof]));

        feed.Events.ShouldBe(["Closed"]);
        session.CloseReason.ShouldBe("refused by this side: 401 the peer has another shared secret");
    }

    [Fact]
    public void The_servers_own_proof_sent_back_is_none()
    {
        using var session = new RelaySession(RelayLink.ServerOptions with { Secret = Right }, 0);
        var feed = new RelayFeed(session);
        feed.Push(Hello("edge-1"));
        var welcome = RelayFeed.Messages(feed.Reply.WrittenSpan)[0].Payload;
        feed.Push(RelayFeed.Message(RelayMessageType.Proof, welcome[^33..]));

        session.IsReady.ShouldBeFalse();
        session.CloseReason.ShouldBe("refused by this side: 401 the peer has another shared secret");
    }

    [Fact]
    public void Each_session_draws_a_nonce_of_its_own()
    {
        using var first = new RelayLink();
        using var second = new RelayLink();

        first.Client.Output.WrittenSpan.ToArray().ShouldNotBe(second.Client.Output.WrittenSpan.ToArray());
    }

    [Theory]
    [InlineData("origin-1")]
    [InlineData("edge-1", "origin-1")]
    [InlineData("edge-1", "edge-2", "origin-1", "edge-3")]
    public void A_server_that_is_on_the_path_refuses_the_loop(string node, params string[] path)
    {
        using var link = Link(Right, Right, node, path);
        link.Server.Session.IsReady.ShouldBeFalse();
        link.Client.Last(RelayEventKind.Refused).Refusal!.Code.ShouldBe(RelayRefusalCode.Loop);
        link.Client.Session.CloseReason.ShouldBe("refused: 421 a loop: the request is made for origin-1 itself");
    }

    [Fact]
    public void Sixteen_nodes_below_are_let_in_and_names_that_only_resemble_are_no_loop()
    {
        using var link = Link([], [], "edge-1", [.. Enumerable.Range(0, 15).Select(i => new string('x', 62) + $"{i:d2}"), "Origin-1"]);

        link.Server.Session.IsReady.ShouldBeTrue();
        link.Server.Session.PeerPath.Count.ShouldBe(16);
    }

    internal static byte[] Hello(string node, params string[] path)
    {
        var output = new System.Buffers.ArrayBufferWriter<byte>();
        new RelayHello(node, new byte[RelayOptions.NonceBytes], path).WriteHello(output);
        return output.WrittenSpan.ToArray();
    }

    private static RelayLink Link(byte[] client, byte[] server, string node = "edge-1", params string[] path)
    {
        var link = new RelayLink(
            RelayLink.ClientOptions with { Node = node, Path = path, Secret = client }, RelayLink.ServerOptions with { Secret = server });
        link.Run(0);
        return link;
    }
}
