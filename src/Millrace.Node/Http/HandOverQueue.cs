using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Millrace.Node.Shards;

namespace Millrace.Node.Http;

/// <summary>The sockets that shards have given to Kestrel, in the place of a listener of its own.</summary>
internal sealed class HandOverQueue(ILoggerFactory loggers) : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    /// <summary>The endpoint that Kestrel is told to listen on.</summary>
    public static readonly EndPoint EndPoint = new HandOverEndPoint();

    private readonly Channel<ShardSocket> _sockets = Channel.CreateUnbounded<ShardSocket>(new UnboundedChannelOptions { SingleReader = true });

    private SocketConnectionContextFactory? _contexts;

    /// <summary>Bounded by <c>limits.connections</c>, for each socket has its place in the counts until it closes.</summary>
    public void Add(ShardSocket socket)
    {
        if (!_sockets.Writer.TryWrite(socket))
            socket.Close();
    }

    /// <summary>
    /// Connections get their buffers where Kestrel's own get them. Without a pool they come from the array pool that all share, which
    /// keeps so few for each core that with thousands of connections every answer leaves 8 KB of garbage; the option has no
    /// public setter.
    /// </summary>
    public void UseBuffers(IMemoryPoolFactory<byte> pools)
    {
        var options = new SocketConnectionFactoryOptions();
        SetMemoryPoolFactory(options, pools);
        _contexts = new SocketConnectionContextFactory(options, loggers.CreateLogger("Millrace.Http"));
    }

    public bool CanBind(EndPoint endpoint) => endpoint is HandOverEndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<IConnectionListener>(new Listener(this, endpoint));

    /// <summary>Null when the peer is gone already; Kestrel would take an exception for the end of its listener.</summary>
    private ConnectionContext? TryOpen(ShardSocket socket)
    {
        var handle = new SafeSocketHandle(socket.Descriptor, ownsHandle: true);
        ConnectionContext context;
        try
        {
            context = _contexts!.Create(new Socket(handle));
        }
        catch (SocketException)
        {
            handle.Dispose();
            socket.Leave();
            return null;
        }

        context.ConnectionClosed.Register(static state => ((ShardSocket)state!).Leave(), socket);
        return context;
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_MemoryPoolFactory")]
    private static extern void SetMemoryPoolFactory(SocketConnectionFactoryOptions options, IMemoryPoolFactory<byte> pools);

    private sealed class HandOverEndPoint : EndPoint
    {
        public override string ToString() => "media port";
    }

    private sealed class Listener(HandOverQueue queue, EndPoint endpoint) : IConnectionListener
    {
        public EndPoint EndPoint => endpoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (await queue._sockets.Reader.WaitToReadAsync(cancellationToken))
            {
                if (queue._sockets.Reader.TryRead(out var socket) && queue.TryOpen(socket) is { } context)
                    return context;
            }

            return null;
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            queue._sockets.Writer.TryComplete();
            while (queue._sockets.Reader.TryRead(out var socket))
                socket.Close();
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync() => UnbindAsync();
    }
}
