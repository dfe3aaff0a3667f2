using Millrace.Node.Settings;
using Millrace.Tests.Configuration;

namespace Millrace.Tests.Settings;

public sealed class EffectiveSettingsTests
{
    private static readonly NodeSettings Settings = Loading.Load("""
        publish: {token: all, grace: 5s}
        hls: {segment: 4s, segments: 6, ts: {fragment: 3s, nested: true}}
        merge:
          default: 40ms
          flv: 50ms
          streams: [{match: "*/fast/*", window: 0}]
        vhosts:
          - name: a.example
            aliases: ["*.a.example"]
            apps:
              - name: private
                merge: 60ms
                publish: {token: own, key: name}
              - name: live/x
                publish: {key: none, token: ""}
                hls: {enabled: false, segment: 2s, ts: {cut: after, nested: false}}
          - name: "*.b.a.example"
        """).Valid();

    [Theory]
    [InlineData("a.example", "a.example")]
    [InlineData("A.Example", "a.example")]
    [InlineData("x.a.example", "a.example")]
    [InlineData("x.b.a.example", "*.b.a.example")]
    [InlineData("other.example", "default")]
    [InlineData("", "default")]
    [InlineData("default", "default")]
    [InlineData("__defaultVhost__", "default")]
    public void A_host_selects_its_vhost_or_default(string host, string name) => Settings.VhostOf(host).Name.ShouldBe(name);

    [Theory]
    [InlineData("other.example", "app", "all", nameof(PublishKeyMode.None))]
    [InlineData("other.example", "live", "all", nameof(PublishKeyMode.None))]
    [InlineData("other.example", "live/", "all", nameof(PublishKeyMode.None))]
    [InlineData("other.example", "live/ID", "all", nameof(PublishKeyMode.Name))]
    [InlineData("a.example", "private", "own", nameof(PublishKeyMode.Name))]
    [InlineData("a.example", "live/x", "", nameof(PublishKeyMode.None))]
    [InlineData("a.example", "live/y", "all", nameof(PublishKeyMode.Name))]
    public void An_app_publishes_by_its_own_rules(string host, string app, string token, string key)
    {
        var publish = Settings.PublishOf(Settings.VhostOf(host), app);
        publish.Token.Value.ShouldBe(token);
        publish.Key.ToString().ShouldBe(key);
        publish.Grace.ShouldBe(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void An_app_has_HLS_of_its_own_where_it_says_so()
    {
        Settings.HlsOf(Settings.VhostOf("a.example"), "private").ShouldBe(Settings.Hls);
        Settings.HlsOf(Settings.VhostOf("other.example"), "live/x").ShouldBe(Settings.Hls);
        Settings.HlsOf(Settings.VhostOf("a.example"), "live/x").ShouldBe(new HlsSettings
        {
            Enabled = false,
            Segment = TimeSpan.FromSeconds(2),
            Segments = 6,
            Ts = new TsHlsSettings { Fragment = TimeSpan.FromSeconds(3), Cut = TsCut.After },
        });
    }

    [Theory]
    [InlineData("app", nameof(MergeFormat.Rtmp), 40)]
    [InlineData("app", nameof(MergeFormat.WsFlv), 40)]
    [InlineData("app", nameof(MergeFormat.Flv), 50)]
    [InlineData("private", nameof(MergeFormat.Flv), 60)]
    [InlineData("fast", nameof(MergeFormat.Flv), 0)]
    public void The_most_specific_window_holds(string app, string format, int milliseconds) =>
        Settings.MergeOf(Settings.VhostOf("a.example"), app, "name", Enum.Parse<MergeFormat>(format)).TotalMilliseconds.ShouldBe(milliseconds);

    [Theory]
    [InlineData(30, null, 40)]
    [InlineData(0, null, 0)]
    [InlineData(30, 10, 10)]
    public void Links_wait_a_third_longer_than_viewers_unless_told_otherwise(int merge, int? relay, int milliseconds)
    {
        var settings = new NodeSettings { Merge = new MergeSettings { Default = TimeSpan.FromMilliseconds(merge), Relay = relay is { } own ? TimeSpan.FromMilliseconds(own) : null } };
        settings.MergeOf(settings.VhostOf("a.example"), "live", "x", MergeFormat.Relay).TotalMilliseconds.ShouldBe(milliseconds);
    }

    [Theory]
    [InlineData(null, 4)]
    [InlineData(0, 4)]
    [InlineData(3, 3)]
    public void Shards_are_one_per_core_unless_counted(int? count, int shards) =>
        new ShardSettings { Count = count }.EffectiveCount(4).ShouldBe(shards);

    [Theory]
    [InlineData("*", "", true)]
    [InlineData("", "", true)]
    [InlineData("", "a", false)]
    [InlineData("a*c", "abbc", true)]
    [InlineData("a*c", "abbcd", false)]
    [InlineData("*ab", "aab", true)]
    [InlineData("v/*/n?", "v/a/b/n1", true)]
    [InlineData("v/*/n?", "v/n1", false)]
    [InlineData("A", "a", false)]
    [InlineData("*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false)]
    public void A_star_is_any_run_and_a_question_mark_any_one(string pattern, string text, bool matches) =>
        Glob.IsMatch(pattern, text).ShouldBe(matches);

    [Fact]
    public void A_secret_never_prints()
    {
        $"{Settings.Publish}".ShouldNotContain("all");
        Settings.Publish.Token.Matches("all").ShouldBeTrue();
        Settings.Publish.Token.Matches("al").ShouldBeFalse();
        default(Secret).Matches("").ShouldBeFalse();
    }
}
