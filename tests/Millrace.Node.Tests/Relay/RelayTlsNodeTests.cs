using System.Globalization;
using System.Net;
using System.Text.Json;
using Millrace.Node.Relay;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;
using Millrace.Node.Tests.Hls;
using Millrace.Streams;

namespace Millrace.Node.Tests.Relay;

/// <summary>Nodes that are linked by <c>millraces://</c>, each with a certificate, and foreign servers behind TLS.</summary>
public sealed class RelayTlsNodeTests : IDisposable
{
    private readonly TestAuthority _authority = new();

    public void Dispose() => _authority.Dispose();

    [Fact]
    public async Task A_stream_comes_whole_over_TLS_and_both_sides_show_that_it_does()
    {
        await using var origin = await OriginAsync();
        await using var edge = await EdgeAsync(origin);
        using var source = new NumberedSource(await origin.PublishAsync());
        var player = edge.Play();
        await Wait.Until(() => player.MediaCount > 100, "media");

        ShouldBeWhole(NumberedSource.NumbersOf(player));
        using var above = await ClusterAsync(origin);
        above.RootElement.GetProperty("node").GetProperty("clientCertificates").GetBoolean().ShouldBeTrue();
        above.RootElement.GetProperty("node").GetProperty("relayTls")[0].GetString().ShouldBe($"127.0.0.1:{origin.Node.RelayTlsPort}");
        var down = above.RootElement.GetProperty("downstreams").EnumerateArray().ShouldHaveSingleItem();
        (down.GetProperty("node").GetString(), down.GetProperty("encrypted").GetBoolean()).ShouldBe(("edge", true));
        using var below = await ClusterAsync(edge);
        var up = below.RootElement.GetProperty("upstreams").EnumerateArray().ShouldHaveSingleItem();
        (up.GetProperty("origin").GetString(), up.GetProperty("encrypted").GetBoolean()).ShouldBe((OriginOf(origin), true));
    }

    [Fact]
    public async Task Objects_are_the_same_bytes_on_both_nodes()
    {
        await using var hls = await HlsNode.StartAsync(frames: 300);
        using var front = new TlsFront(_authority.Sign("origin"), hls.Node.Node.RelayPort);
        await using var edge = await RelayNodes.StartAsync("edge", [FormattableString.Invariant($"millraces://localhost:{front.Port}")],
            settings => Secured(settings, "edge") with { Hls = HlsNode.Short });
        var playlist = await edge.Page.GetStringAsync(hls.Video, TestContext.Current.CancellationToken);

        foreach (var uri in HlsNode.Uris(playlist))
            (await edge.Page.GetByteArrayAsync($"/live/x/{uri}", TestContext.Current.CancellationToken)).ShouldBe(await hls.Bytes($"/live/x/{uri}"));
        front.Names.ShouldAllBe(static name => name == "localhost");
    }

    [Fact]
    public async Task A_renewal_breaks_no_link_and_holds_for_the_next()
    {
        await using var origin = await OriginAsync();
        await using var edge = await EdgeAsync(origin);
        using var source = new NumberedSource(await origin.PublishAsync());
        var player = edge.Play();
        await Wait.Until(() => player.MediaCount > 50, "media");
        _authority.Sign("origin", days: 77);
        _authority.Sign("edge", days: 77);

        OriginAddress.TryParse(OriginOf(origin), out var address, out _).ShouldBeTrue();
        var probe = new RelayProbe(Secured(new NodeSettings { Cluster = new ClusterSettings { Node = "probe" } }, "edge"));
        await Wait.Until(
            async () => (await probe.RunAsync(address, TestContext.Current.CancellationToken)).ValidUntil > DateTime.UtcNow.AddDays(76), "the new certificate is shown");

        using var second = new NumberedSource(await origin.PublishAsync(name: "y"));
        var next = edge.Play(name: "y");
        await Wait.Until(() => next.MediaCount > 50, "media over another link");
        ShouldBeWhole(NumberedSource.NumbersOf(player));
        ShouldBeWhole(NumberedSource.NumbersOf(next));
        (await ClusterAsync(edge)).RootElement.GetProperty("upstreams").EnumerateArray().ShouldAllBe(static up => up.GetProperty("switches").GetInt32() == 0);
    }

    [Fact]
    public async Task The_files_are_looked_at_without_a_handshake_too()
    {
        await using var origin = await OriginAsync();
        File.WriteAllText(_authority.File("origin.pem"), "not a certificate");

        await Wait.Until(() => origin.Log.Containing("the certificate in force stays").Count == 1, "the look");
    }

    [Fact]
    public async Task A_publisher_at_the_edge_is_published_over_TLS()
    {
        await using var origin = await OriginAsync();
        await using var edge = await EdgeAsync(origin);
        using var source = new NumberedSource(await edge.PublishAsync());
        var player = origin.Play();
        await Wait.Until(() => player.MediaCount > 50, "media at the origin");
        ShouldBeWhole(NumberedSource.NumbersOf(player));
    }

    [Fact]
    public async Task What_a_node_says_when_it_stops_and_when_it_refuses_reaches_the_other_side()
    {
        var origin = await OriginAsync();
        await using var edge = await EdgeAsync(origin);
        using var source = new NumberedSource(await origin.PublishAsync());
        var player = edge.Play();
        await Wait.Until(() => player.MediaCount > 50, "media");
        using var nothing = await edge.Page.GetAsync("/live/nothing.flv", TestContext.Current.CancellationToken);
        nothing.StatusCode.ShouldBe(HttpStatusCode.NotFound);

        await origin.DisposeAsync();
        await Wait.Until(() => edge.Log.Containing("the node is shutting down").Count > 0, "its last word");
    }

    [Fact]
    public async Task A_secret_can_be_asked_for_besides_certificates()
    {
        await using var origin = await OriginAsync(static settings => settings with { Relay = settings.Relay with { Secret = new Secret("theirs") } });
        await using var edge = await EdgeAsync(origin);
        using var answer = await edge.Page.GetAsync("/live/x.flv", TestContext.Current.CancellationToken);

        answer.IsSuccessStatusCode.ShouldBeFalse();
        await SaysAsync(edge, "refused: 401 the peer has no shared secret");
    }

    [Fact]
    public async Task Who_writes_the_wrong_scheme_is_told_so_on_both_sides()
    {
        await using var origin = await OriginAsync(static settings => settings with
        {
            Relay = settings.Relay with { Listen = [new ListenEndpoint(IPAddress.Loopback, 0)], Secret = new Secret("s") },
        });
        await using var plain = await RelayNodes.StartAsync("plain", [FormattableString.Invariant($"millrace://localhost:{origin.Node.RelayTlsPort}")], Hasty);
        await using var secure = await RelayNodes.StartAsync("secure", [FormattableString.Invariant($"millraces://localhost:{origin.Node.RelayPort}")],
            settings => Secured(settings, "edge"));
        using var first = await plain.Page.GetAsync("/live/x.flv", TestContext.Current.CancellationToken);
        using var second = await secure.Page.GetAsync("/live/x.flv", TestContext.Current.CancellationToken);

        await SaysAsync(plain, "the peer speaks TLS, and this side does not");
        await SaysAsync(origin, "it does not speak TLS, which this port is for");
        await SaysAsync(secure, "the peer ended the connection in the TLS handshake: does it speak TLS there?");
        await SaysAsync(origin, "the peer speaks TLS, and this side does not");
    }

    [Fact]
    public async Task An_edge_whose_certificate_is_refused_is_answered_at_once_and_told_why_it_may_be()
    {
        await using var origin = await OriginAsync();
        await using var edge = await RelayNodes.StartAsync("edge", [OriginOf(origin)],
            settings => Hasty(settings) with { Relay = settings.Relay with { Tls = new RelayTlsSettings { Authority = _authority.Path } } });
        using var answer = await edge.Page.GetAsync("/live/x.flv", TestContext.Current.CancellationToken);

        answer.IsSuccessStatusCode.ShouldBeFalse();
        await SaysAsync(edge, "does it ask for a certificate, and accept this node's?");
        await SaysAsync(origin, "it shows no certificate");
        await Wait.Until(() => origin.Node.Connections.Total == 0, "nothing of it is left");
    }

    [Fact]
    public async Task The_origin_map_says_by_which_scheme_a_node_is_reached()
    {
        var port = TestPorts.Free();
        await using var origin = await OriginAsync(settings => settings with
        {
            // Nodes of other tests are in the map too.
            Cluster = settings.Cluster with { Node = "mapped-by-tls", Advertise = $"localhost:{port}" },
            Relay = settings.Relay with { Tls = settings.Relay.Tls with { Listen = [new ListenEndpoint(IPAddress.Loopback, port)] } },
        });
        await using var edge = await RelayNodes.StartAsync("edge", [],
            settings => Secured(settings, "edge") with { Cluster = new ClusterSettings { Node = "edge", Advertise = "localhost:1" } });
        using var source = new NumberedSource(await origin.PublishAsync());
        var player = edge.Play();
        await Wait.Until(() => player.MediaCount > 50, "media");

        using var below = await ClusterAsync(edge);
        below.RootElement.GetProperty("upstreams")[0].GetProperty("origin").GetString().ShouldBe($"millraces://localhost:{port}");
        below.RootElement.GetProperty("nodes").EnumerateArray().Single(static node => node.GetProperty("id").GetString() == "mapped-by-tls").GetProperty("relay").GetString()
            .ShouldBe($"millraces://localhost:{port}");
    }

    [Fact]
    public async Task An_rtmps_server_is_an_origin_and_a_target_of_forward()
    {
        await using var server = await TestNode.StartAsync();
        using var front = new TlsFront(_authority.Sign("rtmps"), server.Node.RtmpPort);
        var url = string.Create(CultureInfo.InvariantCulture, $"rtmps://localhost:{front.Port}");
        await using var edge = await RelayNodes.StartAsync("edge", [url], Trusting);
        await using var publishing = await RelayNodes.StartAsync("publishing", [], settings => Trusting(settings) with
        {
            Vhosts = [new VhostSettings { Name = VhostSettings.DefaultName, Forward = [$"{url}/copy/{{name}}"] }],
        });
        await using var doubtful = await RelayNodes.StartAsync("doubtful", [url], Hasty);
        using var source = new NumberedSource(await publishing.PublishAsync());
        var copy = server.Play("copy");
        var player = edge.Play("copy");
        await Wait.Until(() => copy.MediaCount > 50 && player.MediaCount > 50, "media there and back");

        ShouldBeWhole(NumberedSource.NumbersOf(copy));
        ShouldBeWhole(NumberedSource.NumbersOf(player));
        front.Names.ShouldAllBe(static name => name == "localhost");
        using var refused = await doubtful.Page.GetAsync("/copy/x.flv", TestContext.Current.CancellationToken);
        refused.IsSuccessStatusCode.ShouldBeFalse();
        await SaysAsync(doubtful, "is not of an authority that is trusted here");
    }

    private static string OriginOf(TestNode node) => FormattableString.Invariant($"millraces://localhost:{node.Node.RelayTlsPort}");

    private static async Task<JsonDocument> ClusterAsync(TestNode node) => JsonDocument.Parse(await node.Api.GetStringAsync("/v1/cluster", TestContext.Current.CancellationToken));

    private static void ShouldBeWhole(List<int> numbers) => numbers.ShouldBe([.. Enumerable.Range(numbers[0], numbers.Count)]);

    /// <summary>Takes nodes by TLS only, with certificates of the authority.</summary>
    private Task<TestNode> OriginAsync(Func<NodeSettings, NodeSettings>? change = null) => RelayNodes.StartAsync("origin", [], settings =>
    {
        settings = Secured(settings, "origin");
        settings = settings with { Relay = settings.Relay with { Listen = [] } };
        return change is null ? settings : change(settings);
    });

    /// <summary>Each side has its own word on a connection, and the other may have gone on by then.</summary>
    private static Task SaysAsync(TestNode node, string what) => Wait.Until(() => node.Log.Containing(what).Count > 0, what);

    private Task<TestNode> EdgeAsync(TestNode origin) => RelayNodes.StartAsync("edge", [OriginOf(origin)], settings => Secured(settings, "edge"));

    private NodeSettings Secured(NodeSettings settings, string name)
    {
        var (certificate, key) = (_authority.File($"{name}.pem"), _authority.File($"{name}.key"));
        if (!File.Exists(certificate))
            _authority.Sign(name);
        var tls = new RelayTlsSettings { Listen = [new ListenEndpoint(IPAddress.Loopback, 0)], Certificate = certificate, Key = key, Authority = _authority.Path, ClientCertificates = true };
        return Hasty(settings) with { Relay = settings.Relay with { Tls = tls } };
    }

    /// <summary>What cannot come is not waited for long.</summary>
    private static NodeSettings Hasty(NodeSettings settings) => settings with { Edge = settings.Edge with { StartTimeout = TimeSpan.FromSeconds(1) } };

    private NodeSettings Trusting(NodeSettings settings) => settings with { Edge = settings.Edge with { Tls = new EdgeTlsSettings { Authority = _authority.Path } } };
}
