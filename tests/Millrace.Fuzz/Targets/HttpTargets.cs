using System.Buffers;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Node;
using Millrace.Node.Http;
using Millrace.Node.Metrics;
using Millrace.Node.Sessions;
using Millrace.Node.Settings;
using Millrace.Streams;
using Millrace.Streams.Buffers;

namespace Millrace.Fuzz.Targets;

/// <summary>Requests as the shard looks at them, and what they resolve to.</summary>
internal sealed class HttpTarget() : FuzzTarget("http")
{
    private const string Chrome = "Host: example.org:8080\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: */*\r\nConnection: keep-alive\r\n";

    private readonly NodeContext _node = CreateNode();

    public override IReadOnlyList<Seed> Seeds { get; } =
    [
        Of("GET /live/cam.flv HTTP/1.1\r\n" + Chrome + "\r\n"),
        Of("GET /live/cam.flv?wait=10s&flv=legacy&vhost=default&token=a%20b HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"),
        Of("HEAD /a/b/c%C3%A9.flv?wait=500ms HTTP/1.0\r\nConnection: close, upgrade\r\n\r\n"),
        Of("GET /live/cam.flv HTTP/1.1\r\n" + Chrome.Replace("keep-alive", "Upgrade", StringComparison.Ordinal)
            + "Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"),
        Of("POST /live/cam.flv HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
        Of("GET /.flv HTTP/1.1\r\nHost: h\r\nX: \tfolded\r\n y\r\n\r\n"),
    ];

    public override int MaxLength => 16 * 1024;

    public override void Run(byte[] input, Random random)
    {
        var length = HttpRequestHead.Measure(input);
        BrokenInvariantException.ThrowIf(length > input.Length, $"a head of {length} in {input.Length} bytes");
        if (input.Length > 0)
            _ = HttpRequestHead.CanBePlain(input) && HttpRequestHead.CanBeHttp(input);
        if (length < 0 || !HttpRequestHead.TryParse(input.AsSpan(0, length), out var request))
            return;
        BrokenInvariantException.ThrowIf(request.Length != length, "a head of two lengths");
        var cut = random.Next(1, length);
        BrokenInvariantException.ThrowIf((request.IsGet || request.IsHead) && !HttpRequestHead.CanBeHttp(input.AsSpan(0, cut)), $"the first {cut} bytes of a request cannot be one");
        if (!MediaResource.IsMedia(request.Path))
            return;
        var asked = FlvRequest.Of(request);
        var resource = MediaResource.Resolve(_node, asked.Host, asked.Path, asked.Query);
        var written = new ArrayBufferWriter<byte>();
        HttpAnswerHead.Write(written, new MediaAnswer(resource, MediaRequestFields.Of(request)), _node.Settings, BodyFraming.Length, Persistence.Implied);
        var head = Encoding.ASCII.GetString(written.WrittenSpan);
        BrokenInvariantException.ThrowIf(head.IndexOf("\r\n\r\n", StringComparison.Ordinal) != head.Length - 4, "the answer's head was split");
        BrokenInvariantException.ThrowIf(resource.Explanation.AsSpan().TrimEnd('\n').IndexOfAnyInRange('\0', '\x1f') >= 0, "control characters are sent back");
    }

    /// <summary>A node without sockets, threads or streams.</summary>
    internal static NodeContext CreateNode()
    {
        var settings = new NodeSettings
        {
            Vhosts = [new VhostSettings { Name = "*.example.org", Aliases = ["example.org"] }, new VhostSettings { Name = VhostSettings.DefaultName }],
        };
        var registry = new StreamRegistry(new StreamResources(new BlockPool(), new MemoryBudget(1 << 20), new StreamOptions()));
        return new NodeContext(settings, registry, new SessionTable(NullLogger.Instance, new TrafficZones(settings)), NullLoggerFactory.Instance);
    }

    private static Seed Of(string text) => new(Encoding.Latin1.GetBytes(text));
}

/// <summary>Stream names as RTMP clients send them: tcUrl, app and stream on a line each.</summary>
internal sealed class AddressTarget() : FuzzTarget("addresses")
{
    /// <summary>Each of some ten parses makes a small string of each segment, and a path can be all slashes.</summary>
    public override long AllocatedPerByte => 512;

    private readonly NodeContext _node = HttpTarget.CreateNode();

    public override IReadOnlyList<Seed> Seeds { get; } =
    [
        Of("rtmp://127.0.0.1:1935/live\nlive\ncam?token=abc"), Of("rtmp://a.example.org/live/x\nlive/x?vhost=__defaultVhost__\nkey"),
        Of("rtmp://[::1]:1935/app\napp/\n/a/b//c?x=%zz&y=+%2b&&="), Of("\n\n"), Of("rtmp://h/live\n~live\nindex.m3u8"),
    ];

    public override int MaxLength => 8 * 1024;

    public override void Run(byte[] input, Random random)
    {
        var parts = Encoding.UTF8.GetString(input).Split('\n', 3);
        if (parts.Length < 3)
            return;
        Check(StreamAddress.TryParseRtmp(_node.Settings, parts[0], parts[1], parts[2], isPublish: true, out var publish, out var refused), publish, refused);
        Check(StreamAddress.TryParseRtmp(_node.Settings, parts[0], parts[1], parts[2], isPublish: false, out var play, out refused), play, refused);
        Check(StreamAddress.TryParseHttp(_node.Settings, parts[0], parts[1], parts[2], out var http, out refused), http, refused);
    }

    private static void Check(bool isParsed, StreamAddress? address, string? error)
    {
        BrokenInvariantException.ThrowIf(isParsed != address is not null || isParsed != error is null, "neither an address nor an error, or both");
        if (address?.Name is not { } name)
            return;
        var key = name.ToString();
        BrokenInvariantException.ThrowIf(key.Length > StreamName.MaxLength + 1, $"a name of {key.Length} characters");
        BrokenInvariantException.ThrowIf(key.Any(char.IsControl) || key.Contains("//", StringComparison.Ordinal), "a name that is not clean");
        BrokenInvariantException.ThrowIf(!StreamName.TryParse(name.Vhost, name.Path, out var again, out _) || again != name, "a name that does not parse again");
    }

    private static Seed Of(string text) => new(Encoding.UTF8.GetBytes(text));
}

/// <summary>What a viewer says over its WebSocket, whole and cut.</summary>
internal sealed class WebSocketTarget() : FuzzTarget("websocket")
{
    public override IReadOnlyList<Seed> Seeds { get; } =
    [
        new([0x89, 0x85, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0x82, 0x83, 0, 0, 0, 0, 1, 2, 3, 0x88, 0x82, 9, 9, 9, 9, 0x0A, 0xE1]),
        new([0x81, 0xFE, 1, 0, 1, 2, 3, 4, .. new byte[256], 0x8A, 0x80, 0, 0, 0, 0]),
        new([0x82, 0xFF, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4, .. new byte[100]]),
    ];

    public override int MaxLength => 4_096;

    public override void Run(byte[] input, Random random)
    {
        var whole = Read(input, new Cuts(null));
        var cut = Read(input, new Cuts(random));
        BrokenInvariantException.ThrowIf(whole != cut, $"whole: {whole}; in pieces: {cut}");
    }

    private static string Read(byte[] input, Cuts cuts)
    {
        var reader = new WebSocketReader();
        var replies = new Digest();
        int count = 0, taken = 0;
        while (taken < input.Length)
        {
            var end = cuts.Next(taken, taken, input.Length);
            var piece = input.AsSpan(taken, end - taken).ToArray().AsSpan();
            taken = end;
            while (reader.TryRead(ref piece, out var reply))
            {
                count++;
                replies.Add(reply.Span);
                // RFC 6455 5.5: control frames are at most 125 bytes and never fragmented.
                BrokenInvariantException.ThrowIf(reply.Length is < 2 or > 127 || reply.Span[1] != reply.Length - 2, "a malformed reply");
            }

            if (reader.Error is not null || reader.IsClosing)
                break;
        }

        return $"{count} replies {replies.Value:x8} {reader.IsClosing} {reader.Error}";
    }
}
