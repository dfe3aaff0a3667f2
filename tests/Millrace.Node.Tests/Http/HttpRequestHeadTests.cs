using System.Text;
using Millrace.Node.Http;

namespace Millrace.Node.Tests.Http;

public sealed class HttpRequestHeadTests
{
    private const string Plain = "GET /live/a.flv?wait=5s&flv=legacy HTTP/1.1\r\nHost: example.org:8080\r\nUser-Agent: me\r\n\r\n";

    [Fact]
    public void A_plain_request_is_read_whole()
    {
        var request = Parse(Plain).ShouldNotBeNull();

        request.Method.ShouldBe("GET");
        request.Path.ShouldBe("/live/a.flv");
        request.Query.ShouldBe("wait=5s&flv=legacy");
        request.Host.ShouldBe("example.org:8080");
        request.Agent.ShouldBe("me");
        request.Length.ShouldBe(Plain.Length);
        (request.HasBody, request.WantsClose, request.WantsUpgrade, request.IsVersion11).ShouldBe((false, false, false, true));
    }

    [Fact]
    public void Every_truncation_is_incomplete_and_may_still_become_plain()
    {
        var bytes = Encoding.ASCII.GetBytes(Plain);
        for (var length = 1; length < bytes.Length; length++)
        {
            HttpRequestHead.Measure(bytes.AsSpan(0, length)).ShouldBe(-1);
            HttpRequestHead.CanBePlain(bytes.AsSpan(0, length)).ShouldBeTrue();
        }
    }

    [Fact]
    public void What_follows_the_head_is_not_part_of_it() =>
        HttpRequestHead.Measure(Encoding.ASCII.GetBytes(Plain + Plain)).ShouldBe(Plain.Length);

    [Theory]
    [InlineData("\u0016\u0003\u0001")]
    [InlineData("get / HTTP/1.1\r\n")]
    [InlineData("\r\nGET / HTTP/1.1\r\n")]
    [InlineData("GET / HTTP/1.1\nHost: a\n\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\n")]
    [InlineData("GET / HTTP/1.1\r\n\n")]
    public void What_cannot_become_plain_is_not_waited_for(string start) =>
        HttpRequestHead.CanBePlain(Encoding.Latin1.GetBytes(start)).ShouldBeFalse();

    [Theory]
    [InlineData("GET http://h/live/a.flv HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData("GET * HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData("GET /a HTTP/2.0\r\nHost: h\r\n\r\n")]
    [InlineData("GET /a\r\nHost: h\r\n\r\n")]
    [InlineData("GET  /a HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData("GET /a b HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData("GET /\u00e4 HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData("GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost:\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost:\r\nHost: h\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: h i\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost : h\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: h\r\n\tfolded\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: h\r\nnothing\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: h\r\n: nameless\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: h\r\nX: a\nY: b\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: h/x\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: h:\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: h:x\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: h:1:2\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: :80\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: [::1\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: [::1]80\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: [h]\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: h,i\r\n\r\n")]
    [InlineData("GET /a%00b HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: h\r\nX: \u00e4\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: h\r\nX: a\u0001b\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: h\r\nX: a\tb\u007f\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1\r\nRange: bytes=2-3\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: h\r\nIf-None-Match: \"a\"\r\nif-none-match: \"b\"\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: h\r\nAccept-Encoding: br\r\nAccept-Encoding: gzip\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: h\r\nIf-Range: \"a\"\r\nIf-Range: \"a\"\r\n\r\n")]
    [InlineData("\r\n\r\n")]
    public void Whatever_is_unusual_is_left_to_Kestrel(string head) => Parse(head).ShouldBeNull();

    [Theory]
    [InlineData("Content-Length: 0", false)]
    [InlineData("Content-Length: 1", true)]
    [InlineData("Content-Length: 0, 0", true)]
    [InlineData("Content-Length: -1", true)]
    [InlineData("content-length: x", true)]
    [InlineData("Transfer-Encoding: chunked", true)]
    [InlineData("TRANSFER-ENCODING: identity", true)]
    public void A_body_is_seen(string header, bool hasBody) =>
        Parse($"GET /a HTTP/1.1\r\nHost: h\r\n{header}\r\n\r\n").ShouldNotBeNull().HasBody.ShouldBe(hasBody);

    [Theory]
    [InlineData("HTTP/1.1", "", false)]
    [InlineData("HTTP/1.1", "Connection: keep-alive\r\n", false)]
    [InlineData("HTTP/1.1", "Connection: Close\r\n", true)]
    [InlineData("HTTP/1.1", "Connection: x,\t close ,y\r\n", true)]
    [InlineData("HTTP/1.1", "Connection: closed\r\n", false)]
    [InlineData("HTTP/1.1", "Connection: close\r\nConnection: keep-alive\r\n", true)]
    [InlineData("HTTP/1.0", "", true)]
    [InlineData("HTTP/1.0", "Connection: Keep-Alive\r\n", false)]
    [InlineData("HTTP/1.0", "Connection: keep-alive, close\r\n", true)]
    public void The_end_of_the_connection_is_seen(string version, string header, bool wantsClose) =>
        Parse($"GET /a {version}\r\nHost: h\r\n{header}\r\n").ShouldNotBeNull().WantsClose.ShouldBe(wantsClose);

    [Fact]
    public void The_fields_that_choose_a_representation_are_read()
    {
        var request = Parse("HEAD /a?b?c HTTP/1.1\r\nHost: [::1]:80\r\nAccept-Encoding: gzip;q=0.5,\tbr\r\nIF-NONE-MATCH: \"a\", W/\"b\"\r\nRange: bytes=0-1\r\nIf-Range: \"a\"\r\n\r\n").ShouldNotBeNull();

        request.Representation.ShouldBe(("gzip;q=0.5,\tbr", "\"a\", W/\"b\"", "bytes=0-1", "\"a\""));
        (request.Target, request.Path, request.Query).ShouldBe(("/a?b?c", "/a", "b?c"));
    }

    [Fact]
    public void A_WebSocket_handshake_is_read()
    {
        var request = Parse("GET /live/a.flv HTTP/1.1\r\nHost: h\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Key: \t dGhlIHNhbXBsZSBub25jZQ== \t\r\nSec-WebSocket-Version: 13\r\n\r\n").ShouldNotBeNull();

        request.WantsUpgrade.ShouldBeTrue();
        request.Upgrade.ShouldBe("WebSocket");
        request.WebSocketKey.ShouldBe("dGhlIHNhbXBsZSBub25jZQ==");
        request.WebSocketVersion.ShouldBe("13");
    }

    [Fact]
    public void Random_damage_never_throws()
    {
        var random = new Random(1);
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = Encoding.ASCII.GetBytes(Plain);
            for (var damage = random.Next(1, 6); damage > 0; damage--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            HttpRequestHead.CanBePlain(bytes);
            var length = HttpRequestHead.Measure(bytes);
            if (length >= 0)
                _ = HttpRequestHead.TryParse(bytes.AsSpan(0, length), out _);
        }
    }

    private static Seen? Parse(string head)
    {
        var bytes = Encoding.Latin1.GetBytes(head);
        return HttpRequestHead.TryParse(bytes.AsSpan(0, HttpRequestHead.Measure(bytes)), out var request) ? new Seen(request) : null;
    }

    private sealed class Seen(in HttpRequestHead request)
    {
        public string Method { get; } = Text(request.Method);

        public string Target { get; } = Text(request.Target);

        public string Path { get; } = Text(request.Path);

        public string Query { get; } = Text(request.Query);

        public string Host { get; } = Text(request.Host);

        public string Agent { get; } = Text(request.Agent);

        public string Upgrade { get; } = Text(request.Upgrade);

        public string WebSocketKey { get; } = Text(request.WebSocketKey);

        public string WebSocketVersion { get; } = Text(request.WebSocketVersion);

        public (string AcceptEncoding, string IfNoneMatch, string Range, string IfRange) Representation { get; } =
            (Text(request.AcceptEncoding), Text(request.IfNoneMatch), Text(request.Range), Text(request.IfRange));

        public int Length { get; } = request.Length;

        public bool HasBody { get; } = request.HasBody;

        public bool WantsClose { get; } = request.WantsClose;

        public bool WantsUpgrade { get; } = request.WantsUpgrade;

        public bool IsVersion11 { get; } = request.IsVersion11;

        private static string Text(ReadOnlySpan<byte> bytes) => Encoding.ASCII.GetString(bytes);
    }
}
