using Millrace.Node.Settings;

namespace Millrace.Node.Tests.Addresses;

public sealed class StreamAddressTests
{
    private const string Url = "rtmp://localhost/live";

    private static readonly NodeSettings Settings = new()
    {
        Vhosts =
        [
            new VhostSettings
            {
                Name = "default",
                Apps =
                [
                    new AppSettings { Name = "guarded", Publish = new PublishOverrides { Token = new Secret("t0") } },
                    new AppSettings { Name = "keyed/*", Publish = new PublishOverrides { Key = PublishKeyMode.Name } },
                    new AppSettings { Name = "keyed", Publish = new PublishOverrides { Token = new Secret("t1") } },
                ],
            },
            new VhostSettings { Name = "one.example.org", Aliases = ["uno.example.org"] },
            new VhostSettings { Name = "*.wild.example.org" },
        ],
    };

    [Theory]
    [InlineData("live", "a", "default/live/a")]
    [InlineData("live/a", "", "default/live/a")]
    [InlineData("", "live/a", "default/live/a")]
    [InlineData("live/", "/a/", "default/live/a")]
    [InlineData("/live//", "//a", "default/live/a")]
    [InlineData("a/b/c", "d", "default/a/b/c/d")]
    [InlineData("a", "b/c/d", "default/a/b/c/d")]
    [InlineData("live?token=k", "a", "default/live/a")]
    [InlineData("live", "a?token=k&x=1", "default/live/a")]
    public void Clients_that_split_differently_mean_the_same_stream(string app, string stream, string name)
    {
        Rtmp(app, stream).Name.ToString().ShouldBe(name);
        Rtmp(app, stream, isPublish: false).Name.ToString().ShouldBe(name);
    }

    [Theory]
    [InlineData("live", "a?token=k%2B1+2", "k+1 2")]
    [InlineData("live?token=k", "a", "k")]
    [InlineData("live?token=first", "a?token=second", "first")]
    [InlineData("live", "a?token", "")]
    [InlineData("live", "a", "")]
    public void Arguments_come_from_app_and_stream(string app, string stream, string token) =>
        Rtmp(app, stream).Argument("token").ShouldBe(token);

    [Theory]
    [InlineData("live/ID", "KEY-1234")]
    [InlineData("live", "ID/KEY-1234")]
    [InlineData("", "live/ID/KEY-1234")]
    [InlineData("live/ID/KEY-1234", "")]
    [InlineData("live/ID", "KEY-1234?x=1")]
    public void A_key_as_the_stream_name_is_no_part_of_the_name_however_it_is_split(string app, string stream)
    {
        var address = Rtmp(app, stream);

        address.Name.ToString().ShouldBe("default/live/ID");
        address.ToString().ShouldNotContain("KEY-1234");
    }

    [Fact]
    public void A_player_that_names_a_key_is_refused_without_repeating_it()
    {
        StreamAddress.TryParseRtmp(Settings, Url, "live/ID", "KEY-1234", isPublish: false, out _, out var error).ShouldBeFalse();

        error!.ShouldNotContain("KEY-1234");
    }

    [Theory]
    [InlineData("guarded", "a")]
    [InlineData("guarded/a", "")]
    [InlineData("", "guarded/a")]
    [InlineData("/guarded/", "/a")]
    [InlineData("//guarded", "a")]
    public void An_apps_token_holds_however_the_name_is_split(string app, string stream) =>
        Rtmp(app, stream).Publish.Token.Value.ShouldBe("t0");

    [Fact]
    public void An_apps_token_holds_for_a_stream_that_is_named_with_a_key()
    {
        var address = Rtmp("keyed/ID", "KEY");

        address.Name.ToString().ShouldBe("default/keyed/ID");
        address.Publish.Token.Value.ShouldBe("t1");
    }

    [Theory]
    [InlineData("rtmp://one.example.org/live", "live", "one.example.org")]
    [InlineData("rtmp://ONE.example.org:1935/live", "live", "one.example.org")]
    [InlineData("rtmp://uno.example.org/live", "live", "one.example.org")]
    [InlineData("rtmp://a.b.wild.example.org/live", "live", "*.wild.example.org")]
    [InlineData("rtmp://[::1]:1935/live", "live", "default")]
    [InlineData("rtmp://other.example.org/live", "live", "default")]
    [InlineData("", "live", "default")]
    [InlineData("rtmp://other/live", "live?vhost=one.example.org", "one.example.org")]
    [InlineData("rtmp://other/live?vhost=one.example.org", "live", "one.example.org")]
    [InlineData("rtmp://one.example.org/live", "live?vhost=__defaultVhost__", "default")]
    [InlineData("rtmp://one.example.org/live", "live?vhost=unknown", "one.example.org")]
    public void Only_configured_names_select_a_vhost(string tcUrl, string app, string vhost)
    {
        StreamAddress.TryParseRtmp(Settings, tcUrl, app, "a", true, out var address, out _).ShouldBeTrue();
        address!.Name.Vhost.ShouldBe(vhost);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("live", "")]
    [InlineData("", "a")]
    [InlineData("live", "..")]
    [InlineData("live", "a\nb")]
    [InlineData("live", "a\0")]
    [InlineData("live", "a%2fb")]
    [InlineData("live", "x.flv")]
    [InlineData("live", "index.m3u8")]
    [InlineData("live", "whip")]
    [InlineData("~", "x")]
    [InlineData("v1", "x")]
    [InlineData("assets/x", "y")]
    public void What_no_stream_may_be_called_is_refused(string app, string stream)
    {
        StreamAddress.TryParseRtmp(Settings, Url, app, stream, true, out _, out var error).ShouldBeFalse();
        error.ShouldNotBeNullOrEmpty();
        error.ShouldAllBe(c => !char.IsControl(c));
    }

    [Theory]
    [InlineData("/live/a", "default/live/a")]
    [InlineData("/a/b/c", "default/a/b/c")]
    [InlineData("//live//a", "default/live/a")]
    [InlineData("/live/%61", "default/live/a")]
    [InlineData("/live/%E2%82%AC", "default/live/\u20ac")]
    [InlineData("/live/a+b", "default/live/a+b")]
    public void A_path_names_a_stream(string path, string name)
    {
        StreamAddress.TryParseHttp(Settings, "localhost:8080", path, "", out var address, out _).ShouldBeTrue();
        address!.Name.ToString().ShouldBe(name);
    }

    [Theory]
    [InlineData("/a")]
    [InlineData("/")]
    [InlineData("")]
    [InlineData("/live%2fa")]
    [InlineData("/live%2Fa/b")]
    [InlineData("/live%5Ca/b")]
    [InlineData("/live/../a")]
    [InlineData("/live/%2e%2e/a")]
    [InlineData("/live/a%00")]
    [InlineData("/live/a%0d%0aX:")]
    [InlineData("/live/%ff")]
    [InlineData("/live/%252e")]
    [InlineData("/live/%3Fx")]
    [InlineData("/live/a.flv")]
    [InlineData("/metrics/a")]
    public void An_odd_path_is_refused(string path)
    {
        StreamAddress.TryParseHttp(Settings, "localhost", path, "", out _, out var error).ShouldBeFalse();
        error.ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public void A_name_of_eight_kilobytes_is_refused_without_repeating_it()
    {
        StreamAddress.TryParseHttp(Settings, "localhost", "/live/" + new string('a', 8_192), "", out _, out var error).ShouldBeFalse();
        error!.Length.ShouldBeLessThan(100);
    }

    [Fact]
    public void Only_so_many_arguments_are_kept()
    {
        var query = string.Join('&', Enumerable.Range(0, 10_000).Select(i => $"a{i}=1"));
        StreamAddress.TryParseHttp(Settings, "localhost", "/live/a", query, out var address, out _).ShouldBeTrue();
        address!.Arguments.Count.ShouldBeLessThanOrEqualTo(32);
    }

    private static StreamAddress Rtmp(string app, string stream, bool isPublish = true)
    {
        StreamAddress.TryParseRtmp(Settings, Url, app, stream, isPublish, out var address, out var error).ShouldBeTrue(error);
        return address!;
    }
}
