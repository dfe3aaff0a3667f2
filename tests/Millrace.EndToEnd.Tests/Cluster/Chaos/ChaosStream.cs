using System.Net;
using System.Net.Sockets;
using Millrace.EndToEnd.Harness;
using Millrace.Node.Tests.Harness;

namespace Millrace.EndToEnd.Cluster.Chaos;

/// <summary>A stream and its publisher, who can leave and come back, to another node too.</summary>
/// <param name="app">Where it is played.</param>
/// <param name="name">What it is called.</param>
internal sealed class ChaosStream(string app, string name) : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20), Answer = TimeSpan.FromSeconds(5);

    private RtmpPeer? _publisher;
    private NumberedSource? _source;

    public string App => app;

    public string Name => name;

    /// <summary>As the API has it.</summary>
    public string FullName => $"default/{app}/{name}";

    /// <summary>The node that the publisher is connected to; null: a foreign server.</summary>
    public ChaosNode? PublishedAt { get; private set; }

    public bool HasPublisher => _publisher is { HasEnded: false };

    /// <summary>Tries until it is accepted, as encoders do.</summary>
    /// <param name="port">Of RTMP.</param>
    /// <param name="node">Whose port that is, if it is a node's.</param>
    public async Task PublishAsync(int port, ChaosNode? node)
    {
        Leave(isPolite: false);
        PublishedAt = node;
        IReadOnlyList<string> statuses = [];
        await Wait.UntilAsync(
            async () =>
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
                _publisher = new RtmpPeer(socket, $"rtmp://127.0.0.1:{port}/live", "live", name, isPublisher: true, isEnhanced: false);
                await Wait.UntilAsync(() => Task.FromResult(_publisher.IsReady || _publisher.HasEnded), Answer, () => "no answer to the publisher");
                statuses = _publisher.Statuses;
                if (!_publisher.IsReady || _publisher.HasEnded)
                    _publisher.Dispose();
                return _publisher.IsReady && !_publisher.HasEnded;
            },
            Deadline,
            () => $"{FullName} is not accepted: {string.Join(", ", statuses)}\n{node?.Server.Process.Tail()}");
        _source = new NumberedSource(_publisher!);
    }

    public void Leave(bool isPolite)
    {
        if (_publisher is null)
            return;
        _source?.Dispose();
        if (isPolite && !_publisher.HasEnded)
            _publisher.Unpublish();
        _publisher.Dispose();
        (_publisher, _source) = (null, null);
    }

    public void Dispose() => Leave(isPolite: false);
}
