using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Millrace.Node.Settings;

namespace Millrace.Node.Shards;

/// <summary>
/// The one thread that accepts for every listener whose sockets live on shards, and deals them out: to the shard with the
/// fewest connections.
/// </summary>
internal sealed unsafe class Acceptor(Shard[] shards, ConnectionCounts counts, ILogger logger) : IDisposable
{
    private const int PollMillis = 200;

    private const long ComplaintMicros = 1_000_000;

    private readonly List<Listener> _listeners = [];
    private readonly RefusalLog _refusals = new(logger);

    /// <summary>Sockets that were dealt to each shard and that it has yet to take.</summary>
    private readonly int[] _dealt = new int[shards.Length];

    private Thread? _thread;
    private volatile bool _stops;
    private long _complained = -ComplaintMicros;

    /// <summary>Opens a listener. The exception's message names the setting when the address is taken.</summary>
    /// <param name="endpoint">Where.</param>
    /// <param name="setting">That says so.</param>
    /// <param name="open">Makes the connection, on its shard.</param>
    /// <param name="prepare">Has each socket first, and gives what is to be dealt out in its place, from any thread; null: there is nothing to prepare.</param>
    public int Listen(ListenEndpoint endpoint, string setting, Func<ShardSocket, Shard, ShardConnection> open, Action<ShardSocket, Action<ShardSocket>>? prepare = null)
    {
        var socket = ListenSocket.Open(endpoint, setting);
        _listeners.Add(new Listener(socket, open, prepare));
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
                PauseAfter(Native.LastError);
                return;
            }

            Deal(listener, descriptor, ReadAddress(new ReadOnlySpan<byte>(address, length)));
        }
    }

    /// <summary>The connection still waits, and the next look would be at once.</summary>
    private void PauseAfter(int error)
    {
        if (error is Native.EAgain or Native.EIntr or Native.EConnAborted)
            return;
        var now = NodeClock.Micros;
        if (now - _complained >= ComplaintMicros)
        {
            _complained = now;
            logger.LogError(
                "connections wait: accept failed with {Reason}",
                error is Native.EMFile or Native.ENFile ? "no descriptors left; see limits.connections and ulimit -n" : Marshal.GetPInvokeErrorMessage(error));
        }

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
        if (listener.Prepare is { } prepare)
            prepare(socket, ready => Assign(listener, ready));
        else
            Assign(listener, socket);
    }

    private void Assign(Listener listener, ShardSocket socket)
    {
        var least = 0;
        for (var i = 1; i < shards.Length; i++)
        {
            if (LoadOf(i) < LoadOf(least))
                least = i;
        }

        // Counted at once, so that a burst is dealt out evenly.
        Interlocked.Increment(ref _dealt[least]);
        shards[least].Post(() => Take(listener, socket, least));
    }

    private int LoadOf(int shard) => shards[shard].ConnectionCount + Volatile.Read(ref _dealt[shard]);

    /// <summary>On the shard's thread. Where the connection cannot be made, nothing of its socket is left; the shard reports why.</summary>
    private void Take(Listener listener, ShardSocket socket, int number)
    {
        var shard = shards[number];
        ShardConnection connection;
        try
        {
            connection = listener.Open(socket, shard);
        }
        catch
        {
            socket.Close();
            throw;
        }
        finally
        {
            Interlocked.Decrement(ref _dealt[number]);
        }

        if (!shard.TryAdopt(connection))
            connection.Close("epoll refused the socket");
        else
            connection.OnAdopted(NodeClock.Micros);
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

    private sealed record Listener(Socket Socket, Func<ShardSocket, Shard, ShardConnection> Open, Action<ShardSocket, Action<ShardSocket>>? Prepare);
}
