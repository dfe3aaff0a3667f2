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
    public void The_file_stands_above_the_role()
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
