using System.Globalization;
using System.Text.RegularExpressions;
using Millrace.Configuration;
using Millrace.Node.Settings;
using Millrace.Tests.Configuration;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace Millrace.Tests.Deploy;

/// <summary>The cluster is written down in three places: ./dev cluster, deploy/compose.yml and the table of docs/cluster.md.</summary>
public sealed class ComposeTests
{
    private static readonly string Script = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "dev"));

    private static readonly Dictionary<string, Service> Services = ReadCompose();

    [Fact]
    public void Compose_has_the_nodes_of_the_script_with_their_roles_and_ports()
    {
        var script = NodesOfScript();
        script.Count.ShouldBe(3);
        Services.Keys.ShouldBe(script.Select(static node => node.Name).Prepend("redis"), ignoreOrder: true);
        foreach (var node in script)
        {
            var service = Services[node.Name];
            service.Command.ShouldBe(["run", "--role", node.Role]);
            service.Published().ShouldBe([node.Rtmp, node.Http, node.Relay, node.Api], node.Name);
        }
    }

    [Fact]
    public void The_manual_has_the_ports_of_the_script() =>
        Regex.Matches(File.ReadAllText(Path.Combine(RepositoryRoot.Path, "docs", "cluster.md")), @"^\| (?<name>\S+-server\S*) \| (?<rtmp>\d+) \| (?<http>\d+) \| (?<relay>\d+) \| (?<api>\d+) \|$", RegexOptions.Multiline)
            .Select(static row => (row.Groups["name"].Value, Port(row, "rtmp"), Port(row, "http"), Port(row, "relay"), Port(row, "api")))
            .ShouldBe(NodesOfScript().Select(static node => (node.Name, node.Rtmp, node.Http, node.Relay, node.Api)));

    [Fact]
    public void Inside_every_node_listens_on_the_default_ports()
    {
        var settings = new NodeSettings();
        int[] defaults = [settings.Rtmp.Listen[0].Port, settings.Http.Listen[0].Port, settings.Relay.Listen[0].Port, settings.Api.Listen[0].Port];
        foreach (var service in Nodes())
            service.Ports.Select(static port => int.Parse(port.Split(':')[^1], CultureInfo.InvariantCulture)).ShouldBe(defaults);
    }

    [Fact]
    public void What_asks_for_no_password_is_open_to_this_machine_only()
    {
        Services["redis"].Ports.ShouldHaveSingleItem().ShouldBe("127.0.0.1:6379:6379");
        foreach (var service in Nodes())
            service.Ports.Skip(2).ShouldAllBe(static port => port.StartsWith("127.0.0.1:", StringComparison.Ordinal));
    }

    [Fact]
    public void The_variables_make_a_cluster()
    {
        foreach (var (name, service) in Services.Where(static service => service.Key != "redis"))
        {
            var role = service.Command[^1];
            var settings = SettingsLoader.Load(new SettingsSources(null, null, service.Environment) { Role = role }).Valid();
            settings.Cluster.Node.ShouldBe(name);
            settings.Cluster.Map.ShouldBe(OriginMapKind.Redis);
            settings.Cluster.Redis.Endpoint.ToString().ShouldBe("redis:6379");
            // Others reach it by its service's name.
            settings.Cluster.Advertise.ShouldBe($"{name}:9000");
            if (role == "edge")
                string.Join(' ', settings.OriginsOf(settings.Vhosts[0], "live")!).ShouldBe("millrace://origin-server:9000");
            service.DependsOn.ShouldContain("redis");
        }

        var origin = NodesOfScript()[0];
        NodesOfScript().Skip(1).ShouldAllBe(node => node.Variable == $"ORIGIN_HOST=127.0.0.1:{origin.Relay}");
        // A line of the script for what all of them need; each is known by a port of its own.
        Script.ShouldContain("export REDIS_HOST=127.0.0.1:$redis OME_HOST_IP=127.0.0.1");
        foreach (var node in NodesOfScript())
            AdvertisedBy(node).ShouldBe($"127.0.0.1:{node.Relay}");
    }

    [Fact]
    public void Redis_is_started_as_the_script_starts_it()
    {
        var options = Regex.Match(Script, "redis-server --port .*? (--save .*?) >").Groups[1].Value.Replace("\"\"", "", StringComparison.Ordinal);
        string.Join(' ', Services["redis"].Command.Skip(1)).ShouldBe(options);
        Script.ShouldContain("redis=6379");
    }

    [Fact]
    public void The_image_is_built_once_and_the_others_neither_build_nor_fetch_it()
    {
        Nodes().Where(static service => service.Build is not null).ShouldHaveSingleItem().ShouldBe(Services["origin-server"]);
        foreach (var other in Nodes().Where(static service => service.Build is null))
        {
            other.PullPolicy.ShouldBe("never");
            other.DependsOn.ShouldContain("origin-server");
        }
    }

    [Fact]
    public void A_container_is_left_the_time_that_a_node_takes_to_stop()
    {
        foreach (var service in Nodes())
            int.Parse(service.StopGracePeriod.TrimEnd('s'), CultureInfo.InvariantCulture).ShouldBeGreaterThan((int)new NodeSettings().Shutdown.Deadline.TotalSeconds);
    }

    private static string AdvertisedBy(ScriptNode node)
    {
        var variables = new Dictionary<string, string> { ["OME_HOST_IP"] = "127.0.0.1", ["REDIS_HOST"] = "127.0.0.1", ["MILLRACE__RELAY__LISTEN"] = $":{node.Relay}" };
        return SettingsLoader.Load(new SettingsSources(null, null, variables) { Role = node.Role }).Valid().Cluster.Advertise;
    }

    private static IEnumerable<Service> Nodes() => Services.Values.Where(static service => service.Image == "millrace");

    private static List<ScriptNode> NodesOfScript() =>
    [
        .. Regex.Matches(Script, @"^ +cluster_node (?<name>\S+) (?<role>\S+) (?<rtmp>\d+) (?<http>\d+) (?<relay>\d+) (?<api>\d+)(?: (?<variable>\S+))?$", RegexOptions.Multiline)
            .Select(static call => new ScriptNode(
                call.Groups["name"].Value, call.Groups["role"].Value, Port(call, "rtmp"), Port(call, "http"), Port(call, "relay"), Port(call, "api"), call.Groups["variable"].Value)),
    ];

    private static int Port(Match match, string group) => int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    private static Dictionary<string, Service> ReadCompose()
    {
        using var reader = new StreamReader(Path.Combine(RepositoryRoot.Path, "deploy", "compose.yml"));
        var yaml = new DeserializerBuilder().IgnoreUnmatchedProperties().Build();
        return yaml.Deserialize<ComposeFile>(new MergingParser(new Parser(reader))).Services;
    }

    private sealed record ScriptNode(string Name, string Role, int Rtmp, int Http, int Relay, int Api, string Variable);

    private sealed class ComposeFile
    {
        [YamlMember(Alias = "services")]
        public Dictionary<string, Service> Services { get; set; } = [];
    }

    private sealed class Service
    {
        [YamlMember(Alias = "image")]
        public string Image { get; set; } = "";

        [YamlMember(Alias = "build")]
        public Dictionary<string, string>? Build { get; set; }

        [YamlMember(Alias = "pull_policy")]
        public string? PullPolicy { get; set; }

        [YamlMember(Alias = "command")]
        public List<string> Command { get; set; } = [];

        [YamlMember(Alias = "environment")]
        public Dictionary<string, string> Environment { get; set; } = [];

        [YamlMember(Alias = "ports")]
        public List<string> Ports { get; set; } = [];

        [YamlMember(Alias = "depends_on")]
        public Dictionary<string, object> Dependencies { get; set; } = [];

        [YamlMember(Alias = "stop_grace_period")]
        public string StopGracePeriod { get; set; } = "";

        [YamlIgnore]
        public IEnumerable<string> DependsOn => Dependencies.Keys;

        /// <summary>Ports of the host, in order.</summary>
        public IEnumerable<int> Published() => Ports.Select(static port => int.Parse(port.Split(':')[^2], CultureInfo.InvariantCulture));
    }
}
