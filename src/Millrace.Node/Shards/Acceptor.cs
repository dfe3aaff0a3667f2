using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Millrace.Node.Settings;

namespace Millrace.Node.Shards;

/// <summary>
/// The one thread that accepts for every listener whose sockets live on shards, and deals them out: to the shard with the
/// fewest connections.
/// </summary>
internal sealed unsafe class Acceptor(Shard[] shards, ConnectionCounts counts, ILogger logger) : IDisposable
{
    private const int Backlog = 4_096;
    private const int PollMillis = 200;

    private readonly List<Listener> _listeners = [];
    private readonly RefusalLog _refusals = new(logger);
    private Thread? _thread;
    private volatile bool _stops;

    /// <summary>Opens a listener. The exception's message names the setting when the address is taken.</summary>
    public int Listen(ListenEndpoint endpoint, string setting, Func<ShardSocket, Shard, ShardConnection> open)
    {
        var socket = Bind(endpoint, setting);
        _listeners.Add(new Listener(socket, open));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    public void Start()
    {
        _thread = new Thread(Run) { Name = "acceptor", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Takes no more connections.</summary>
    public void Stop()
    {
        _stops = true;
        _thread?.Join();
        Dispose();
    }

    public void Dispose()
    {
        foreach (var listener in _listeners)
            listener.Socket.Dispose();
        _listeners.Clear();
    }

    private static Socket Bind(ListenEndpoint endpoint, string setting)
    {
        var isAny = endpoint.Address is null;
        var isDual = isAny && Socket.OSSupportsIPv6;
        var address = endpoint.Address ?? (isDual ? IPAddress.IPv6Any : IPAddress.Any);
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (isDual)
                socket.DualMode = true;
            // So that a restart does not wait for TIME_WAIT. No SO_REUSEPORT: a second node must fail here.
            Native.SetOption((int)socket.Handle, Native.SolSocket, Native.SoReuseAddress, 1);
            socket.Bind(new IPEndPoint(address, endpoint.Port));
            socket.Listen(Backlog);
            socket.Blocking = false;
            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new ListenException($"{setting}: cannot listen on {endpoint}: {Describe(e)}", e);
        }
    }

    private static string Describe(SocketException e) => e.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse => "the port is taken by another process",
        SocketError.AccessDenied => "not allowed (ports below 1024 need privileges)",
        SocketError.AddressNotAvailable => "this machine does not have the address",
        _ => e.Message,
    };

    private void Run()
    {
        var descriptors = stackalloc PollDescriptor[_listeners.Count];
        for (var i = 0; i < _listeners.Count; i++)
            descriptors[i] = new PollDescriptor { Descriptor = (int)_listeners[i].Socket.Handle, Events = Native.PollIn };
        while (!_stops)
        {
            if (Native.Poll(descriptors, (nuint)_listeners.Count, PollMillis) <= 0)
                continue;
            for (var i = 0; i < _listeners.Count; i++)
            {
                if (descriptors[i].Returned != 0)
                    AcceptAll(_listeners[i], descriptors[i].Descriptor);
            }
        }
    }

    private void AcceptAll(Listener listener, int listening)
    {
        const int AddressBytes = 128;
        var address = stackalloc byte[AddressBytes];
        while (!_stops)
        {
            var length = AddressBytes;
            var descriptor = Native.Accept(listening, address, &length, Native.NonBlocking | Native.CloseOnExec);
            if (descriptor < 0)
            {
                PauseWhenExhausted(Native.LastError);
                return;
            }

            Deal(listener, descriptor, ReadAddress(new ReadOnlySpan<byte>(address, length)));
        }
    }

    private void PauseWhenExhausted(int error)
    {
        if (error is not (Native.EMFile or Native.ENFile))
            return;
        logger.LogError("no descriptors left: a connection waits; see limits.connections and ulimit -n");
        Thread.Sleep(PollMillis);
    }

    private void Deal(Listener listener, int descriptor, IPEndPoint remote)
    {
        if (counts.TryEnter(remote.Address) is { } refusal)
        {
            _ = Native.Close(descriptor);
            _refusals.Add(remote, refusal);
            return;
        }

        Native.SetOption(descriptor, Native.ProtocolTcp, Native.TcpNoDelay, 1);
        var socket = new ShardSocket(descriptor, remote, counts);
        var shard = shards[0];
        foreach (var other in shards)
        {
            if (other.ConnectionCount < shard.ConnectionCount)
                shard = other;
        }

        shard.Expect();
        shard.Post(() =>
        {
            var connection = listener.Open(socket, shard);
            if (!shard.TryAdopt(connection))
                connection.Close("epoll refused the socket");
            else
                connection.OnAdopted(NodeClock.Micros);
        });
    }

    /// <summary><c>struct sockaddr_in</c> and <c>sockaddr_in6</c>; IPv4 clients of a dual listener come as IPv4.</summary>
    private static IPEndPoint ReadAddress(ReadOnlySpan<byte> address)
    {
        const short InterNetwork = 2;
        var family = BitConverter.ToInt16(address);
        var port = BinaryPrimitives.ReadUInt16BigEndian(address[2..]);
        var ip = family == InterNetwork ? new IPAddress(address.Slice(4, 4)) : new IPAddress(address.Slice(8, 16));
        return new IPEndPoint(ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip, port);
    }

    private sealed record Listener(Socket Socket, Func<ShardSocket, Shard, ShardConnection> Open);
}

/// <summary>An address could not be listened on; the message names the setting.</summary>
internal sealed class ListenException(string message, Exception inner) : Exception(message, inner);
