using System.Buffers;
using Millrace.Media.Amf;
using Millrace.Protocols.Rtmp;

namespace Millrace.Protocols.Tests.Rtmp;

/// <summary>A client and a server session that talk in memory.</summary>
public sealed class RtmpClientSessionTests
{
    [Theory]
    [InlineData((int)RtmpDigestScheme.None, 1)]
    [InlineData((int)RtmpDigestScheme.DigestFirst, 1000)]
    [InlineData((int)RtmpDigestScheme.KeyFirst, 100_000)]
    public void A_publish_arrives_byte_for_byte(int scheme, int step)
    {
        var pair = new Pair(Options(isPublisher: true) with { Handshake = (RtmpDigestScheme)scheme }, step);
        pair.Run();
        pair.Client.IsReady.ShouldBeTrue();
        pair.Client.ServerHandshake.ShouldBe((RtmpDigestScheme)scheme);

        var output = new ArrayBufferWriter<byte>();
        byte[] big = [.. Enumerable.Range(0, 150_000).Select(i => (byte)(i * 7))];
        pair.Client.WriteMedia(output, RtmpMessageType.Video, 0xFFFFFFFE, big);
        pair.Client.WriteMedia(output, RtmpMessageType.Audio, 3, [0xAF, 1]);
        pair.Client.Stop(output);
        pair.Feed.Push(output.WrittenSpan, step);

        pair.Feed.Events[1].ShouldBe("Publish cam?k=v live on 1");
        pair.Feed.Raw[2].Timestamp.ShouldBe(0xFFFFFFFEu);
        pair.Feed.Events[2].ShouldStartWith("Video 4294967294 150000");
        pair.Feed.Events[3].ShouldStartWith("Audio 3 2");
        pair.Feed.Raw[^1].Kind.ShouldBe(RtmpEventKind.PublishEnded);
    }

    [Fact]
    public void A_player_gets_ready_status_and_media()
    {
        var pair = new Pair(Options(isPublisher: false), 500);
        pair.Run();

        var media = new ArrayBufferWriter<byte>();
        var header = new byte[RtmpChunkWriter.MaxHeaderSize];
        media.Write(header.AsSpan(0, RtmpChunkWriter.WriteType0Header(header, RtmpIds.VideoCsid, 40, 3, (byte)RtmpMessageType.Video, 1)));
        media.Write<byte>([0x17, 1, 2]);
        pair.ToClient(media.WrittenSpan.ToArray());

        pair.ClientEvents.ShouldContain("Ready ");
        pair.ClientEvents.ShouldContain(e => e.Contains("NetStream.Play.Start"));
        pair.ClientEvents[^1].ShouldBe("Video 40 3");
        pair.Feed.Events.ShouldContain("SetBufferLength False 5000");
    }

    [Fact]
    public void A_refusal_closes_the_client_with_the_servers_words_and_the_redirect()
    {
        var pair = new Pair(Options(isPublisher: true), 4096, RtmpOptions.Default with { DeferConnect = true });
        pair.Run();
        pair.Server.RejectConnect(pair.Feed.Reply, "go there", "rtmp://other/live");
        pair.Run();

        pair.Client.CloseReason!.ShouldContain("go there");
        pair.Status!.Redirect.ShouldBe("rtmp://other/live");
        pair.ClientEvents[^1].ShouldBe("Closed ");
    }

    [Fact]
    public void Enhanced_capabilities_travel_both_ways_and_a_reconnect_request_arrives()
    {
        var pair = new Pair(Options(isPublisher: true) with { IsEnhanced = true, ExtraArguments = [AmfValue.OfNumber(7)] }, 4096);
        pair.Run();
        pair.Client.ServerCapabilities.Has(RtmpFourCcs.Av01 | RtmpFourCcs.Opus).ShouldBeTrue();
        pair.Server.Connect!.ExtraArguments.Single().Number.ShouldBe(7);

        pair.Server.RequestReconnect(pair.Feed.Reply, "rtmp://b/live", "update").ShouldBeTrue();
        pair.Run();

        pair.Status!.Code.ShouldBe("NetConnection.Connect.ReconnectRequest");
        pair.Status.Redirect.ShouldBe("rtmp://b/live");
        pair.Client.IsClosed.ShouldBeFalse();
    }

    [Fact]
    public void A_silent_server_is_given_up()
    {
        var client = new RtmpClientSession(Options(isPublisher: true), 0);
        client.NextDeadline.ShouldBe(10_000_000);
        client.OnDeadline(10_000_000, new ArrayBufferWriter<byte>());
        client.CloseReason!.ShouldContain("handshake");
        client.TryTakeEvent(out var e).ShouldBeTrue();
        e.Kind.ShouldBe(RtmpClientEventKind.Closed);
        client.TryTakeEvent(out _).ShouldBeFalse();
    }

    private static RtmpClientOptions Options(bool isPublisher) => new()
    {
        App = "live",
        TcUrl = "rtmp://host/live",
        StreamName = "cam?k=v",
        IsPublisher = isPublisher,
    };

    private sealed class Pair
    {
        private readonly ArrayBufferWriter<byte> _clientOut = new();
        private readonly int _step;
        private byte[] _toClient = [];

        public Pair(RtmpClientOptions options, int step, RtmpOptions? server = null)
        {
            _step = step;
            Client = new RtmpClientSession(options, 0);
            Server = new RtmpServerSession(server ?? RtmpOptions.Default, 0);
            Feed = new RtmpFeed(Server);
            Client.Start(_clientOut);
        }

        public RtmpClientSession Client { get; }

        public RtmpServerSession Server { get; }

        public RtmpFeed Feed { get; }

        public List<string> ClientEvents { get; } = [];

        public RtmpStatus? Status { get; private set; }

        public void Run()
        {
            while (_clientOut.WrittenCount > 0 || Feed.Reply.WrittenCount > 0)
            {
                var up = _clientOut.WrittenSpan.ToArray();
                _clientOut.ResetWrittenCount();
                Feed.Push(up, _step);
                var down = Feed.Reply.WrittenSpan.ToArray();
                Feed.Reply.ResetWrittenCount();
                ToClient(down);
            }
        }

        public void ToClient(byte[] bytes)
        {
            for (var at = 0; at < bytes.Length; at += _step)
            {
                _toClient = [.. _toClient, .. bytes.AsSpan(at, Math.Min(_step, bytes.Length - at))];
                while (Pump())
                {
                }
            }
        }

        private bool Pump()
        {
            var input = new ReadOnlySequence<byte>(_toClient);
            Client.Receive(in input, _clientOut, 0, out var consumed);
            var hadEvent = false;
            while (Client.TryTakeEvent(out var e))
            {
                hadEvent = true;
                ClientEvents.Add(e.Kind == RtmpClientEventKind.Status ? $"Status {e.Status!.Code}" : e.ToString());
                Status = e.Status ?? Status;
            }

            var rest = input.Slice(consumed).ToArray();
            var progressed = rest.Length != _toClient.Length;
            _toClient = rest;
            return hadEvent || progressed;
        }
    }
}
