using Millrace.Node.Relay;
using Millrace.Node.Settings;
using Millrace.Streams;

namespace Millrace.Node.Tests.Relay;

public sealed class OriginAddressTests
{
    private static readonly StreamName Stream = new("a.example.org", "live/eu", "x y");

    private static readonly NodeSettings Settings = new()
    {
        Vhosts =
        [
            new VhostSettings { Name = VhostSettings.DefaultName },
            new VhostSettings { Name = "a.example.org" },
            new VhostSettings { Name = "b.example.org", UpstreamVhost = "cdn-[vhost]" },
        ],
    };

    [Theory]
    [InlineData("millrace://h", "millrace://h:9000")]
    [InlineData("millraces://h", "millraces://h:9443")]
    [InlineData("rtmp://h", "rtmp://h:1935")]
    [InlineData("rtmps://h/a", "rtmps://h:443/a")]
    [InlineData("rtmps://[::1]:1936", "rtmps://[::1]:1936")]
    [InlineData("rtmp://h:19350/a/b/", "rtmp://h:19350/a/b")]
    [InlineData("http://h", "http://h:80")]
    [InlineData("https://h", "https://h:443")]
    [InlineData("h", "rtmp://h:1935")]
    [InlineData("10.0.0.1:19350", "rtmp://10.0.0.1:19350")]
    [InlineData("rtmp://[::1]", "rtmp://[::1]:1935")]
    public void Origins_have_the_usual_ports(string text, string expected)
    {
        OriginAddress.TryParse(text, out var address, out var error).ShouldBeTrue(error);
        address!.ToString().ShouldBe(expected);
    }

    [Fact]
    public void An_origin_without_a_scheme_is_spoken_to_as_its_vhost_says()
    {
        OriginAddress.TryParse("h", out var address, out _, UpstreamProtocol.Flv).ShouldBeTrue();
        address.ToString().ShouldBe("http://h:80");
    }

    [Theory]
    [InlineData("srt://h")]
    [InlineData("millrace://h/live")]
    [InlineData("millraces://h/live")]
    [InlineData("rtmp://")]
    [InlineData("rtmp://user@h")]
    [InlineData("http://h/?a=b")]
    [InlineData("")]
    public void What_is_no_origin_is_refused(string text)
    {
        OriginAddress.TryParse(text, out _, out var error).ShouldBeFalse();
        error.ShouldNotBeNullOrEmpty();
    }

    [Theory]
    [InlineData("rtmp://h", "rtmp://a.example.org/live/eu", "x y?k=v")]
    [InlineData("rtmp://h:1936", "rtmp://a.example.org:1936/live/eu", "x y?k=v")]
    [InlineData("rtmp://h/p", "rtmp://a.example.org/p/live/eu", "x y?k=v")]
    [InlineData("rtmps://h", "rtmps://a.example.org/live/eu", "x y?k=v")]
    [InlineData("rtmps://h:1936", "rtmps://a.example.org:1936/live/eu", "x y?k=v")]
    [InlineData("rtmp://h/all/{vhost}-{name}", "rtmp://a.example.org/all", "a.example.org-x y?k=v")]
    public void A_stream_is_called_the_same_at_an_rtmp_server_unless_the_origin_says_otherwise(string origin, string tcUrl, string name)
    {
        var target = TargetOf(origin, Stream);
        target.TcUrl.ShouldBe(tcUrl);
        target.StreamName.ShouldBe(name);
    }

    [Theory]
    [InlineData("http://h", "a.example.org", "/live/eu/x%20y.flv?k=v")]
    [InlineData("https://h:444/p", "a.example.org:444", "/p/live/eu/x%20y.flv?k=v")]
    public void A_stream_is_a_file_at_an_http_server(string origin, string host, string path)
    {
        var target = TargetOf(origin, Stream);
        target.Host.ShouldBe(host);
        target.RequestTarget.ShouldBe(path);
    }

    [Theory]
    [InlineData("a HTTP/1.1\r\nHost: other\r\n\r\nDELETE /x HTTP/1.1\r\nX:=y", "a%20HTTP/1.1%0D%0AHost:%20other%0D%0A%0D%0ADELETE%20/x%20HTTP/1.1%0D%0AX:=y")]
    [InlineData("k=\u00e9\ud83c\udfa5&t=%41+b", "k=%C3%A9%F0%9F%8E%A5&t=%41+b")]
    public void Whatever_a_client_has_in_its_query_the_request_to_an_http_server_is_one_line(string query, string sent) =>
        ForeignTarget.Of(Settings, OriginAddress.TryParseUrl("http://h/live/x.flv")!, Stream, query).RequestTarget.ShouldBe("/live/x.flv?" + sent);

    [Theory]
    [InlineData("rtmp://h/app/other?a=b", "rtmp://h:1935/app/other", "other?a=b")]
    [InlineData("rtmp://h/app/other", "rtmp://h:1935/app/other", "other?k=v")]
    [InlineData("rtmps://h/app/other", "rtmps://h:443/app/other", "other?k=v")]
    [InlineData("millrace://h/a.example.org/live/eu/x", "millrace://h:9000", "x y?k=v")]
    [InlineData("millraces://h/a.example.org/live/eu/x", "millraces://h:9443", "x y?k=v")]
    public void A_url_of_the_origin_map_is_all_there_is_to_ask_for(string url, string shown, string name)
    {
        var address = OriginAddress.TryParseUrl(url)!;
        address.ToString().ShouldBe(shown);
        ForeignTarget.Of(Settings, address, Stream, "k=v").StreamName.ShouldBe(name);
    }

    [Fact]
    public void The_default_vhost_is_known_by_the_origins_name_and_others_may_have_another_one_there()
    {
        TargetOf("rtmp://h", Stream with { Vhost = VhostSettings.DefaultName }).TcUrl.ShouldBe("rtmp://h/live/eu");
        TargetOf("rtmp://h", Stream with { Vhost = "b.example.org" }).TcUrl.ShouldBe("rtmp://cdn-b.example.org/live/eu");
    }

    [Fact]
    public void A_server_may_send_on_to_one_with_TLS()
    {
        var from = TargetOf("rtmp://h", Stream);
        OriginAddress.TryFollow("rtmps://b.example/live/eu", from)!.ToString().ShouldBe("rtmps://b.example:443/live/eu/x y");
    }

    [Theory]
    [InlineData("rtmps://h", "rtmp://b.example/live/eu")]
    [InlineData("https://h", "http://b.example/live/eu/x.flv")]
    [InlineData("https://h", "rtmp://b.example/live/eu")]
    [InlineData("rtmp://h", "millrace://b.example:9000/default/live/x")]
    public void A_server_may_not_send_on_to_one_without_TLS_from_one_with_it_nor_to_a_node(string origin, string url) =>
        OriginAddress.TryFollow(url, TargetOf(origin, Stream)).ShouldBeNull();

    private static ForeignTarget TargetOf(string origin, StreamName stream)
    {
        OriginAddress.TryParse(origin, out var address, out var error).ShouldBeTrue(error);
        return ForeignTarget.Of(Settings, address!, stream, "k=v&vhost=elsewhere");
    }
}
