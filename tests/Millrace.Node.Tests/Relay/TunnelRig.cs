using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Millrace.Node.Relay;
using Millrace.Node.Settings;
using Millrace.Node.Shards;
using Millrace.Node.Tests.Harness;

namespace Millrace.Node.Tests.Relay;

/// <summary>The tunnels of a node that connects and of one that listens; in place of shards the test has their ends.</summary>
internal sealed class TunnelRig : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Channel<ShardSocket> _accepted = Channel.CreateUnbounded<ShardSocket>();
    private readonly List<IDisposable> _open = [];

    /// <param name="client">Of the node that connects.</param>
    /// <param name="server">Of the node that listens.</param>
    /// <param name="handshakeTime">The limit; null: the usual one.</param>
    public TunnelRig(RelayTlsSettings client, RelayTlsSettings server, TimeSpan? handshakeTime = null)
    {
        Client = Create(client, ClientLog, handshakeTime);
        Server = Create(server, ServerLog, handshakeTime);
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _ = AcceptAsync();
    }

    public TlsTunnels Client { get; }

    public TlsTunnels Server { get; }

    public LogLines ClientLog { get; } = new();

    public LogLines ServerLog { get; } = new();

    /// <summary>Where <see cref="Server"/> takes connections.</summary>
    public int Port { get; }

    public static RelayTlsSettings Settings(TestAuthority authority, (string Certificate, string Key) own, bool requires = false) => new()
    {
        Certificate = own.Certificate,
        Key = own.Key,
        Authority = authority.Path,
        ClientCertificates = requires,
    };

    /// <summary>Both ends of a tunnel, the connecting one first.</summary>
    public async Task<(ShardEnd Client, ShardEnd Server)> ConnectAsync()
    {
        var client = Open();
        return (client, Keep(new ShardEnd(await _accepted.Reader.ReadAsync(TestContext.Current.CancellationToken))));
    }

    /// <summary>The connecting end.</summary>
    public ShardEnd Open(int? port = null, string host = "localhost")
    {
        var origin = new OriginAddress(OriginKind.Millrace, host, port ?? Port) { IsTls = true };
        var socket = Client.TryOpen(origin, new IPEndPoint(IPAddress.Loopback, origin.Port), out var error);
        return Keep(new ShardEnd(socket ?? throw new InvalidOperationException(error)));
    }

    /// <summary>A connection that the rig's tunnels know nothing of.</summary>
    public Socket OpenPlain()
    {
        var socket = Keep(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = (int)Wait.Deadline.TotalMilliseconds });
        socket.Connect(IPAddress.Loopback, Port);
        return socket;
    }

    public void Dispose()
    {
        _stopping.Cancel();
        _listener.Stop();
        _open.ForEach(static open => open.Dispose());
        _stopping.Dispose();
    }

    private T Keep<T>(T open)
        where T : IDisposable
    {
        _open.Add(open);
        return open;
    }

    private TlsTunnels Create(RelayTlsSettings tls, LogLines log, TimeSpan? handshakeTime)
    {
        var settings = new NodeSettings { Relay = new RelaySettings { Tls = tls } };
        var logger = log.CreateLogger("Relay");
        return new TlsTunnels(settings, RelayTls.Open(settings, logger, NodeClock.Micros), logger, _stopping.Token) { HandshakeTime = handshakeTime ?? TimeSpan.FromSeconds(5) };
    }

    private async Task AcceptAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            var socket = await _listener.AcceptSocketAsync(_stopping.Token);
            var remote = (IPEndPoint)socket.RemoteEndPoint!;
            var descriptor = (int)socket.Handle;
            // It is the tunnel's from here on.
            socket.SafeHandle.SetHandleAsInvalid();
            Server.Accept(new ShardSocket(descriptor, remote, counts: null), ready => _accepted.Writer.TryWrite(ready));
        }
    }
}

/// <summary>What a shard has of a tunnel.</summary>
internal sealed class ShardEnd(ShardSocket socket) : IDisposable
{
    private readonly SafeSocketHandle _handle = new(socket.Descriptor, ownsHandle: false);
    private readonly Lock _gate = new();
    private Socket? _socket;

    /// <summary>One, whichever thread asks first.</summary>
    public Socket Socket
    {
        get
        {
            lock (_gate)
                return _socket ??= new Socket(_handle) { ReceiveTimeout = (int)Wait.Deadline.TotalMilliseconds };
        }
    }

    public string? Fault => socket.Fault;

    /// <summary>As a shard does that has nothing more to do with it.</summary>
    public void Close() => socket.Close();

    /// <summary>All that comes until the end.</summary>
    public byte[] ReadToEnd()
    {
        var all = new MemoryStream();
        var buffer = new byte[65_536];
        for (int count; (count = Socket.Receive(buffer)) > 0;)
            all.Write(buffer, 0, count);
        return all.ToArray();
    }

    public void Dispose()
    {
        Close();
        _handle.Dispose();
    }
}
