using Millrace.Configuration;
using Millrace.Node.Settings;

namespace Millrace.Tests.Configuration;

public sealed class RoleTests
{
    [Theory]
    [InlineData("origin-server", "millrace://origin-server:9000")]
    [InlineData("10.0.0.1:9001,10.0.0.2", "millrace://10.0.0.1:9001 millrace://10.0.0.2:9000")]
    [InlineData("millrace://a:1 b", "millrace://a:1 millrace://b:9000")]
    public void An_edge_fetches_from_the_hosts_of_the_environment(string hosts, string expected)
    {
        var settings = Load("edge", ("ORIGIN_HOST", hosts)).Valid();
        settings.Vhosts.Single().Mode.ShouldBe(VhostMode.Remote);
        string.Join(' ', settings.OriginsOf(settings.Vhosts[0], "live")!).ShouldBe(expected);
    }

    [Fact]
    public void An_edge_without_an_origin_is_told_so_unless_a_map_knows()
    {
        Load("edge").ErrorLines().ShouldBe(["--role: vhosts[0].origin: is missing: where are the streams to be fetched from?"]);
        Load("edge", ("REDIS_HOST", "redis")).Valid().Vhosts.Single().Mode.ShouldBe(VhostMode.Remote);
    }

    [Theory]
    [InlineData("10.0.0.1", "10.0.0.1:9000")]
    [InlineData("*", "")]
    [InlineData("", "")]
    public void Origins_and_edges_are_known_by_their_addresses(string host, string expected)
    {
        Load("origin", ("OME_HOST_IP", host)).Valid().Cluster.Advertise.ShouldBe(expected);
        var edge = Load("edge", ("OME_HOST_IP", host), ("ORIGIN_HOST", "origin-server")).Valid();
        edge.Cluster.Advertise.ShouldBe(expected);
        edge.Vhosts.Single().Origin.ShouldBe(["millrace://origin-server:9000"]);
    }

    [Fact]
    public void Their_addresses_have_the_ports_that_they_listen_on()
    {
        Load("origin", ("OME_HOST_IP", "10.0.0.1"), ("MILLRACE__RELAY__LISTEN", ":9001")).Valid().Cluster.Advertise.ShouldBe("10.0.0.1:9001");
        Load("origin", ("OME_HOST_IP", "10.0.0.1:9100"), ("MILLRACE__RELAY__LISTEN", ":9001")).Valid().Cluster.Advertise.ShouldBe("10.0.0.1:9100");
        Load("origin", ("OME_HOST_IP", "10.0.0.1/8")).ErrorLines().ShouldHaveSingleItem().ShouldStartWith("OME_HOST_IP: cluster.advertise: ");
    }

    [Theory]
    [InlineData("vhosts: [{name: default, access: {play: token, play_tokens: [a]}}]")]
    [InlineData("vhosts: [{name: __defaultVhost__, mode: remote}]")]
    [InlineData("vhosts: [{name: tv.example}]")]
    [InlineData("vhosts: []")]
    [InlineData("hls: {segment: 2s}")]
    public void What_the_file_does_not_say_of_mode_and_origins_the_role_says(string yaml)
    {
        var loaded = Loading.LoadAs("edge", yaml, [("ORIGIN_HOST", "origin-server")]);
        var settings = loaded.Valid();
        settings.Vhosts.ShouldAllBe(vhost => vhost.Mode == VhostMode.Remote && vhost.Origin.SequenceEqual(new[] { "millrace://origin-server:9000" }));
        settings.Vhosts.ShouldContain(static vhost => vhost.Name == VhostSettings.DefaultName);
        loaded.Notices.ShouldBeEmpty();
    }

    [Fact]
    public void What_the_file_says_of_them_stands()
    {
        var settings = Loading.LoadAs("edge", "vhosts: [{name: default, origin: 'millrace://b:1'}, {name: tv.example, mode: local}]", [("ORIGIN_HOST", "a")]).Valid();
        settings.OriginsOf(settings.Vhosts[0], "live").ShouldBe(["millrace://b:1"]);
        settings.OriginsOf(settings.Vhosts[1], "live").ShouldBeNull();
    }

    [Fact]
    public void Variables_that_do_nothing_are_pointed_out()
    {
        Load("origin", ("ORIGIN_HOST", "a")).Notices.ShouldBe(["ORIGIN_HOST: without effect but with --role edge"]);
        Load("node", ("ORIGIN_HOST", "a"), ("OME_HOST_IP", "b")).Notices
            .ShouldBe(["ORIGIN_HOST: without effect but with --role edge", "OME_HOST_IP: without effect but with --role origin or --role edge"]);
        Load("node", ("ORIGIN_HOST", ""), ("OME_HOST_IP", "*")).Notices.ShouldBeEmpty();
        Loading.LoadAs("edge", "vhosts: [{name: default, mode: local}]", [("ORIGIN_HOST", "a")]).Notices
            .ShouldBe(["--role edge: nothing is fetched from anywhere, for the configuration says mode: local"]);
    }

    [Fact]
    public void Variables_stand_above_the_role()
    {
        var loaded = SettingsLoader.Load(new SettingsSources(null, null, new Dictionary<string, string> { ["MILLRACE__VHOSTS__0__MODE"] = "local" }) { Role = "edge" });
        loaded.Valid().Vhosts.Single().Mode.ShouldBe(VhostMode.Local);
    }

    [Fact]
    public void A_role_that_there_is_not_is_an_error_that_names_those_there_are() =>
        Load("edgy").ErrorLines().ShouldBe(["--role: 'edgy' is no role; did you mean edge?"]);

    private static LoadedSettings Load(string role, params (string Name, string Value)[] variables) =>
        SettingsLoader.Load(new SettingsSources(null, null, variables.ToDictionary(static v => v.Name, static v => v.Value)) { Role = role });
}
