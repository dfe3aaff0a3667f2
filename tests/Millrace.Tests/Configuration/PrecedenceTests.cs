using Millrace.Node.Settings;

namespace Millrace.Tests.Configuration;

public sealed class PrecedenceTests
{
    [Fact]
    public void Without_any_source_the_defaults_hold()
    {
        var settings = Loading.Load().Valid();
        settings.Rtmp.ChunkSize.ShouldBe(60_000);
        settings.Rtmp.Listen.ShouldBe([new ListenEndpoint(null, 1935)]);
        settings.Vhosts.Select(v => v.Name).ShouldBe(["default"]);
    }

    [Fact]
    public void Each_source_beats_the_one_before_it()
    {
        const string yaml = "rtmp:\n  chunk_size: 5000\n  ping: 2m\n  max_streams: 50";
        var settings = Loading.Load(yaml, "restreamer-edge",
            ("RTMP_SERVER_PING", "100"), ("RTMP_SERVER_MAX_STREAMS", "51"), ("MILLRACE__RTMP__MAX_STREAMS", "52")).Valid();

        settings.Limits.Connections.ShouldBe(15_000, "a default");
        settings.Rtmp.MaxMessage.ShouldBe(1 << 20, "from the preset");
        settings.Rtmp.ChunkSize.ShouldBe(5000, "the file over the preset");
        settings.Rtmp.Ping.ShouldBe(TimeSpan.FromSeconds(100), "a variable over the file");
        settings.Rtmp.MaxStreams.ShouldBe(52, "our own variable over an inherited one");
    }

    [Fact]
    public void The_origin_of_each_value_is_known()
    {
        var loaded = Loading.Load("rtmp:\n  chunk_size: 5000", "restreamer-edge", ("MILLRACE__RTMP__PING", "5s"));
        loaded.OriginOf("rtmp.chunk_size").Line.ShouldBe(2);
        loaded.OriginOf("rtmp.max_message").Source.ShouldBe("preset restreamer-edge");
        loaded.OriginOf("rtmp.ping").ToString().ShouldBe("MILLRACE__RTMP__PING");
        loaded.OriginOf("page.list").ToString().ShouldBe("default");
    }

    [Fact]
    public void A_variable_reaches_every_level_in_any_case()
    {
        var settings = Loading.Load(null, null,
            ("MILLRACE__HTTP__CORS__ALLOW_ORIGIN", "https://example.org"), ("millrace__page__List", "off"),
            ("MILLRACE__MEMORY__MEDIA", "512MB"), ("MILLRACE_OTHER", "not ours")).Valid();
        settings.Http.Cors.AllowOrigin.ShouldBe("https://example.org");
        settings.Page.List.ShouldBeFalse();
        settings.Memory.Media.ShouldBe(512L << 20);
    }

    [Fact]
    public void A_variable_with_commas_is_a_list() =>
        Loading.Load(null, null, ("MILLRACE__RTMP__LISTEN", ":1935, [::1]:1936")).Valid()
            .Rtmp.Listen.Select(e => e.ToString()).ShouldBe([":1935", "[::1]:1936"]);

    [Fact]
    public void An_empty_variable_is_an_empty_list() =>
        Loading.Load(null, null, ("MILLRACE__API__LISTEN", "")).Valid().Api.Listen.ShouldBeEmpty();

    [Fact]
    public void Indexes_change_and_extend_the_list_of_the_file()
    {
        const string yaml = "vhosts:\n- name: a.example\n  aliases: [b.example, c.example]";
        var vhosts = Loading.Load(yaml, null,
            ("MILLRACE__VHOSTS__0__ALIASES__1", "d.example"), ("MILLRACE__VHOSTS__1__NAME", "e.example"),
            ("MILLRACE__VHOSTS__1__APPS__0__NAME", "live/*"), ("MILLRACE__VHOSTS__1__APPS__0__PUBLISH__TOKEN", "t")).Valid().Vhosts;

        vhosts.Select(v => v.Name).ShouldBe(["a.example", "e.example", "default"]);
        vhosts[0].Aliases.ShouldBe(["b.example", "d.example"]);
        vhosts[1].Apps[0].Publish.Token!.Value.Value.ShouldBe("t");
    }

    [Fact]
    public void A_list_in_the_file_replaces_the_one_of_the_preset() =>
        Loading.Load("http:\n  listen: ':8000'", "ome-live").Valid().Http.Listen.ShouldBe([new ListenEndpoint(null, 8000)]);

    [Fact]
    public void Loading_leaves_the_defaults_alone()
    {
        Loading.Load("rtmp:\n  chunk_size: 4096\n  listen: [':1']").Valid();
        new NodeSettings().Rtmp.ChunkSize.ShouldBe(60_000);
        new NodeSettings().Rtmp.Listen[0].Port.ShouldBe(1935);
    }

    [Theory]
    [InlineData("auto", null)]
    [InlineData("", null)]
    [InlineData("50ms", 50)]
    [InlineData("0", 0)]
    public void Auto_and_nothing_leave_the_choice_to_the_server(string text, int? milliseconds) =>
        Loading.Load($"merge:\n  rtmp: {text}").Valid().Merge.Rtmp.ShouldBe(milliseconds is { } ms ? TimeSpan.FromMilliseconds(ms) : null);

    [Fact]
    public void A_section_with_everything_commented_out_changes_nothing() =>
        Loading.Load("rtmp:\n#  ping: 1s\nhttp:\n").Valid().Rtmp.Ping.ShouldBe(TimeSpan.FromMinutes(1));

    [Fact]
    public void Anchors_say_a_value_once() =>
        Loading.Load("limits:\n  write_timeout: &t 5s\nrtmp:\n  timeout: *t").Valid().Rtmp.Timeout.ShouldBe(TimeSpan.FromSeconds(5));
}
