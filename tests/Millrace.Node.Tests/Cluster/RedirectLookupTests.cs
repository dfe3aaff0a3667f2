using Millrace.Node.Cluster;
using Millrace.Streams;

namespace Millrace.Node.Tests.Cluster;

/// <summary>Where a client is sent, by what he asked for and what the owner says of itself.</summary>
public sealed class RedirectLookupTests
{
    private static readonly NodeStatus Owner = new("owner", "millrace://10.0.0.1:9000", "http://media.example:8080", DateTimeOffset.UnixEpoch, 0, 0, 0)
    {
        Https = "https://media.example",
        Rtmp = "rtmp://media.example:1936",
    };

    [Theory]
    [InlineData("default", false, "/live/x.flv", "", "http://media.example:8080/live/x.flv?redirected=1")]
    [InlineData("default", true, "/live/x/llhls.m3u8", "a=b", "https://media.example/live/x/llhls.m3u8?a=b&redirected=1")]
    [InlineData("tv.example", false, "/live/x.flv", "a=b", "http://media.example:8080/live/x.flv?a=b&vhost=tv.example&redirected=1")]
    [InlineData("tv.example", false, "/live/x.flv", "vhost=tv.example", "http://media.example:8080/live/x.flv?vhost=tv.example&redirected=1")]
    [InlineData("default", false, "/live/%C3%A4/seg_1.m4s", "", "http://media.example:8080/live/%C3%A4/seg_1.m4s?redirected=1")]
    public void An_HTTP_client_keeps_path_and_query_and_his_vhost_is_named(string vhost, bool isTls, string path, string query, string url) =>
        Answered(vhost, Owner).HttpUrl(isTls ? ClientProtocol.Https : ClientProtocol.Http, path, query).ShouldBe(url);

    [Theory]
    [InlineData("default", "live/x", "", "rtmp://media.example:1936/live?redirected=1", "rtmp://media.example:1936/live/x?redirected=1")]
    [InlineData("tv.example", "a/b/x", "k=v", "rtmp://media.example:1936/a/b?k=v&vhost=tv.example&redirected=1", "rtmp://media.example:1936/a/b/x?k=v&vhost=tv.example&redirected=1")]
    public void An_RTMP_client_is_told_where_to_connect_and_the_whole_URL(string vhost, string path, string query, string tcUrl, string url) =>
        Answered(vhost, Owner).RtmpUrl(path, query).ShouldBe(new RtmpRedirect(tcUrl, url));

    [Fact]
    public void Who_came_by_TLS_is_not_sent_to_a_node_without_it()
    {
        var lookup = Answered("default", Owner with { Https = "", Rtmp = "" });
        lookup.HttpUrl(ClientProtocol.Https, "/live/x.flv", "").ShouldBeNull();
        lookup.HttpUrl(ClientProtocol.Http, "/live/x.flv", "").ShouldNotBeNull();
        lookup.RtmpUrl("live/x", "").ShouldBeNull();
    }

    [Fact]
    public void Where_nobody_has_the_stream_nobody_is_sent()
    {
        var lookup = Answered("default", null);
        lookup.HttpUrl(ClientProtocol.Http, "/live/x.flv", "").ShouldBeNull();
        lookup.RtmpUrl("live/x", "").ShouldBeNull();
    }

    [Fact]
    public void What_a_node_says_of_itself_is_not_passed_on_unless_it_is_a_URL()
    {
        var json = """{"id":"owner","relay":"millrace://a:1","http":"http://a\r\nSet-Cookie: b","https":"https://a","rtmp":"no","streams":0,"sessions":0,"cpu":0,"started":"2026-01-01T00:00:00Z"}"""u8;
        var status = NodeStatus.Parse("owner", json).ShouldNotBeNull();
        status.Http.ShouldBe("");
        status.Https.ShouldBe("https://a");
        status.Rtmp.ShouldBe("");
        // As one of an earlier version says it.
        NodeStatus.Parse("b", """{"id":"b","relay":"","http":"http://b","streams":0,"sessions":0,"cpu":0,"started":"2026-01-01T00:00:00Z"}"""u8)!.Rtmp.ShouldBe("");
    }

    [Fact]
    public void The_status_says_what_others_send_clients_to()
    {
        var parsed = NodeStatus.Parse("owner", System.Text.Encoding.UTF8.GetBytes(Owner.ToJson())).ShouldNotBeNull();
        parsed.ShouldBe(Owner);
    }

    private static RedirectLookup Answered(string vhost, NodeStatus? owner)
    {
        var lookup = new RedirectLookup(new StreamName(vhost, "live", "x"));
        lookup.Complete(owner);
        return lookup;
    }
}
