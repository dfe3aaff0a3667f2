using System.Buffers;
using System.Net.Security;
using System.Net.Sockets;
using Millrace.Node.Shards;
using Millrace.Node.Tls;

namespace Millrace.Node.Relay;

/// <summary>
/// A connection over TLS. A shard has one end of a pair of sockets as if it were the connection; what goes through the other is carried over TLS by
/// the thread pool. That costs copies, but no memory where nothing goes: a buffer is there only while it is in use.
/// </summary>
internal sealed class TlsTunnel
{
    /// <summary>The largest record of TLS (RFC 8446, 5.1).</summary>
    private const int BufferBytes = 16 * 1024;

    /// <summary>How long last words may take when a side has gone: what a shard gives its peer to hear them, and as long again for a busy thread pool.</summary>
    private static readonly TimeSpan LingerTime = TimeSpan.FromSeconds(2);

    private readonly TaskCompletionSource _broken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Socket _inner;
    private bool _hasReceived;

    private TlsTunnel(Socket inner) => _inner = inner;

    /// <summary>The shard's end.</summary>
    public required ShardSocket Socket { get; init; }

    /// <summary>A pair of sockets. Null, with the reason, when there is none to be had.</summary>
    /// <param name="remote">The other side.</param>
    /// <param name="error">The reason.</param>
    /// <param name="accepted">What the tunnel goes by, where that was accepted.</param>
    public static unsafe TlsTunnel? TryCreate(System.Net.IPEndPoint remote, out string? error, ShardSocket? accepted = null)
    {
        error = null;
        var pair = stackalloc int[2];
        if (Native.SocketPair(Native.FamilyUnix, Native.SocketStream | Native.CloseOnExec, 0, pair) != 0)
        {
            error = System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(Native.LastError);
            return null;
        }

        TlsTunnel? tunnel = null;
        return tunnel = new TlsTunnel(new Socket(new SafeSocketHandle(pair[1], ownsHandle: true)))
        {
            Socket = new ShardSocket(pair[0], remote, counts: null) { IsEncrypted = true, Outer = accepted, Closed = () => tunnel!._closed.TrySetResult() },
        };
    }

    /// <summary>There is no connection any more; where there is nothing else to be seen of it, the shard's end says why.</summary>
    public void End(string? fault)
    {
        Socket.Fault ??= fault;
        _inner.Dispose();
    }

    /// <summary>Carries bytes both ways until both sides have ended.</summary>
    /// <param name="secure">After its handshake.</param>
    /// <param name="transport">What that is over.</param>
    /// <param name="outer">What that goes by.</param>
    /// <param name="check">Names what goes wrong.</param>
    public async Task CarryAsync(SslStream secure, TlsTransport transport, Socket outer, PeerCheck check)
    {
        await using var plain = new NetworkStream(_inner, ownsSocket: true);
        var (up, down) = (UpAsync(plain, secure, transport, outer), DownAsync(secure, transport, plain, check));
        var both = Task.WhenAll(up, down);
        // A shard that has only said all waits for its answer as long as it likes.
        await Task.WhenAny(down, _closed.Task, _broken.Task);
        // What has been said last still arrives; a peer that takes nothing does not hold this up for ever.
        await both.WaitAsync(LingerTime).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        outer.Dispose();
        _inner.Dispose();
        await both.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task UpAsync(NetworkStream plain, SslStream secure, TlsTransport transport, Socket outer)
    {
        try
        {
            await PumpAsync(buffer => plain.ReadAsync(buffer), secure);
            await transport.ShutdownAsync(secure);
            outer.Shutdown(SocketShutdown.Send);
        }
        catch
        {
            _broken.TrySetResult();
            throw;
        }
    }

    private async Task DownAsync(SslStream secure, TlsTransport transport, NetworkStream plain, PeerCheck check)
    {
        Exception? error = null;
        try
        {
            await PumpAsync(buffer => transport.ReadFromAsync(secure, buffer), plain);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            error = e;
        }

        if (!_closed.Task.IsCompleted)
            Socket.Fault ??= check.DescribeEnd(error, _hasReceived);
        // The shard takes what has come, and then hears of the end.
        _inner.Shutdown(SocketShutdown.Send);
    }

    private async Task PumpAsync(Func<Memory<byte>, ValueTask<int>> read, Stream to)
    {
        while (true)
        {
            _ = await read(Memory<byte>.Empty);
            var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
            try
            {
                var count = await read(buffer);
                if (count == 0)
                    return;
                _hasReceived |= to is not SslStream;
                await to.WriteAsync(buffer.AsMemory(0, count));
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }
}
