using Millrace.Protocols.Relay;

namespace Millrace.Protocols.Tests.Relay;

/// <summary>However the bytes of a connection are cut, the same happens.</summary>
public sealed class RelayCutTests
{
    private static readonly RelayOptions Client = RelayLink.ClientOptions with { Nonce = new byte[16], Secret = new byte[20], Path = ["edge-2"] };
    private static readonly RelayOptions Server = RelayLink.ServerOptions with { Nonce = new byte[16], Secret = new byte[20] };
    private static readonly byte[] FromClient = Recorded(byClient: true);
    private static readonly byte[] FromServer = Recorded(byClient: false);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Byte_by_byte_and_in_every_step_the_same_events_come_out(bool atServer)
    {
        var whole = Play(atServer, (feed, bytes) => feed.Push(bytes));

        whole[^1].ShouldBe("Closed");
        whole.Count.ShouldBe(atServer ? 6 : 10);
        for (var step = 1; step < 120; step++)
            Play(atServer, (feed, bytes) => feed.Push(bytes, step)).ShouldBe(whole, $"in steps of {step}");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Cut_in_two_segments_anywhere_the_same_events_come_out(bool atServer)
    {
        var whole = Play(atServer, (feed, bytes) => feed.Push(bytes));

        for (var at = 1; at < (atServer ? FromClient : FromServer).Length; at++)
        {
            var cut = at;
            Play(atServer, (feed, bytes) => feed.PushCut(bytes, cut)).ShouldBe(whole, $"cut at {at}");
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_connection_that_breaks_off_anywhere_brings_a_beginning_of_its_events_and_no_error(bool atServer)
    {
        var bytes = atServer ? FromClient : FromServer;
        var whole = Play(atServer, (feed, all) => feed.Push(all));

        for (var length = 0; length < bytes.Length; length++)
        {
            var end = length;
            var events = Play(atServer, (feed, all) => feed.Push(all.AsSpan(0, end)), isClosed: false);
            events.ShouldBe(whole.Take(events.Count), $"{length} bytes");
        }
    }

    private static List<string> Play(bool atServer, Action<RelayFeed, byte[]> push, bool isClosed = true)
    {
        using var session = new RelaySession(atServer ? Server : Client, 0);
        var feed = new RelayFeed(session) { Request = atServer ? null : RelayLink.PlayRequest };
        session.Start(feed.Reply);

        push(feed, atServer ? FromClient : FromServer);

        session.IsClosed.ShouldBe(isClosed, session.CloseReason);
        return feed.Events;
    }

    /// <summary>What one side of a whole connection said, each kind of message among it.</summary>
    private static byte[] Recorded(bool byClient)
    {
        using var link = RelayLink.Granted(RelayRequestKind.Play, Client, Server);
        var (client, server) = (link.Client, link.Server);
        client.Session.Want(client.Output, 3);
        client.Session.Fetch(client.Output, 300, "seg-7.m4s");
        server.SendMedia(RelayMessageType.Start, new byte[40], 0);
        server.SendMedia(RelayMessageType.Config, [], 0);
        server.SendMedia((RelayMessageType)200, new byte[200], 0);
        server.SendMedia(RelayMessageType.Unit, [.. Enumerable.Range(0, 300).Select(i => (byte)i)], 0);
        link.Run(1_000_000);
        server.Session.TrySendPlaylists(server.Output, new byte[150]);
        server.Session.SendObject(server.Output, 300, 200, 1_000_000);
        server.Session.SendObjectData(server.Output, 300, new byte[150]);
        link.Run(0);
        var end = byClient ? client : server;
        end.Session.Stop(end.Output, "the end");
        link.Run(0);
        end.Count(RelayMessageType.Heartbeat).ShouldBeGreaterThan(0);
        end.Count(RelayMessageType.HeartbeatReply).ShouldBeGreaterThan(0);
        return end.SentBytes.WrittenSpan.ToArray();
    }
}
