using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.Extensions.Logging;
using Millrace.Node.Settings;
using Millrace.Node.Shards;
using Millrace.Node.Tls;

namespace Millrace.Node.Relay;

/// <summary>The node's TLS connections to other nodes and foreign servers, from their handshakes on. Any thread.</summary>
internal sealed class TlsTunnels(NodeSettings settings, RelayTls tls, ILogger logger, CancellationToken stopping)
{
    /// <summary>Who does not speak TLS is told so, and has this long to hear it.</summary>
    private static readonly TimeSpan AlertTime = TimeSpan.FromSeconds(1);

    /// <summary>Connections that may wait for their handshake's end; an edge that starts makes one for each of its streams.</summary>
    private const int MaxHandshakes = 4_096;

    /// <summary>Of a record of a handshake, its type (RFC 8446, 5.1).</summary>
    private const byte HandshakeRecord = 22;

    /// <summary>A fatal alert, unexpected_message (RFC 8446, 6).</summary>
    private static readonly byte[] Alert = [21, 3, 3, 0, 2, 2, 10];

    private readonly RefusalLog _refusals = new(logger);
    private readonly SemaphoreSlim _turns = new(Math.Max(2, Environment.ProcessorCount));
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _handshakes;
    private int _open;
    private volatile bool _isStopping;

    /// <summary>From an accepted connection, or one that has come about, to the end of its handshake.</summary>
    public TimeSpan HandshakeTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Tunnels that have yet to end.</summary>
    public int Count => Volatile.Read(ref _open);

    /// <summary>Begins to connect. Null, with the reason, when that has failed at once; what fails later closes the socket, which says why.</summary>
    public ShardSocket? TryOpen(OriginAddress origin, IPEndPoint remote, out string? error)
    {
        if (TlsTunnel.TryCreate(remote, out error) is not { } tunnel)
            return null;
        _ = TrackAsync(() => ConnectAsync(tunnel, origin, remote));
        return tunnel.Socket;
    }

    /// <summary>Takes a connection that has been accepted. After the handshake the tunnel's end is ready in its place; one that fails is closed.</summary>
    public void Accept(ShardSocket accepted, Action<ShardSocket> ready)
    {
        if (Interlocked.Increment(ref _handshakes) > MaxHandshakes)
        {
            Interlocked.Decrement(ref _handshakes);
            _refusals.Add(accepted.Remote, "too many TLS handshakes at once");
            accepted.Close();
            return;
        }

        _ = TrackAsync(() => AcceptAsync(accepted, ready));
    }

    /// <summary>Ends when all tunnels have: each does when the shards have closed theirs, and what was said last has gone out.</summary>
    public Task StopAsync()
    {
        _isStopping = true;
        if (Count == 0)
            _idle.TrySetResult();
        return _idle.Task;
    }

    /// <summary>Runs a tunnel, from its first step on, on the thread pool.</summary>
    private async Task TrackAsync(Func<Task> tunnel)
    {
        Interlocked.Increment(ref _open);
        var task = Task.Run(tunnel);
        await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (task.Exception is { InnerException: var fault })
            logger.LogError(fault, "a TLS tunnel failed");
        if (Interlocked.Decrement(ref _open) == 0 && _isStopping)
            _idle.TrySetResult();
    }

    private async Task ConnectAsync(TlsTunnel tunnel, OriginAddress origin, IPEndPoint remote)
    {
        var check = new PeerCheck(origin.TlsName);
        string? fault = null;
        var isHandshake = false;
        try
        {
            using var outer = new Socket(remote.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            limit.CancelAfter(settings.Edge.ConnectTimeout);
            await outer.ConnectAsync(remote, limit.Token);
            var stream = new TlsTransport(new NetworkStream(outer, ownsSocket: false), _turns);
            await using var secure = new SslStream(stream, leaveInnerStreamOpen: false, check.Accept);
            limit.CancelAfter(HandshakeTime);
            isHandshake = true;
            await stream.RunAsync(cancellation => secure.AuthenticateAsClientAsync(tls.Client(origin), cancellation), limit.Token);
            await tunnel.CarryAsync(secure, stream, outer, check);
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or IOException or AuthenticationException)
        {
            fault = check.DescribeFailure(e, isHandshake);
        }
        finally
        {
            tunnel.End(fault);
        }
    }

    private async Task AcceptAsync(ShardSocket accepted, Action<ShardSocket> ready)
    {
        var check = new PeerCheck(host: null, settings.Relay.Tls.ClientCertificates);
        var isHandshake = true;
        try
        {
            using var handle = new SafeSocketHandle(accepted.Descriptor, ownsHandle: true);
            using var outer = new Socket(handle);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            limit.CancelAfter(HandshakeTime);
            if (!await SpeaksTlsAsync(outer, accepted.Remote, limit.Token))
                return;
            var stream = new TlsTransport(new NetworkStream(outer, ownsSocket: false), _turns);
            await using var secure = new SslStream(stream, leaveInnerStreamOpen: false, check.Accept);
            await stream.RunAsync(cancellation => secure.AuthenticateAsServerAsync(tls.Server, cancellation), limit.Token);
            Interlocked.Decrement(ref _handshakes);
            isHandshake = false;
            if (TlsTunnel.TryCreate(accepted.Remote, out var error, accepted) is not { } tunnel)
            {
                _refusals.Add(accepted.Remote, error!);
                return;
            }

            ready(tunnel.Socket);
            await tunnel.CarryAsync(secure, stream, outer, check);
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or IOException or AuthenticationException)
        {
            if (!stopping.IsCancellationRequested)
                _refusals.Add(accepted.Remote, check.DescribeFailure(e, isHandshake));
        }
        finally
        {
            if (isHandshake)
                Interlocked.Decrement(ref _handshakes);
            accepted.Leave();
        }
    }

    /// <summary>Looks at the first byte; who cannot mean TLS is told in its words that this side does.</summary>
    private async Task<bool> SpeaksTlsAsync(Socket outer, IPEndPoint remote, CancellationToken cancellationToken)
    {
        var first = new byte[1];
        // Who goes without a word has only looked whether somebody is there.
        if (await outer.ReceiveAsync(first, SocketFlags.Peek, cancellationToken) == 0)
            return false;
        if (first[0] == HandshakeRecord)
            return true;
        _refusals.Add(remote, "it does not speak TLS, which this port is for: nodes connect to it by millraces://");
        await outer.SendAsync(Alert, cancellationToken);
        outer.Shutdown(SocketShutdown.Send);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(AlertTime);
        var rest = new byte[1024];
        // To close with unread input takes back what was sent (RFC 9112 9.6).
        for (var end = false; !end;)
        {
            var receiving = outer.ReceiveAsync(rest, limit.Token).AsTask();
            await ((Task)receiving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            end = !receiving.IsCompletedSuccessfully || receiving.Result == 0;
        }

        return false;
    }
}
