using Millrace.EndToEnd.Harness;
using Millrace.Protocols.Rtmp;
using Millrace.Protocols.Tests.Rtmp;

namespace Millrace.EndToEnd.Hostile;

/// <summary>Bytes that are wrong: each ends its own connection, with one line that says why.</summary>
public sealed class HostileBytesTests
{
    private static readonly Dictionary<string, string> ShortDeadlines = new(StringComparer.Ordinal)
    {
        ["MILLRACE__RTMP__HANDSHAKE_TIMEOUT"] = "2s",
        ["MILLRACE__PUBLISH__GRACE"] = "1s",
        ["MILLRACE__LIMITS__REQUEST_TIMEOUT"] = "2s",
        ["MILLRACE__SHUTDOWN__DEADLINE"] = "5s",
    };

    [Fact(Timeout = 120_000)]
    public async Task Only_their_own_connection_ends_and_the_log_says_why()
    {
        await using var server = await MillraceServer.StartAsync("", ShortDeadlines);
        await using var bystander = await Bystander.StartAsync(server);

        await RtmpAsync(server);
        await HttpAsync(server);
        await TruncationsAsync(server);
        await LengthClaimsAsync(server);
        await AnswersOfOthersAsync(server);

        await bystander.ShouldNotHaveNoticedAsync();
    }

    private static async Task RtmpAsync(MillraceServer server)
    {
        await Task.WhenAll(
            EndsAsync(server, "garbage", HostileBytes.Random(5_000), "RTMP version"),
            EndsAsync(server, "garbage behind a handshake", [.. HostileBytes.Handshake(), 0xC5, .. HostileBytes.Random(5_000)], "chunk stream 5 begins with a type 3 header"),
            EndsAsync(server, "chunk size 0", [.. HostileBytes.Handshake(), .. HostileBytes.ChunkSize(0)], "chunk size 0 is not allowed"),
            EndsAsync(server, "chunk size 2^31", [.. HostileBytes.Handshake(), .. HostileBytes.ChunkSize(1u << 31)], "chunk size 2147483648 is not allowed"),
            EndsAsync(
                server, "a chunk of 16 MB before connect",
                [.. HostileBytes.Handshake(), .. HostileBytes.ChunkSize(int.MaxValue), .. HostileBytes.LengthClaim(), .. new byte[4 << 20]], "unfinished messages hold more than"),
            EndsAsync(server, "nested objects", HostileBytes.DeepConnect(30_000), "malformed command"),
            EndsAsync(server, "a long connect", [.. HostileBytes.Handshake(), .. LongConnect()], "connect of "),
            EndsAsync(server, "an unknown codec", HostileBytes.Connected(bytes => bytes.Publish("odd").Media(RtmpMessageType.Video, 0, [0x90, .. "zzzz"u8, 1, 2])), "", "zzzz"),
            EndsAsync(server, "a broken configuration", HostileBytes.Connected(bytes => bytes.Publish("odd2").Media(RtmpMessageType.Video, 0, [0x17, 0, 0, 0, 0, 1, 2, 3])), "h264: avcC"),
            UnreadAnswersAsync(server),
            InsaneTimesAsync(server));
    }

    private static async Task HttpAsync(MillraceServer server)
    {
        await Task.WhenAll(
            HttpEndsAsync(server, "a long head", [.. HostileBytes.Http("GET / HTTP/1.1\r\nX: "), .. Enumerable.Repeat((byte)'x', 20_000)], "a request head of more than"),
            HttpEndsAsync(server, "garbage", HostileBytes.Random(20_000), "not an HTTP request"),
            HttpEndsAsync(server, "no request", HostileBytes.Http("hello\r\n\r\n"), "not an HTTP request"),
            HttpEndsAsync(server, "slow loris", HostileBytes.Http("GET /live/bystander.flv HTTP/1.1\r\nHost: h\r\nX-a: b"), "the request's head did not come in time"),
            HttpEndsAsync(server, "half closed", HostileBytes.Http("GET /live/bystander.flv HTTP/1.1\r\n"), "the peer closed the connection within a request's head", closesHalf: true),
            HttpEndsAsync(
                server, "an unmasked frame",
                [.. HostileBytes.Http("GET /live/bystander.flv HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n\r\n"), 1, 2, 3, 4],
                "an unmasked WebSocket frame"));
    }

    private static async Task TruncationsAsync(MillraceServer server)
    {
        foreach (var cut in (int[])[1, 1_000, 1_537, 3_073, 3_080, 3_200, 3_400, 3_700, 4_000, 4_500, 5_500, 6_499])
        {
            using var client = await HostileClient.ConnectAsync(server.RtmpPort);
            await client.SendAsync(HostileBytes.Capture.AsMemory(0, cut));
            client.CloseHalf();
            await client.EndsAsync(server, "the peer ", $"cut at {cut}");
        }
    }

    private static async Task LengthClaimsAsync(MillraceServer server)
    {
        var clients = new List<HostileClient>();
        for (var i = 0; i < 200; i++)
        {
            var client = await HostileClient.ConnectAsync(server.RtmpPort);
            clients.Add(client);
            await client.SendAsync((byte[])[.. HostileBytes.Handshake(), .. HostileBytes.LengthClaim()]);
        }

        foreach (var client in clients)
        {
            await client.EndsAsync(server, "no connect in time", "a claim of 16 MB");
            client.Dispose();
        }
    }

    /// <summary>What a connection that fails had still to be told must not reach the next one.</summary>
    private static async Task AnswersOfOthersAsync(MillraceServer server)
    {
        byte[] bad =
        [
            .. HostileBytes.Connected(bytes => bytes.Publish("odd3")), .. HostileBytes.Pings(3),
            .. new RtmpBytes().Media(RtmpMessageType.Video, 0, [0x90, .. "zzzz"u8, 1, 2]).ToArray(),
        ];
        for (var i = 0; i < 8; i++)
        {
            using (var client = await HostileClient.ConnectAsync(server.RtmpPort))
            {
                await client.SendAsync(bad);
                await client.EndsAsync(server, "", "an unknown codec");
            }

            using var next = await HostileClient.ConnectAsync(server.RtmpPort);
            await next.SendAsync(HostileBytes.Handshake());
            (await next.ReadAsync(1 + (2 * RtmpHandshake.PacketSize)))[0].ShouldBe(RtmpHandshake.Version);
        }
    }

    private static async Task UnreadAnswersAsync(MillraceServer server)
    {
        using var client = await HostileClient.ConnectAsync(server.RtmpPort, receiveBuffer: 4_096);
        await client.SendAsync(HostileBytes.Connected(bytes => { }));
        await client.SendForeverAsync(HostileBytes.Pings(4_000), TimeSpan.FromSeconds(5));
        await client.EndsAsync(server, "the peer does not read what it asked for", "unread answers");
    }

    private static async Task InsaneTimesAsync(MillraceServer server)
    {
        using var client = await HostileClient.ConnectAsync(server.RtmpPort);
        await client.SendAsync(HostileBytes.InsaneTimes("insane"));
        client.CloseHalf();
        await client.EndsAsync(server, "the peer closed the connection", "insane times");
    }

    private static byte[] LongConnect()
    {
        return new RtmpBytes().Connect("live", amf => amf.Member("pageUrl", new string('x', 20_000))).ToArray();
    }

    private static async Task EndsAsync(MillraceServer server, string what, byte[] bytes, string reason, string mentions = "")
    {
        using var client = await HostileClient.ConnectAsync(server.RtmpPort);
        await client.SendAsync(bytes);
        await client.EndsAsync(server, reason, what);
        client.ClosingLines(server).Single().ShouldContain(mentions);
    }

    private static async Task HttpEndsAsync(MillraceServer server, string what, byte[] bytes, string reason, bool closesHalf = false)
    {
        using var client = await HostileClient.ConnectAsync(server.HttpPort);
        await client.SendAsync(bytes);
        if (closesHalf)
            client.CloseHalf();
        await client.EndsAsync(server, reason, what);
    }
}
