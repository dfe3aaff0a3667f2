using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Millrace.Node.Settings;

namespace Millrace.Node.Tests.Harness;

/// <summary>A node of its own for one test: free ports on loopback, short times, its log captured.</summary>
internal sealed class TestNode : IAsyncDisposable
{
    private readonly ILoggerFactory _loggers;
    private readonly List<IDisposable> _clients = [];

    private TestNode(NodeSettings settings)
    {
        _loggers = LoggerFactory.Create(builder => builder.AddProvider(Log).AddFilter("Microsoft", LogLevel.Warning));
        Node = new MediaNode(settings, _loggers);
        TellsLogsAttribute.Keep(Node.Context.Id, Log);
    }

    public MediaNode Node { get; }

    public LogLines Log { get; } = new();

    public HttpClient Api { get; private set; } = null!;

    public HttpClient Page { get; private set; } = null!;

    public static NodeSettings Defaults => new()
    {
        Rtmp = new RtmpSettings { Listen = [Loopback] },
        Http = new HttpSettings { Listen = [Loopback] },
        Api = new ApiSettings { Listen = [Loopback] },
        Relay = new RelaySettings { Listen = [Loopback] },
        Shards = new ShardSettings { Count = 2 },
        Memory = new MemorySettings { Media = 256 << 20 },
        Merge = new MergeSettings { Default = TimeSpan.Zero },
        Tracks = new TrackSettings { Settle = TimeSpan.FromMilliseconds(50) },
        Publish = new PublishSettings { Grace = TimeSpan.FromSeconds(5) },
        Shutdown = new ShutdownSettings { Deadline = TimeSpan.FromSeconds(5) },
    };

    private static ListenEndpoint Loopback => new(IPAddress.Loopback, TestPorts.Free());

    public static async Task<TestNode> StartAsync(Func<NodeSettings, NodeSettings>? change = null)
    {
        var node = new TestNode(change is null ? Defaults : change(Defaults));
        await node.Node.StartAsync(TestContext.Current.CancellationToken);
        node.Api = node.Keep(new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{node.Node.ApiPort}") });
        node.Page = node.Keep(new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = new Uri($"http://127.0.0.1:{node.Node.HttpPort}") });
        return node;
    }

    /// <summary>Publishes and waits for the server's word.</summary>
    public async Task<RtmpPeer> PublishAsync(string app = "live", string name = "x")
    {
        var peer = Connect(app, name, isPublisher: true);
        await Wait.Until(() => peer.IsReady || peer.HasEnded, "a verdict on publish");
        return peer;
    }

    /// <summary>Asks to play; does not wait.</summary>
    public RtmpPeer Play(string app = "live", string name = "x", bool isEnhanced = true) => Connect(app, name, isPublisher: false, isEnhanced);

    public RawHttp OpenHttp() => Keep(new RawHttp(Node.HttpPort));

    /// <summary>A connection of the same port that a shard has handed to Kestrel: for a target in absolute form (RFC 9112 3.2.2).</summary>
    public RawHttp OpenKestrel()
    {
        var client = OpenHttp();
        client.Send(RawHttp.Get("http://localhost/no-stream.flv"));
        var answer = client.ReadHead();
        answer.Status.ShouldBe(400);
        client.ReadBody(answer);
        return client;
    }

    public Socket OpenSocket(int port)
    {
        var socket = Keep(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true });
        socket.Connect(IPAddress.Loopback, port);
        return socket;
    }

    public T Keep<T>(T client)
        where T : IDisposable
    {
        _clients.Add(client);
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        // First, for a node waits for its peers to take its last words.
        foreach (var client in _clients)
            client.Dispose();
        await Node.DisposeAsync();
        _loggers.Dispose();
    }

    private RtmpPeer Connect(string app, string name, bool isPublisher, bool isEnhanced = true) =>
        Keep(new RtmpPeer(OpenSocket(Node.RtmpPort), $"rtmp://127.0.0.1:{Node.RtmpPort}/{app}", app, name, isPublisher, isEnhanced));
}
