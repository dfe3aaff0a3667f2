using System.Net;
using Millrace.Node.Access;
using Millrace.Streams;

namespace Millrace.Node.Tests.Access;

/// <summary>What a client shows to be let in.</summary>
public sealed class AccessPapersTests
{
    private static readonly StreamName Name = new("default", "live", "x");

    [Theory]
    [InlineData("token=a&_t=123", "token=a")]
    [InlineData("key=b&x=1&token=a", "token=a&key=b")]
    [InlineData("sig=1%2B2&expires=9", "sig=1%2B2&expires=9")]
    [InlineData("sig=1&_HLS_msn=5&_HLS_part=1&vhost=v&wait=5s&flv=legacy&redirected=1", "sig=1")]
    [InlineData("token=", "token=")]
    [InlineData("", "")]
    public void A_token_stands_alone_and_other_arguments_but_for_those_of_delivery(string query, string papers) =>
        AccessPapers.Of(StreamAddress.ArgumentsOf(query)).ShouldBe(papers);

    [Theory]
    [InlineData("Bearer abc", "abc")]
    [InlineData("bearer  abc ", "abc")]
    [InlineData("Basic YTpi", "")]
    [InlineData("", "")]
    public void A_bearer_token_is_a_token(string field, string token) => AccessPapers.BearerOf(field).ShouldBe(token);

    [Fact]
    public void The_query_comes_before_the_bearer_token_and_that_before_the_cookie_and_that_before_other_arguments()
    {
        var cookie = $"a=1; {AccessPapers.CookieNameOf(Name)}=token%3Dc; b=2";
        PapersOf("token=q", "Bearer b", cookie).ShouldBe("token=q");
        PapersOf("x=1", "Bearer b", cookie).ShouldBe("token=b");
        PapersOf("x=1", "", cookie).ShouldBe("token=c");
        PapersOf("x=1", "", "a=1").ShouldBe("x=1");
    }

    [Fact]
    public void A_cookie_is_of_one_stream_and_goes_back_as_it_was_shown()
    {
        var field = AccessPapers.Cookie(Name, "token=a%3Bb", "/live/x", isHttps: false);
        field.ShouldBe($"{AccessPapers.CookieNameOf(Name)}=token%3Da%253Bb; Path=/live/x; HttpOnly");
        AccessPapers.Cookie(Name, "token=a", "/", isHttps: true).ShouldEndWith("; HttpOnly; Secure; SameSite=None");

        var sent = field.Split(';')[0];
        AccessPapers.OfCookie(sent, Name).ShouldBe("token=a%3Bb");
        AccessPapers.OfCookie(sent, Name with { Name = "y" }).ShouldBe("");
    }

    [Fact]
    public void What_is_longer_than_another_node_would_read_is_nothing() =>
        AccessPapers.Of(StreamAddress.ArgumentsOf("token=" + new string('a', 5_000))).ShouldBe("");

    [Fact]
    public void A_claim_prints_nothing_of_what_is_shown()
    {
        var claim = new AccessClaim(Name, AccessAction.Play, "token=geheim") { Introduction = new RtmpIntroduction("rtmp://h/a?token=geheim", "", "") };
        $"{claim}".ShouldBe("Play default/live/x");
    }

    [Fact]
    public void How_an_rtmp_client_introduced_himself_counts_where_an_origin_is_told_of_it()
    {
        var one = new AccessClaim(Name, AccessAction.Play, "token=a") { Introduction = new RtmpIntroduction("rtmp://h/live", "", "") };
        var other = one with { Introduction = new RtmpIntroduction("rtmp://h/live", "", "http://page"), Client = "10.0.0.1:5000" };
        one.KeyOf(isIntroduced: false).ShouldBe(other.KeyOf(isIntroduced: false));
        one.KeyOf(isIntroduced: true).ShouldNotBe(other.KeyOf(isIntroduced: true));
    }

    private static string PapersOf(string query, string authorization, string cookie) => new HttpPapers(query, authorization, cookie) { Client = new IPEndPoint(IPAddress.Loopback, 1) }.ClaimFor(Name).Papers;
}
